#pragma once

#include <cstddef>
#include <vector>

#include "controller/plan_constraints.h"
#include "controller/policy.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/class_proof.h"

namespace wan::simulator {

/// What a plan's proof of classes really shows, worked out again.
struct ClassVerification {
  struct Level {
    double utilization = 0.0;
    double lower_bound = 0.0;
  };
  std::vector<Level> levels;                   ///< most important first
  double utilization = 0.0;                    ///< largest load / capacity
  std::vector<controller::BrokenRule> broken;  ///< demands with traffic on a path against their class's rule
};

/// Checks what a plan promises about classes, from the network, the traffic, the policies, the paths and the
/// prices alone. Shares with the planner the values and the readers of policies and plans: levels, rules, loads,
/// distances and constrained distances are worked out here again. `verify_plan` checks everything else.
///
/// It holds when
/// - pinned demands are on their pin while it is up, and every other demand keeps its class's latency bound and crosses
///   no link that the class avoids, unless no path does both, which makes it one of `broken`: then it takes one path of
///   least delay, without the links avoided where that is possible;
/// - the levels are those of the policies' priorities;
/// - each level's utilisation follows from the paths and is at most its limit, and its bound follows from the prices
///   and the limits of the levels above (how near limits are to bounds, the caller sees).
/// Numbers must agree within 1e-6 of themselves: limits are held by linear programs with tolerances of 1e-8.
///
/// @error kBadInput: the first thing that does not hold, as one sentence
/// Threads: reentrant.  Cost: a Dijkstra a source, level and distinct rule for each bound.
[[nodiscard]] Result<ClassVerification> verify_classes(const Topology& topology, const TrafficMatrix& traffic,
                                                       const controller::PolicySet& policies, const PathPlan& plan,
                                                       const ClassProof& proof);

}  // namespace wan::simulator
