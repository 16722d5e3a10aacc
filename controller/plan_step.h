#pragma once

#include "core/path_plan.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// The part of all traffic that takes other paths under `after` than under `before`; demands that only one of the plans
/// routes count whole. 0 without traffic. Cost: O(paths x hops).
[[nodiscard]] double moved_share(const PathPlan& before, const PathPlan& after, const TrafficMatrix& demand);

/// A plan on the way from one to another: each demand keeps 1 - `share` of its old split and takes `share` of the new.
///
/// No link gets more load than under the worse of both. Paths that a chain of such steps leaves with next to nothing
/// (under half a percent, and not in `after`) are given up, so that plans do not grow without end.
/// @param share  in (0, 1]
/// @return       demands of `after`; one that `before` does not route is as in `after`
[[nodiscard]] PathPlan blended(const PathPlan& before, const PathPlan& after, double share);

/// The same with at most `paths_max` paths a demand, which both plans keep: a demand whose blend has more takes the new
/// split whole once the share of those before it has saved up for that, and else stays on the old one. So no more
/// traffic moves than by `blended`, and a chain of steps ends at `after`, but for a demand that is itself more than all
/// that one step moves.
/// @param demand  what the share is of
[[nodiscard]] PathPlan blended(const PathPlan& before, const PathPlan& after, double share, const TrafficMatrix& demand,
                               std::size_t paths_max);

}  // namespace wan::controller
