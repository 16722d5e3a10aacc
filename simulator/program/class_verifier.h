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
  std::vector<Level> levels;   ///< of a lexicographic plan, most important first
  double fair_within = 0.0;    ///< of a fair plan: no demand can have more than it has and this, or a negligible rate
  double utilization = 0.0;    ///< largest load / capacity by what is admitted
  double carried_share = 1.0;  ///< of all offered traffic that is routed
  double carried_share_more = 0.0;             ///< what that could rise by at most with nobody getting less
  std::size_t shed = 0;                        ///< demands admitted in part or not at all
  std::vector<controller::BrokenRule> broken;  ///< demands with traffic on a path against their class's rule
};

/// Checks what a plan promises about classes, from the network, the traffic, the policies, the paths, the fractions and
/// the prices alone. Shares with the planner the values and the readers of policies and plans: levels, rules, loads,
/// distances and constrained distances are worked out here again. `verify_plan` checks everything else.
///
/// It holds when
/// - pinned demands are on their pin while it is up, and every other demand keeps its class's latency bound and crosses
///   no link that the class avoids, unless no path does both, which makes it one of `broken`: then it takes one path of
///   least delay, without the links avoided where that is possible;
/// - the levels are those of the policies' priorities;
/// - lexicographic: each level's utilisation follows from the paths and is at most its limit, and its bound follows
///   from the prices and the limits of the levels above (how near limits are to bounds, the caller sees);
/// - fair: no link carries more than it may, by a part of 1e-9; every demand that is carried in part has its round's
///   fraction, which is no smaller than those of the rounds before; and by its round's prices none could have more by
///   more than the plan admits, with all of higher levels and those that stopped before it at their fractions and all
///   others of its level at no less than its own (how much that is, the caller sees). A rate of 1e-9 of all links' room
///   counts as nothing.
/// Other numbers must agree within 1e-6 of themselves: limits are held by linear programs with tolerances of 1e-8.
///
/// @error kBadInput: the first thing that does not hold, as one sentence
/// Threads: reentrant.  Cost: a Dijkstra a source, level and distinct rule for each bound.
[[nodiscard]] Result<ClassVerification> verify_classes(const Topology& topology, const TrafficMatrix& traffic,
                                                       const controller::PolicySet& policies, const PathPlan& plan,
                                                       const ClassProof& proof);

}  // namespace wan::simulator
