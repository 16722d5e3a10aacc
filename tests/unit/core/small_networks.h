#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"

namespace wan::test {

/// A link to build a small network from; each is one direction.
struct Edge {
  std::size_t from = 0;
  std::size_t to = 0;
  double weight = 1.0;
  double gbps = 10.0;
};

/// Nodes are named A, B, C, ...; links by their number. Delay: 1 ms times the weight.
inline Topology network(std::size_t node_count, const std::vector<Edge>& edges) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < node_count; ++n) {
    nodes.push_back({.name = std::string(1, static_cast<char>('A' + n)), .location = {}});
  }
  std::vector<Link> links;
  for (const Edge& edge : edges) {
    Link link;
    link.name = std::to_string(links.size());
    link.from = NodeId{edge.from};
    link.to = NodeId{edge.to};
    link.capacity = BitRate::gbps(edge.gbps);
    link.weight = edge.weight;
    link.delay = Duration{static_cast<std::int64_t>(edge.weight * 1e6)};
    links.push_back(std::move(link));
  }
  auto topology = Topology::make(std::move(nodes), std::move(links));
  if (!topology) throw std::runtime_error{topology.error().message};
  return *std::move(topology);
}

/// A to D by way of B or of C, all links one way: 0 A>B, 1 B>D, 2 A>C, 3 C>D.
inline Topology diamond() { return network(4, {{0, 1}, {1, 3}, {0, 2}, {2, 3}}); }

inline std::vector<LinkId> link_ids(const std::vector<std::size_t>& indices) {
  std::vector<LinkId> ids;
  for (const std::size_t index : indices) ids.emplace_back(index);
  return ids;
}

inline Demand demand(std::size_t from, std::size_t to, std::size_t cls = 0) {
  return {.cls = TrafficClass{cls}, .from = NodeId{from}, .to = NodeId{to}};
}

}  // namespace wan::test
