#pragma once

#include <vector>

#include "controller/failure_set.h"
#include "core/io/plan_file.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

/// Everything that is said about one failure, to be doubted.
struct FailureClaim {
  controller::Failure failure;
  io::PlanFile replanned;  ///< plan, certificate and lost demands of the network that is left
  PathPlan backups;        ///< new splits of the base plan's demands that crossed what failed
  double protected_utilization = 0.0;
  PathPlan rescaled;
  double rescaled_utilization = 0.0;
  std::vector<Demand> lost;  ///< demands above zero that what failed has cut off, in order
};

/// Checks one failure's claims from the network, the traffic and the base plan alone.
///
/// Shares with planners nothing but values: links, ways, loads and bounds are worked out here again. The claims hold
/// when
/// - the failure is what its kind says: a link's two directions (or one without other), all links of a node, all of a
///   group, and was up before;
/// - the new plan and its certificate pass `verify_plan` on the network that is left;
/// - exactly the demands of the base plan that crossed a failed link and still have a way have a backup split, which
///   sums to 1 within 1e-9 over loop-free chains of links that are up;
/// - the utilisations with the backups, and with the rescaled plan, are those that follow from the paths;
/// - the lost demands are exactly the demands above zero whose ends nothing connects.
///
/// @param base  verified already; of the network before the failure
/// @error kBadInput: "failure NAME: " and the first check that fails
/// Threads: reentrant.  Cost: three times the hops of all paths, a Dijkstra a source.
[[nodiscard]] Result<void> verify_failure(const Topology& topology, const TrafficMatrix& traffic, const PathPlan& base,
                                          const FailureClaim& claim);

}  // namespace wan::simulator
