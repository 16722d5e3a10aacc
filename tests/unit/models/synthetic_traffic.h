#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>

#include "core/random.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::test {

/// A ring of `node_count` nodes, both directions.
inline Topology ring(std::size_t node_count) {
  std::vector<Node> nodes;
  std::vector<Link> links;
  for (std::size_t n = 0; n < node_count; ++n)
    nodes.push_back({.name = std::string{"n"}.append(std::to_string(n)), .location = {}});
  for (std::size_t n = 0; n < node_count; ++n) {
    const std::size_t next = (n + 1) % node_count;
    for (const auto& [from, to] : {std::pair{n, next}, std::pair{next, n}}) {
      Link link;
      link.name = std::to_string(from).append(">").append(std::to_string(to));
      link.from = NodeId{from};
      link.to = NodeId{to};
      link.capacity = BitRate::gbps(1);
      links.push_back(std::move(link));
    }
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

/// Five-minute matrices that a forecaster can foresee: each pair swings in two hours around its own mean, with `noise`
/// (a fraction of the mean) on top. The pair from node 0 to node 1 is silent.
inline TrafficSeries swinging_traffic(std::size_t node_count, std::size_t rows, double noise, std::uint64_t seed,
                                      std::size_t class_count = 1) {
  Rng rng{seed, "swinging traffic"};
  TrafficSeries series;
  for (std::size_t row = 0; row < rows; ++row) {
    TrafficMatrix matrix{node_count, class_count};
    matrix.set_measured_at(Timestamp{std::chrono::seconds{1'100'000'100 + 300 * static_cast<std::int64_t>(row)}});
    for (std::size_t cls = 0; cls < class_count; ++cls) {
      for (std::size_t from = 0; from < node_count; ++from) {
        for (std::size_t to = 0; to < node_count; ++to) {
          if (from == to || (from == 0 && to == 1)) continue;
          const double mean_mbps = 1.0 + 3.0 * static_cast<double>(from + cls) + 0.5 * static_cast<double>(to);
          const double phase =
              2.0 * std::numbers::pi * static_cast<double>(row) / 24.0 + static_cast<double>(3 * from + to);
          const double swing = 1.0 + 0.5 * std::sin(phase) + noise * rng.normal();
          matrix.set(TrafficClass{cls}, NodeId{from}, NodeId{to}, BitRate::mbps(mean_mbps * std::max(swing, 0.0)));
        }
      }
    }
    series.intervals.push_back(std::move(matrix));
  }
  return series;
}

}  // namespace wan::test
