#pragma once

#include <span>
#include <vector>

#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::test {

/// Every chain of links that are up from one node to another and meets no node twice. For networks of a few nodes.
[[nodiscard]] std::vector<std::vector<LinkId>> simple_paths(const Topology& topology, NodeId from, NodeId to);

/// Traffic that may take some paths, whole or split.
struct Commodity {
  std::vector<std::vector<LinkId>> paths;
  std::vector<double> rate_bps;  ///< by scenario
};

/// Least possible mean over scenarios of the largest utilisation, with one split a commodity for all; with a tail below
/// 1, the mean over the worst such part of them. Throws where Clp does not reach optimality.
[[nodiscard]] double best_mean_utilization(const Topology& topology, std::span<const Commodity> commodities,
                                           std::size_t scenario_count, double tail = 1.0);

/// Linear programs over every simple path of every demand, written down apart from the controller's own: what its
/// answers are held to. Networks of up to 6 nodes; one class. Throws where Clp does not reach optimality.
class PathLp {
 public:
  explicit PathLp(const Topology& topology);

  /// Least possible largest utilisation.
  [[nodiscard]] double best_utilization(const TrafficMatrix& demand) const;
  /// Least possible mean over the matrices, or the worst `tail` of them, of the largest utilisation, with one split for
  /// all.
  [[nodiscard]] double best_mean_utilization(std::span<const TrafficMatrix> scenarios, double tail = 1.0) const;
  /// Least possible sum of demand x delay (bit/s x seconds) with no link above `utilization`.
  [[nodiscard]] double least_delay_cost(const TrafficMatrix& demand, double utilization) const;

 private:
  Topology topology_;
  std::vector<std::vector<std::vector<LinkId>>> paths_;  // by pair, source x nodes + destination
};

}  // namespace wan::test
