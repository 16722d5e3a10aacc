#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/topology.h"
#include "core/units.h"

namespace wan::controller {

/// A cheapest path among those within a delay.
struct BoundedPath {
  std::vector<LinkId> links;  ///< empty: none is within the delay, or the search gave up
  bool gave_up = false;
};

/// By target: the cheapest path whose propagation delay is within a bound. Labels of cost and delay are settled in the
/// order of cost, each kept only when it is faster than all cheaper ones at its node and can still arrive in time.
///
/// Finding such paths is NP-hard in general; backbones need a few labels a node. Gives up, on the targets not reached
/// yet, after `labels_max`.
/// @param targets    nodes other than `from`, none twice
/// @param link_cost  by link, >= 0; infinite: not to be used. Links that are down are not used
/// Threads: reentrant.  Cost: O(labels x links of a node x log labels) for all targets together
/// Source:  label setting for the constrained shortest path problem: Aneja, Aggarwal and Nair, Networks 13 (1983)
[[nodiscard]] std::vector<BoundedPath> cheapest_paths_within(const Topology& topology, NodeId from,
                                                             std::span<const NodeId> targets,
                                                             std::span<const double> link_cost, Duration delay_max,
                                                             std::size_t labels_max = 200'000);

/// The same to one target.
[[nodiscard]] BoundedPath cheapest_path_within(const Topology& topology, NodeId from, NodeId to,
                                               std::span<const double> link_cost, Duration delay_max,
                                               std::size_t labels_max = 20'000);

}  // namespace wan::controller
