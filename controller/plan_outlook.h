#pragma once

#include <span>
#include <vector>

#include "controller/priority_levels.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// How a plan does over scenarios: the largest link utilisation, and what links cannot carry.
struct PlanOutlook {
  double mean = 0.0;
  double p95 = 0.0;   ///< nearest rank
  double risk = 0.0;  ///< mean over the worst `tail` of the scenarios
  /// What exceeds the capacity of each link, summed over links, in units of all traffic; mean over the worst `tail`.
  double overflow = 0.0;
  /// By priority level but the last: the same by the traffic of this level and of those above, or the level's target
  /// where that is higher.
  std::vector<double> important{};
};

/// @param scenarios  of the topology's nodes, one shape; equally likely. None: all zero
/// @param tail       in (0, 1]; 1: `risk` is the mean
/// @param levels     most important first, of the scenarios' classes (those in none belong to the last); none: all
/// alike Cost: O(hops of all paths x scenarios), in vector code.
[[nodiscard]] PlanOutlook outlook_of_plan(const Topology& topology, const PathPlan& plan,
                                          std::span<const TrafficMatrix> scenarios, double tail,
                                          std::span<const PriorityLevel> levels = {});

/// Whether one plan is better than the other by more than a part: on the most important level on which they are not
/// much the same (3 %, or 0.005 of utilisation), else by `risk`.
[[nodiscard]] bool better_by(double part, const PlanOutlook& one, const PlanOutlook& other);

/// Whether one plan overloads links less, by a two-hundredth of all traffic, and is no worse than the other: where one
/// link is overloaded whatever is planned, the others still count.
[[nodiscard]] bool relieves(const PlanOutlook& one, const PlanOutlook& other);

}  // namespace wan::controller
