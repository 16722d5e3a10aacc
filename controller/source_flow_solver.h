#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct SourceFlowOptions {
  double gap = 0.01;        ///< stop once (utilisation - bound) / bound is at most this
  bool least_delay = true;  ///< spend what is left of the gap (at most 0.5 %) on shorter paths
};

/// Minimises the largest link utilisation over all paths, with a lower bound that proves how close it came.
///
/// Holds what every source puts on every link. Sources go on their shortest path trees first, each seeing what those
/// before it filled; then sweeps find each source's cheapest tree under prices e^(sharpness x utilisation) / capacity
/// and, at every node that the source enters otherwise than by its tree, trade traffic between the two ways until they
/// weigh the same (segment_shift.h). After a sweep the prices give the dual bound sum(demand x distance) /
/// sum(price x capacity); the sharpness follows the gap. Sweeps that get nowhere trade for longer between the ways they
/// found; on small networks a linear program over paths (path_columns.h) finishes what they do not balance. A second
/// phase holds the utilisation near what the gap allows and balances delay against prices that rise where that is
/// reached.
///
/// The object keeps its flows: a further matrix starts from the splits of the last one, and on a small network, where
/// delay does not matter, from the last optimum's paths and basis.
/// Threads: one owner; starts `threads - 1` of its own, which change the time, never the result.
/// Memory: sources x (links + nodes) numbers, 15 MB for 754 nodes, 150 MB for 1,739; flows twice for shorter paths.
/// Cost: 2 to 25 sweeps, where all links fill at once a hundred or more; a sweep is a shortest-path tree and some
///       shifts a source (tests/bench/plan_paths_bench.cpp).
/// Source: prices and bound: Garg and Koenemann, SIAM J. Comput. 2007; Bienstock, "Potential Function Methods for
///         Approximately Solving Linear Programs", 2002. Shifts: Bar-Gera, Transportation Research B 2010; Dial, same,
///         2006. Paths: Dantzig and Wolfe 1960. The combination, with trees of eight sources in one register, is ours.
class SourceFlowSolver {
 public:
  explicit SourceFlowSolver(const Topology& topology, int threads = 1);
  /// The first `solve` starts from the flows of `before`, as far as their links are still up.
  /// @param topology  the same nodes and links as those of `before`; other links may be up
  SourceFlowSolver(const Topology& topology, const SourceFlowSolver& before, int threads = 1);
  ~SourceFlowSolver();
  SourceFlowSolver(SourceFlowSolver&&) noexcept;
  SourceFlowSolver& operator=(SourceFlowSolver&&) noexcept;

  /// @param demand  one class, of this topology; entries without a way are ignored (the planner names them)
  void solve(const TrafficMatrix& demand, const SourceFlowOptions& options);

  // What the last `solve` came to.
  [[nodiscard]] double utilization() const;
  [[nodiscard]] double lower_bound() const;
  /// By link: the prices of the lower bound.
  [[nodiscard]] std::vector<double> duals() const;
  [[nodiscard]] int sweeps() const;
  /// What one source puts on every link, bits per second; false, and zeros, when it has no demand.
  bool flow_of(NodeId source, std::span<double> by_link) const;

  [[nodiscard]] bool connected(NodeId from, NodeId to) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
