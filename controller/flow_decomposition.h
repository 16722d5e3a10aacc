#pragma once

#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// Takes flows by source and link apart into weighted paths for every demand.
///
/// @param demand  one class; what the flows carry
/// @param flow    [source][link] in bits per second, >= 0; each source's flow delivers its demands (within rounding);
///                circles in it are ignored
/// @return        a plan for every connected pair of each class; pairs without demand take the least-delay path
/// Cost: O(links) a path found, at most links + nodes paths a source.
/// Source: flow decomposition theorem (Ahuja, Magnanti, Orlin, "Network Flows", section 3.5).
[[nodiscard]] PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                                       const std::vector<std::vector<double>>& flow, std::size_t class_count);

}  // namespace wan::controller
