#pragma once

#include <cstdint>
#include <vector>

#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct SourceTreeOptions {
  double gap = 0.01;        ///< stop once (utilisation - bound) / bound is at most this
  int threads = 1;          ///< changes the time, never the result
  int sweeps_max = 120;     ///< a sweep re-routes every source once; where no master problem finishes, the last resort
  bool least_delay = true;  ///< spend what is left of the gap on shorter paths
};

/// All traffic of one source, as a mixture of shortest-path trees: `share[k]` of every demand follows tree k.
struct SourceRouting {
  NodeId source;
  std::vector<double> share;                      ///< sums to 1
  std::vector<std::vector<std::uint32_t>> trees;  ///< by tree, by node: the link that enters the node, or kNoLink
};

struct SourceTreeSolution {
  std::vector<SourceRouting> sources;  ///< those with demand, in order
  std::vector<double> duals;           ///< by link: the prices of the best lower bound
  double utilization = 0.0;
  double lower_bound = 0.0;
  int sweeps = 0;
};

/// Minimises the largest link utilisation over all paths, with a lower bound that proves how close it came.
///
/// Block Gauss-Seidel Frank-Wolfe: each source in turn moves traffic to the tree that is cheapest under prices
/// exp(eta * utilisation) / capacity, by exact line search on the soft maximum; averaged prices give the dual bound
/// sum(demand x distance) / sum(price x capacity). A second phase keeps the utilisation within the gap and moves
/// traffic to shorter paths, with the capacities as exponential penalties.
///
/// @param demand  one class; entries without a way are ignored (the planner names them)
/// Threads: reentrant; starts `threads - 1` of its own.  Memory: sources x (links + trees x nodes) numbers.
/// Cost: about 10 to 40 sweeps of (sources x L log N); see tests/bench/plan_paths_bench.cpp
/// Source: Frank and Wolfe 1956; Garg and Koenemann, SIAM J. Comput. 2007 (exponential prices, dual bound);
///         Bienstock, "Potential Function Methods for Approximately Solving Linear Programs", 2002.
///         Departs from them by mixing trees instead of paths, so that a source costs one shortest-path run.
[[nodiscard]] SourceTreeSolution solve_source_trees(const Topology& topology, const TrafficMatrix& demand,
                                                    const SourceTreeOptions& options);

}  // namespace wan::controller
