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

/// Cheapest path whose propagation delay is within a bound: labels of cost and delay, settled in the order of cost,
/// each kept only when it is faster than all cheaper ones at its node and can still arrive in time.
///
/// Finding such a path is NP-hard in general; backbones need a few labels a node. Gives up after `labels_max`.
/// @param link_cost  by link, >= 0; infinite: not to be used. Links that are down are not used
/// Source:  label setting for the constrained shortest path problem: Aneja, Aggarwal and Nair, Networks 13 (1983)
[[nodiscard]] BoundedPath cheapest_path_within(const Topology& topology, NodeId from, NodeId to,
                                               std::span<const double> link_cost, Duration delay_max,
                                               std::size_t labels_max = 20'000);

}  // namespace wan::controller
