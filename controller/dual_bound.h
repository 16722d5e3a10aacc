#pragma once

#include <span>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// What no plan's largest utilisation can be below: sum(demand x cheapest path) / sum(price x capacity).
///
/// @param price  by link, >= 0; any prices give a valid bound, an LP's duals the tight one
/// @return       0 when all prices are 0; demands between unconnected nodes do not count
/// Cost: a shortest-path tree a source. Source: weak duality of the multicommodity flow LP.
[[nodiscard]] double dual_bound(const Topology& topology, const TrafficMatrix& demand, std::span<const double> price);

/// Demands above zero whose ends no chain of links that are up connects, in order.
[[nodiscard]] std::vector<Demand> unconnected_demands(const Topology& topology, const TrafficMatrix& demand);

}  // namespace wan::controller
