#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/topology.h"

namespace wan::controller {

/// What one source must send another way.
struct DisplacedSource {
  NodeId source;
  std::vector<double> bps_to;  ///< by destination, >= 0; entries without a way are ignored
};

/// A share of all displaced traffic of a source, and the tree that it takes.
struct DisplacedTree {
  double share = 0.0;
  std::vector<std::uint32_t> parent_link;  ///< by node: the link that enters it, `ShortestPathTree::kNoLink` without
};

struct DisplacedRouting {
  std::vector<std::vector<DisplacedTree>> trees;  ///< by source as given; shares sum to 1; only shares above 0
  double utilization = 0.0;                       ///< largest, fixed load included
  double lower_bound = 0.0;                       ///< no way to route the displaced traffic stays below
  int sweeps = 0;
};

struct DisplacedOptions {
  double gap = 0.01;    ///< stop once (utilisation - bound) / bound is at most this
  int sweeps_max = 96;  ///< or after so many sweeps, whatever the gap
};

/// Routes some traffic beside other traffic that stays where it is, so that the most loaded link is as idle as
/// possible.
///
/// Pairwise Frank-Wolfe, source after source: traffic of the dearest tree in use moves to the cheapest tree under the
/// prices exp(eta u) / c, by exact line search on the soft maximum. Averaged prices give the bound
/// sum(price x fixed load + displaced demand x distance) / sum(price x capacity).
///
/// @param topology   with what failed down
/// @param fixed_bps  by link: the load that stays
/// Threads: reentrant.  Memory: sources x trees x nodes.  Cost: sweeps x sources x (L log N).
/// Source: Frank and Wolfe 1956; pairwise steps: Lacoste-Julien and Jaggi, NIPS 2015; bound: weak duality.
[[nodiscard]] DisplacedRouting route_displaced(const Topology& topology, std::span<const DisplacedSource> displaced,
                                               std::span<const double> fixed_bps, const DisplacedOptions& options = {});

}  // namespace wan::controller
