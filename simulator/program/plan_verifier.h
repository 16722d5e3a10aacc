#pragma once

#include <cstddef>

#include "core/io/plan_file.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

/// What a verified plan really achieves, recomputed.
struct Verification {
  double utilization = 0.0;  ///< largest load / capacity
  double lower_bound = 0.0;  ///< no plan can stay below it
  double gap = 0.0;          ///< (utilization - lower_bound) / lower_bound; infinite with traffic but no bound
  std::size_t demands = 0;   ///< that the plan routes
  std::size_t paths = 0;
  std::size_t unrouted = 0;       ///< demands above zero whose ends are not connected
  std::size_t paths_most = 0;     ///< of one demand
  std::size_t segments_most = 0;  ///< of one path; 0 without segment lists
};

/// Checks a plan and its proof from the network, the traffic, the paths and the prices alone.
///
/// Shares with the planner nothing but the values and the readers: loads, distances and connectivity are worked out
/// here again, so that a fault in the planner's arithmetic cannot vouch for itself.
///
/// The plan holds when it was made for this network; every demand above zero is split, in fractions that sum to 1
/// within 1e-9, over loop-free chains of links that are up, or is listed as unrouted and has no way at all; the list
/// names nothing else; and the claimed utilisation and bound are, within 1e-9 of themselves, those that follow from the
/// paths and the prices:
///
///     utilization = max over links of load / capacity
///     lower_bound = sum over routed demands of (demand * cheapest path) / sum over links of (price * capacity)
///
/// Where it promises at most so many paths a demand or segments a path, it keeps that; where it has segment lists, each
/// leads along exactly the links of its path under the IGP's weights, by ways that are the only cheapest ones.
///
/// Links that are down count nowhere, whatever their price. Demands of zero may be routed and are checked the same.
///
/// @error kShapeMismatch: the plan or the traffic is of another network
/// @error kBadInput: the first check that fails, as one sentence; for a wrong number, what is claimed and what is found
/// Threads: reentrant.  Cost: O(hops of all paths) and one Dijkstra for each node that sends: 5 ms on Cogentco.
/// Source: weak duality of maximum concurrent flow, Shahrokhi and Matula, Journal of the ACM 1990.
[[nodiscard]] Result<Verification> verify_plan(const Topology& topology, const TrafficMatrix& traffic,
                                               const io::PlanFile& claimed);

}  // namespace wan::simulator
