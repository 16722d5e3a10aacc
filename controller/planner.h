#pragma once

#include <memory>
#include <vector>

#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct PlannerOptions {
  double gap =
      0.01;         ///< largest (utilisation - bound) / bound wanted, above 0; shorter paths may use up to 0.5 % of it
  int threads = 1;  ///< changes the time, never the plan
  bool least_delay = true;  ///< among plans within the gap (at most 0.5 %), prefer the least demand-weighted delay
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
/// Threads: reentrant.  Cost: see source_flow_solver.h; measured in docs/performance.md
[[nodiscard]] Result<PlannedRoutes> plan_paths(const Topology& topology, const TrafficMatrix& demand,
                                               const PlannerOptions& options = {});

/// `plan_paths` again and again on one network: each matrix starts from the splits of the last one, so that a plan for
/// traffic that changed little costs a fraction of a first one.
///
/// Equal sequences of matrices give equal plans, whatever the number of threads. Every plan is certified like a first
/// one, but which of the plans within the gap comes out depends on those before.
/// Threads: one owner.
class RoutePlanner {
 public:
  explicit RoutePlanner(const Topology& topology, const PlannerOptions& options = {});
  /// Plans first what `before` planned last, as far as its links are still up: the network after a failure, or after
  /// its repair. `before` stays as it is, so that each failure may start from the same plan.
  /// @param topology  the same nodes and links as those of `before`; other links may be up
  RoutePlanner(const Topology& topology, const RoutePlanner& before);
  ~RoutePlanner();
  RoutePlanner(RoutePlanner&&) noexcept;
  RoutePlanner& operator=(RoutePlanner&&) noexcept;

  /// As `plan_paths`.
  [[nodiscard]] Result<PlannedRoutes> plan(const TrafficMatrix& demand);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
