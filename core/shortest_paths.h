#pragma once

#include <limits>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/topology.h"

namespace wan {

/// The cheapest way from one node to every other one.
struct ShortestPathTree {
  static constexpr std::uint32_t kNoLink = std::numeric_limits<std::uint32_t>::max();

  std::vector<double> cost;  ///< by node; infinite where unreachable
  /// By node: index of the link that enters it; kNoLink at the root and where unreachable.
  std::vector<std::uint32_t> parent_link;

  [[nodiscard]] bool reaches(NodeId node) const { return cost[node.index()] < std::numeric_limits<double>::infinity(); }
  /// The links from the root to a reachable node, in travel order.
  [[nodiscard]] std::vector<LinkId> path_to(const Topology& topology, NodeId node) const;
};

/// @param link_cost  by link, >= 0; links that are down are not used
/// @return           ties go to the link with the lower id, so equal inputs give equal trees
/// Cost: O(L log N). Source: Dijkstra 1959, binary heap.
[[nodiscard]] ShortestPathTree shortest_path_tree(const Topology& topology, NodeId from,
                                                  std::span<const double> link_cost);

/// By link: its propagation delay in seconds / its IGP weight / 1.
[[nodiscard]] std::vector<double> delay_costs(const Topology& topology);
[[nodiscard]] std::vector<double> weight_costs(const Topology& topology);
[[nodiscard]] std::vector<double> hop_costs(const Topology& topology);

}  // namespace wan
