#pragma once

#include <vector>

#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct PlannerOptions {
  double gap = 0.01;  ///< largest (utilisation - bound) / bound wanted, above 0; shorter paths may use up to 1 % of it
  int threads = 1;    ///< changes the time, never the plan
  bool least_delay = true;  ///< among plans within the gap (at most 1 %), prefer the least demand-weighted delay
};

/// A plan, the proof of how good it is, and what no plan can carry.
struct PlannedRoutes {
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;  ///< demands above zero whose ends are not connected
};

/// Splits every demand over paths so that the most loaded link is as idle as possible, over all paths.
///
/// @param demand  entries >= 0; classes are planned together and get the same splits
/// @return        a plan for every connected ordered pair (pairs without demand take the least-delay path), with the
///                utilisation it reaches and a lower bound on what any plan could reach. A utilisation above 1 is
///                overload: planned all the same, for the caller to raise an alarm
/// @error kShapeMismatch: the matrix is not of this topology
/// Threads: reentrant.  Cost: see source_tree_solver.h; measured in docs/performance.md
[[nodiscard]] Result<PlannedRoutes> plan_paths(const Topology& topology, const TrafficMatrix& demand,
                                               const PlannerOptions& options = {});

}  // namespace wan::controller
