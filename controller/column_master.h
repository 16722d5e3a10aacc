#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wan::controller {

/// The best mixture of given trees when several columns of utilisations count: the restricted master problem of column
/// generation, solved by Clp.
///
/// minimise cost x G  such that  sum over trees (share x entry of row) <= bound + (G where the row is of the goal),
///                               shares of each block sum to bound + (G where the block is of the goal),
///                               0 <= G <= upper.
/// With cost 1 and rows of the goal, G is the largest utilisation; with cost -1 and blocks of the goal, the fraction
/// that all of these can have.
/// Trees are added between solves, each of which starts from the last basis.
/// Threads: one owner.  Source: Dantzig and Wolfe 1960.
class ColumnMaster {
 public:
  struct Entry {
    std::uint32_t row;
    double value;
  };
  struct Row {
    double bound = 0.0;
    bool of_goal = false;
  };

  struct Goal {
    double cost = 1.0;
    double upper = 1e300;
    double tolerance = 1e-9;  ///< by which rows and reduced costs may miss,
    bool scaled = true;       ///< in what Clp makes of them; otherwise as they are stated
    double start = 0.0;       ///< about where G will be, if the trees come with shares
  };

  ColumnMaster(std::span<const Row> rows, std::span<const Row> blocks, const Goal& goal);
  ~ColumnMaster();
  ColumnMaster(const ColumnMaster&) = delete;
  ColumnMaster& operator=(const ColumnMaster&) = delete;

  /// Trees keep the order in which they are added.
  /// @param share  a guess: the first solve starts from the basis that such shares come nearest to
  void add_tree(std::size_t block, std::span<const Entry> entries, double share = 0.0);
  /// False when Clp gave up; shares and duals are then not to be used.
  [[nodiscard]] bool solve();

  [[nodiscard]] double goal() const { return goal_; }                       ///< G
  [[nodiscard]] std::span<const double> shares() const { return shares_; }  ///< by tree
  [[nodiscard]] std::span<const double> duals() const { return duals_; }    ///< by row, >= 0
  /// By block: what its cheapest trees cost at the rows' duals, in units of the goal's cost.
  [[nodiscard]] std::span<const double> block_costs() const { return block_costs_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  double goal_ = 0.0;
  std::vector<double> shares_, duals_, block_costs_;
};

}  // namespace wan::controller
