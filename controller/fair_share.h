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
  double utilization_max = 1.0;         ///< part of each link's capacity that may be filled, above 0
  double gap = 0.01;                    ///< how far a common fraction may stay below its bound, relative to it
  std::size_t exact_size_max = 12'000;  ///< (levels x sources) x links up to which rounds are linear programs
};

/// One step of the filling: the largest fraction that all demands of a level which can still grow have in common, and
/// those that stop there.
struct FairRound {
  std::size_t level = 0;
  double fraction = 0.0;
  /// With all demands of higher levels at their admitted fractions and those that stopped earlier on this level at the
  /// fraction of their round, no plan gives every other demand of this level more than this:
  /// (utilization_max x sum of w x capacity - sum over the former of fraction x rate x cheapest allowed path under w)
  ///   / sum over the latter of rate x cheapest allowed path under w; 1 where that is more.
  double bound = 0.0;
  std::vector<double> duals;  ///< w by link, 1/(bit/s), >= 0
  std::size_t stopped = 0;    ///< demands
};

struct FairRoutes {
  static constexpr std::uint32_t kNoRound = 0xffffffff;

  PathPlan plan;                     ///< of every connected pair of every class: splits of what is admitted
  std::vector<double> admitted;      ///< by demand of the plan: fraction carried; 1 where there is no traffic
  std::vector<std::uint32_t> round;  ///< by demand of the plan: where it stopped; kNoRound without traffic
  std::vector<FairRound> rounds;
  std::vector<PriorityLevel> levels;
  double utilization = 0.0;  ///< largest load / capacity by what is admitted
  Certificate offered;       ///< of the same splits if everything were sent; the bound is that of any plan
  std::vector<BrokenRule> broken;
  std::vector<Demand> unrouted;
};

/// When demands exceed what fits: how much of each is carried, and how. Level by level of priority, each filled with
/// what those above left: within a level the fractions are max-min fair over all routings (none can be raised without
/// lowering one that is no larger), and among such plans total carried traffic needs no choice: max-min fair fractions
/// are unique.
///
/// Exact on small networks, where each round is a linear program over generated trees (Clp). On larger ones a round is
/// our own descent, demands that stopped keep their paths, and what rounds leave open is filled on the paths found;
/// every round's bound says how far from the best common fraction that may be.
/// Classes, rules and pins as in class_planner.h. Demands of classes with equal rules and one priority share a
/// fraction.
/// @error kShapeMismatch: the matrix is not of this topology
/// @error kInternal: Clp gave up
/// Threads: reentrant.  Cost: measured in tests/bench/class_planner_bench.cpp
/// Source: progressive filling with multipath routing: Nace and Pioro, "Max-min fairness and its applications to
///         routing and load-balancing in communication networks", IEEE Comm. Surveys 10 (2008), algorithm 3 (stop those
///         with positive duals).
[[nodiscard]] Result<FairRoutes> plan_fair_shares(const Topology& topology, const TrafficMatrix& traffic,
                                                  const PolicySet& policies, const FairShareOptions& options = {});

}  // namespace wan::controller
