#pragma once

#include <vector>

#include "controller/plan_constraints.h"
#include "controller/policy.h"
#include "controller/priority_levels.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct ClassPlanOptions {
  double gap = 0.01;        ///< largest (utilisation - bound) / bound wanted at each level, above 0
  bool least_delay = true;  ///< what the levels leave open buys shorter paths
  /// By level: no limit is below, as where a plan of few paths needs more. Empty: 0.
  std::vector<double> limits_min{};
};

/// What one priority level reaches, and the proof that it could not reach much better.
struct LevelCertificate {
  PriorityLevel level;
  double utilization = 0.0;  ///< largest load / capacity by the traffic of this level and of those above
  double lower_bound = 0.0;  ///< of the same, under any plan that keeps every level above within its `limit`
  /// What later levels had to leave it: at most lower_bound x (1 + gap), its target or `limits_min`.
  double limit = 0.0;
  /// [level up to this one][link], 1/(bit/s), >= 0, whose weighted capacities sum to 1 at this level:
  /// lower_bound = sum over demands, by level i, of rate x cheapest allowed path under duals[i] + ... + duals[this]
  ///             - sum over levels j above of limit[j] x sum over links of duals[j] x capacity
  std::vector<std::vector<double>> duals;
};

struct ClassRoutes {
  PathPlan plan;  ///< every connected pair of every class
  std::vector<LevelCertificate> levels;
  Certificate certificate;         ///< of all traffic; its bound is that of a network without classes or rules
  std::vector<BrokenRule> broken;  ///< demands with traffic that no path within their class's rule can carry; in order
  std::vector<Demand> unrouted;    ///< demands above zero whose ends are not connected
};

/// Lexicographic by priority: the largest link utilisation of the most important traffic is made as low as possible,
/// then that of the two most important levels together with the first one's held there, and so on. No class hurts a
/// more important one by more than the gap. A level with a utilisation target goes no lower than that.
///
/// No path breaks its class's latency bound or crosses a link that the class avoids, unless there is no other, which is
/// then named; pins hold while their path is up.
/// @param policies  classes beyond those that it knows have priority 0 and no rules
/// @error kShapeMismatch: the matrix is not of this topology
/// Threads: reentrant.  Cost: see column_solver.h; 5 ms on GEANT and about half a second on Cogentco with four classes
[[nodiscard]] Result<ClassRoutes> plan_classes(const Topology& topology, const TrafficMatrix& traffic,
                                               const PolicySet& policies, const ClassPlanOptions& options = {});

/// By level: the largest utilisation by traffic of this level and of those above under a plan.
[[nodiscard]] std::vector<double> level_utilizations(const Topology& topology, const PathPlan& plan,
                                                     const TrafficMatrix& traffic,
                                                     const std::vector<std::size_t>& level_of_class,
                                                     std::size_t level_count);

}  // namespace wan::controller
