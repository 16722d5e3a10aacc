#pragma once

#include <span>

#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan {

/// What an interior gateway protocol does: cheapest paths, and at every hop an even split over the links that
/// continue one (parallel links count separately).
///
/// @param link_cost    by link, above zero: `weight_costs` gives what operators run, `hop_costs` ECMP by hop count
/// @param class_count  each class gets the same paths
/// @return             a path for every ordered pair of nodes that is connected over links that are up
/// @error kUnsupported a pair with over 10,000 equal-cost paths, named
/// Cost: O(N L log N) plus the hops of all paths.
[[nodiscard]] Result<PathPlan> igp_plan(const Topology& topology, std::span<const double> link_cost,
                                        std::size_t class_count = 1);

}  // namespace wan
