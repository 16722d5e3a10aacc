#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "controller/batch_tree_search.h"
#include "controller/flow_network.h"
#include "controller/path_simplex.h"
#include "controller/source_blocks.h"

namespace wan::controller {

/// Column generation over paths: the optimum over the paths held (path_simplex.h) and, under its prices, the shortest
/// paths, which prove how good that is and are the next paths to hold, until the gap is reached. Paths and basis stay
/// for the next matrix, which then often needs no new path and a handful of pivots.
///
/// For small networks: pivots grow with how many links are full at the optimum, and each costs links x paths.
/// Threads: one owner.  Cost: the flows of Abilene's next five minutes to 0.1 % in 8 us (median), GEANT's in 20; with
/// all that a plan takes beside them see docs/performance.md Source: Ford and Fulkerson, "A Suggested Computation for
/// Maximal Multi-Commodity Network Flows", 1958.
class PathColumns {
 public:
  /// @param sources  outlives this and keeps its senders; its search orders change
  /// @param prices   by bundle: demands start on the shortest paths under them
  PathColumns(const FlowNetwork& net, SourceBlocks& sources, std::span<const double> prices);

  enum class Outcome : std::uint8_t {
    kReached,
    kOutOfBudget,  ///< the next `solve` goes on from here
    kBroken,       ///< rounding stood in the way: begin anew
  };
  struct Budget {
    std::size_t pivots;  ///< of the simplex method
    int searches;        ///< for trees of all sources
  };
  /// @param demands  [block][node][lane], bits per second, zero where there is no way
  /// @param gap      of utilisation and bound, above 0
  [[nodiscard]] Outcome solve(std::vector<double>& demands, double gap, const Budget& budget);

  // What the last `solve` came to.
  [[nodiscard]] double bound() const { return bound_; }  ///< on the utilisation of any flows; 0 if it found none
  [[nodiscard]] std::span<const double> bound_prices() const { return bound_prices_; }  ///< by bundle
  [[nodiscard]] int searches() const { return searches_; }
  /// Calls `put(slot, bundles, bps)` for every path that carries something; after kReached.
  template <typename Put>
  void for_each_flow(const Put& put) const {
    simplex_.for_each_flow([&](std::size_t pair, std::span<const std::uint32_t> path, double bps) {
      put(pair / net_->node_count(), path, bps);
    });
  }

 private:
  struct Candidate {
    double saving;  // of the utilisation
    std::size_t pair;
    std::size_t first, count;  // in candidate_links_
  };

  /// Calls `use(slot, node, path)` for every node that the trees under `prices` reach; the path from its end.
  template <typename Use>
  void for_each_path(std::size_t block, const Use& use);
  void search(std::size_t block, std::span<const double> prices);
  void find_candidates(std::vector<double>& demands, double gap);
  void hold_best();

  const FlowNetwork* net_;
  SourceBlocks* sources_;
  BatchTreeSearch tree_search_;
  PathSimplex simplex_;       // its links are bundles, its demands pairs: [slot][node]
  std::vector<double> pair_;  // bits per second
  std::vector<double> prices_;
  double bound_ = 0.0;
  std::vector<double> bound_prices_;
  int searches_ = 0;
  std::vector<std::uint32_t> path_;
  std::vector<Candidate> candidates_;
  std::vector<std::uint32_t> candidate_links_;
};

}  // namespace wan::controller
