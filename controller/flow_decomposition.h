#pragma once

#include <functional>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct DecompositionOptions {
  std::size_t class_count = 1;  ///< each class gets the same splits
  double fraction_min = 0.0;    ///< smaller shares of a demand are left to its other paths
  int threads = 1;              ///< changes the time, never the plan
};

/// What a source puts on each link, bits per second, >= 0; false when it sends nothing. Called from several threads.
using FlowOfSource = std::function<bool(NodeId source, std::span<double> by_link)>;

/// Takes flows by source and link apart into weighted paths for every demand.
///
/// @param demand   one class; what the flows carry
/// @param flow_of  each source's flow delivers its demands (within rounding); circles in it are ignored
/// @return         a plan for every connected pair of each class; pairs without demand take the least-delay path
/// Cost: O(hops) a path found, at most links + nodes paths a source. Memory: twice the plan.
/// Source: flow decomposition theorem (Ahuja, Magnanti, Orlin, "Network Flows", section 3.5).
[[nodiscard]] PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                                       const FlowOfSource& flow_of, const DecompositionOptions& options = {});

/// The same for flows that are all at hand: [source][link].
[[nodiscard]] PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                                       const std::vector<std::vector<double>>& flow, std::size_t class_count);

}  // namespace wan::controller
