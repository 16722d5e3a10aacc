#pragma once

#include <span>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/trajectories.h"

namespace wan::controller {

/// By link: how likely its utilisation is above a threshold in at least one of the next intervals, if the plan stays.
///
/// The part of the trajectories whose highest utilisation is above it, each counted softly by a normal kernel (width by
/// Silverman's rule): a couple of hundred trajectories then tell one in a thousand from one in a million.
/// @param trajectories  equally likely, at least one, all of the topology's nodes
/// @param threshold     by link, utilisation
/// @return              by link, in [0, 1]; 0 for a link that is down
/// Cost: O(hops of all paths x matrices).
/// Source: Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 3.4.2.
[[nodiscard]] std::vector<double> congestion_probability(const Topology& topology, const PathPlan& plan,
                                                         std::span<const models::Trajectory> trajectories,
                                                         std::span<const double> threshold);

/// By link: the utilisation that `share` of the matrices do not exceed under the plan (nearest rank); 0 for a link that
/// is down.
/// @param matrices  at least one
/// @param share     in (0, 1]
[[nodiscard]] std::vector<double> utilization_quantile(const Topology& topology, const PathPlan& plan,
                                                       std::span<const TrafficMatrix> matrices, double share);

}  // namespace wan::controller
