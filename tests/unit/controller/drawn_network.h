#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/path_plan.h"
#include "core/random.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::test {

/// One direction of a link to build a network from, in the units that the tests reason in.
struct Line {
  std::size_t from = 0;
  std::size_t to = 0;
  double capacity_bps = 1e9;
  double delay_ms = 1.0;
};

/// Nodes are named n0, n1, ...; links by their number; IGP weights are 1.
[[nodiscard]] Topology lines_network(std::size_t node_count, const std::vector<Line>& lines);

/// How a random network is drawn.
struct DrawnShape {
  std::size_t nodes = 6;
  std::size_t two_way_links = 8;
  double capacity_decades = 3.0;  ///< capacities are spread evenly in the logarithm over so many powers of ten
  double capacity_bps_least = 1e7;
  double parallel_chance = 0.2;  ///< that a link is drawn beside an existing one
  bool connected = true;         ///< starts from a random tree; otherwise parts may be cut off
};

/// Both directions of a link have the same delay and their own capacities.
[[nodiscard]] Topology drawn_network(Rng& rng, const DrawnShape& shape);

/// A demand for each pair with the given chance, exponentially distributed around the mean.
[[nodiscard]] TrafficMatrix drawn_demand(Rng& rng, std::size_t node_count, double chance, double mean_bps);

/// The worst |sum - 1| over all demands of a plan.
[[nodiscard]] double worst_split_error(const PathPlan& plan);

/// Whether the plan has every connected pair of every class, and no other.
[[nodiscard]] bool covers_connected_pairs(const Topology& topology, const PathPlan& plan, std::size_t class_count = 1);

/// Every connected pair on its path of least delay: a plan that needs no solver.
[[nodiscard]] PathPlan least_delay_plan(const Topology& topology, std::size_t class_count = 1);

/// Demand x delay of the paths that it takes, summed: bit/s x seconds.
[[nodiscard]] double delay_cost(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand);

}  // namespace wan::test
