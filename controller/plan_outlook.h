#pragma once

#include <span>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// How a plan does over scenarios: the largest link utilisation.
struct PlanOutlook {
  double mean = 0.0;
  double p95 = 0.0;   ///< nearest rank
  double risk = 0.0;  ///< mean over the worst `tail` of the scenarios: what plans are compared by
};

/// @param scenarios  of the topology's nodes, one shape; equally likely. None: all zero
/// @param tail       in (0, 1]; 1: `risk` is the mean
/// Cost: O(hops of all paths x scenarios), in vector code.
[[nodiscard]] PlanOutlook outlook_of_plan(const Topology& topology, const PathPlan& plan,
                                          std::span<const TrafficMatrix> scenarios, double tail);

}  // namespace wan::controller
