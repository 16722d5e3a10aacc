#include "tests/unit/controller/drawn_network.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/shortest_paths.h"

namespace wan::test {

Topology lines_network(std::size_t node_count, const std::vector<Line>& lines) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < node_count; ++n) {
    std::string name{"n"};
    name += std::to_string(n);
    nodes.push_back({.name = std::move(name), .location = {}});
  }
  std::vector<Link> links;
  for (const Line& line : lines) {
    Link link;
    link.name = std::to_string(links.size());
    link.from = NodeId{line.from};
    link.to = NodeId{line.to};
    link.capacity = BitRate::bps(line.capacity_bps);
    link.delay = Duration{static_cast<std::int64_t>(line.delay_ms * 1e6)};
    links.push_back(std::move(link));
  }
  auto topology = Topology::make(std::move(nodes), std::move(links));
  if (!topology) throw std::runtime_error{topology.error().message};
  return *std::move(topology);
}

Topology drawn_network(Rng& rng, const DrawnShape& shape) {
  std::vector<Line> lines;
  const auto capacity = [&] {
    return shape.capacity_bps_least * std::pow(10.0, shape.capacity_decades * rng.uniform());
  };
  const auto connect = [&](std::size_t a, std::size_t b) {
    const double delay_ms = 0.5 + 20.0 * rng.uniform();
    lines.push_back({.from = a, .to = b, .capacity_bps = capacity(), .delay_ms = delay_ms});
    lines.push_back({.from = b, .to = a, .capacity_bps = capacity(), .delay_ms = delay_ms});
  };
  if (shape.connected) {
    for (std::size_t n = 1; n < shape.nodes; ++n) connect(n, rng.below(n));
  }
  while (lines.size() < 2 * shape.two_way_links) {
    if (!lines.empty() && rng.uniform() < shape.parallel_chance) {
      const Line beside = lines[rng.below(lines.size())];
      connect(beside.from, beside.to);
      continue;
    }
    const std::size_t a = rng.below(shape.nodes);
    const std::size_t b = rng.below(shape.nodes);
    if (a != b) connect(a, b);
  }
  return lines_network(shape.nodes, lines);
}

TrafficMatrix drawn_demand(Rng& rng, std::size_t node_count, double chance, double mean_bps) {
  TrafficMatrix demand{node_count};
  for (std::size_t s = 0; s < node_count; ++s) {
    for (std::size_t t = 0; t < node_count; ++t) {
      if (s != t && rng.uniform() < chance) {
        demand.set(NodeId{s}, NodeId{t}, BitRate::bps(mean_bps * rng.exponential()));
      }
    }
  }
  return demand;
}

double worst_split_error(const PathPlan& plan) {
  double worst = 0.0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    double sum = 0.0;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) sum += plan.path(d, p).fraction;
    worst = std::max(worst, std::abs(sum - 1.0));
  }
  return worst;
}

bool covers_connected_pairs(const Topology& topology, const PathPlan& plan, std::size_t class_count) {
  std::size_t connected = 0;
  const std::vector<double> hops = hop_costs(topology);
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, hops);
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      if (s == t || !tree.reaches(NodeId{t})) continue;
      for (std::size_t c = 0; c < class_count; ++c) {
        if (!plan.find({TrafficClass{c}, NodeId{s}, NodeId{t}})) return false;
        ++connected;
      }
    }
  }
  return connected == plan.demand_count();
}

PathPlan least_delay_plan(const Topology& topology, std::size_t class_count) {
  PathPlanBuilder builder;
  const std::vector<double> delay = delay_costs(topology);
  for (std::size_t c = 0; c < class_count; ++c) {
    for (std::size_t s = 0; s < topology.node_count(); ++s) {
      const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, delay);
      for (std::size_t t = 0; t < topology.node_count(); ++t) {
        if (s == t || !tree.reaches(NodeId{t})) continue;
        builder.begin_demand({TrafficClass{c}, NodeId{s}, NodeId{t}});
        builder.add_path(1.0, tree.path_to(topology, NodeId{t}));
      }
    }
  }
  return std::move(builder).build();
}

double delay_cost(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand) {
  double cost = 0.0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& key = plan.demands()[d];
    const double rate = demand.at(key.cls, key.from, key.to).bps();
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      for (const LinkId link : links) cost += rate * fraction * to_seconds(topology.link(link).delay);
    }
  }
  return cost;
}

}  // namespace wan::test
