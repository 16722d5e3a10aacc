#include "controller/dual_bound.h"

#include <algorithm>

#include "core/shortest_paths.h"

namespace wan::controller {

double dual_bound(const Topology& topology, const TrafficMatrix& demand, std::span<const double> price) {
  double budget = 0.0;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (topology.links()[l].up) budget += price[l] * topology.links()[l].capacity.bps();
  }
  if (budget <= 0.0) return 0.0;
  double cost = 0.0;
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, price);
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      const double rate = demand.at(NodeId{s}, NodeId{t}).bps();
      if (rate > 0.0 && tree.reaches(NodeId{t})) cost += rate * tree.cost[t];
    }
  }
  return cost / budget;
}

std::vector<Demand> unconnected_demands(const Topology& topology, const TrafficMatrix& demand) {
  std::vector<Demand> found;
  const std::vector<double> hops = hop_costs(topology);
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, hops);
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      if (s == t || tree.reaches(NodeId{t})) continue;
      for (std::size_t cls = 0; cls < demand.class_count(); ++cls) {
        if (demand.at(TrafficClass{cls}, NodeId{s}, NodeId{t}).bps() > 0.0) {
          found.push_back({TrafficClass{cls}, NodeId{s}, NodeId{t}});
        }
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace wan::controller
