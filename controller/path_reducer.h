#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "controller/few_paths.h"
#include "controller/path_finder.h"
#include "controller/split_descent.h"
#include "controller/split_rows.h"
#include "core/path_plan.h"
#include "core/random.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// What a priority level's utilisation, by its own traffic and that of all levels above, is to come to.
struct LevelGoal {
  double target = 0.0;  ///< low enough: the work stops here
  double limit = 0.0;   ///< where levels below may leave it, or where it has come to if that is more
  /// By level above: how much lower the target is for each part of utilisation by which that level's limit has risen;
  /// no target is below `target_min`.
  std::vector<double> worth_of_limits{};
  double target_min = 0.0;
};

/// The demands of a plan, which of them are of which level, and which paths they may take.
struct PathReduction {
  const PathPlan& plan;
  const TrafficMatrix& demand;
  DemandGroups groups{};
  std::vector<LevelGoal> levels{};         ///< most important first, at least one
  std::vector<std::string> class_names{};  ///< for messages
};

/// The work behind `reduce_paths` and `reduce_class_paths`: takes paths away, then balances and exchanges what is left.
///
/// With several levels, all their columns are lowered together at first, each in units of its target. Where that does
/// not bring all of them there, they are taken in order: each is lowered alone, with the levels above where they are,
/// and then together with those, whose limits count as much as where the level stands. Only states in which every level
/// above is within its limit are kept.
///
/// Threads: one owner.  Memory: that of the plan a few times.
/// Cost: of a round, a shortest-path run a source and a group of demands, and some sweeps over all paths.
class PathReducer {
 public:
  /// All outlive the reducer.
  PathReducer(const Topology& topology, const PathReduction& what, const FewPathsOptions& options);

  /// @error kUnsupported: see fit_to_depth
  [[nodiscard]] Result<void> run();
  [[nodiscard]] PathPlan to_plan() const { return rows_.to_plan(); }
  [[nodiscard]] int rounds() const { return rounds_; }

 private:
  static constexpr std::size_t kTogether = std::numeric_limits<std::size_t>::max();

  void keep_few();
  void lower_in_order();
  [[nodiscard]] double target_of(std::size_t level) const;
  void lower(std::size_t level, double target);
  void aim();
  [[nodiscard]] double strain() const;
  [[nodiscard]] double height() const;
  void descend();
  void kick_on();
  bool kick(Rng& rng);
  struct Crossing {
    std::size_t row;
    std::size_t choice;
  };
  [[nodiscard]] std::vector<Crossing> crossing(std::uint32_t busiest) const;
  [[nodiscard]] std::vector<std::uint32_t> way_around(const SplitRows::Row& row, std::uint32_t busiest, Rng& rng);
  void drop_small_shares();
  [[nodiscard]] bool within_limits() const;

  /// The best state so far.
  bool keep_if_best();
  void back_to_best();

  const Topology& topology_;
  const PathReduction& what_;
  const FewPathsOptions& options_;
  SplitRows rows_;
  PathFinder finder_;
  SplitDescent descent_;
  std::vector<double> limit_;                         // by level
  std::size_t level_ = kTogether;                     // that is being lowered
  bool frozen_ = false;                               // the levels above stay as they are
  double target_;                                     // for the height
  std::vector<std::vector<SplitRows::Choice>> best_;  // by row
  double lowest_ = std::numeric_limits<double>::infinity();
  int rounds_ = 0;
};

}  // namespace wan::controller
