#pragma once

#include <span>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan {

/// Bits per second offered to each link when `demand` follows `plan` and nothing is dropped.
///
/// Demands that the plan does not route load no link. Shapes: result by link. Cost: O(hops of all paths).
[[nodiscard]] std::vector<double> link_loads_bps(const Topology& topology, const PathPlan& plan,
                                                 const TrafficMatrix& demand);

/// The largest load / capacity over links that are up; 0 for a network without links.
[[nodiscard]] double max_utilization(const Topology& topology, std::span<const double> loads_bps);

/// Convenience: `max_utilization` of `link_loads_bps`.
[[nodiscard]] double max_utilization(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand);

}  // namespace wan
