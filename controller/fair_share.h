#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "controller/plan_constraints.h"
#include "controller/policy.h"
#include "controller/priority_levels.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct FairShareOptions {
  double utilization_max = 1.0;  ///< part of each link's capacity that may be filled, above 0
  int rounds_max = 300;          ///< a level, at least 1; demands that still grow then stay where they are, unproven
};

/// One step of the filling: the largest fraction that all demands of a level which can still grow have in common, and
/// those that stop there.
struct FairRound {
  std::size_t level = 0;
  double fraction = 0.0;
  /// w by link, 1/(bit/s), >= 0, which show for each demand k that stops here how little more it could have. With all
  /// of higher levels and those that stopped earlier at their fractions, and all others of the level at `fraction`,
  ///   room = utilization_max x sum of w x capacity - sum of fraction x rate x cheapest allowed path under w,
  /// and k can have no more than fraction + room / (its rate x cheapest allowed path).
  std::vector<double> duals;
  std::size_t stopped = 0;  ///< demands
};

struct FairRoutes {
  static constexpr std::uint32_t kNoRound = 0xffffffff;

  PathPlan plan;                     ///< of every connected pair of every class: splits of what is admitted
  std::vector<double> admitted;      ///< by demand of the plan: fraction carried; 1 where there is no traffic
  std::vector<std::uint32_t> round;  ///< by demand of the plan: where it stopped; kNoRound without traffic
  std::vector<FairRound> rounds;
  std::vector<PriorityLevel> levels;
  /// No demand can have more than its fraction and this, or the negligible rate if that is more, while all with no more
  /// than it, and all of higher levels, keep theirs. Rounding, but for demands that stopped because of `rounds_max`.
  double within = 0.0;
  double negligible_bps = 0.0;  ///< 10^-9 of all links' room: what loads and prices are not known better than
  std::size_t unproven = 0;     ///< demands that `rounds_max` stopped
  int pricings = 0;             ///< work done: see CommonFraction
  double utilization = 0.0;     ///< largest load / capacity by what is admitted, at most utilization_max x (1 + 1e-9)
  Certificate offered;          ///< of the same splits if everything were sent; the bound is that of any plan
  std::vector<BrokenRule> broken;
  std::vector<Demand> unrouted;
};

/// When demands exceed what fits: how much of each is carried, and how. Level by level of priority, each filled with
/// what those above left: within a level the fractions are max-min fair over all routings (none can be raised without
/// lowering one that is no larger). Max-min fair fractions are unique, and no plan that leaves everyone theirs carries
/// more in total.
///
/// Progressive filling: raise all growing demands together, stop those that the optimum's duals prove to be stuck, and
/// go on with the others; stopped ones are re-routed as the others need. A demand that the duals prove nothing of goes
/// on growing, which costs a round and no fairness. Fractions are exact to about 10^-10 of link capacities: for a
/// demand of 10^-6 of a full link on its way, that is 10^-4 of itself.
///
/// Classes, rules and pins as in class_planner.h. Demands of a pair whose classes have equal rules and one priority
/// have one fraction.
/// @error kShapeMismatch: the matrix is not of this topology
/// @error kInternal: Clp gave up
/// Threads: reentrant.
/// Cost: at twice what fits, 5 ms on GEANT, 0.3 s on UsCarrier (158 nodes), 0.5 s on Cogentco (197); not in minutes on
///       754 nodes. See tests/bench/class_planner_bench.cpp
/// Source: Nace and Pioro, "Max-min fairness and its applications to routing and load-balancing in communication
///         networks", IEEE Comm. Surveys 10 (2008), algorithm 3 (stop those with positive duals).
[[nodiscard]] Result<FairRoutes> plan_fair_shares(const Topology& topology, const TrafficMatrix& traffic,
                                                  const PolicySet& policies, const FairShareOptions& options = {});

}  // namespace wan::controller
