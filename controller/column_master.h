#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wan::controller {

/// The best mixture of given trees when several columns of utilisations count: the restricted master problem of column
/// generation, solved by Clp.
///
/// minimise U  such that  sum over trees (share x entry of row) <= bound + (U where the row belongs to the goal),
///                        shares of each block sum to 1.
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

  ColumnMaster(std::span<const Row> rows, std::size_t block_count);
  ~ColumnMaster();
  ColumnMaster(const ColumnMaster&) = delete;
  ColumnMaster& operator=(const ColumnMaster&) = delete;

  /// Trees keep the order in which they are added.
  void add_tree(std::size_t block, std::span<const Entry> entries);
  /// False when Clp gave up; shares and duals are then not to be used.
  [[nodiscard]] bool solve();

  [[nodiscard]] std::span<const double> shares() const { return shares_; }  ///< by tree
  [[nodiscard]] std::span<const double> duals() const { return duals_; }    ///< by row, >= 0; the goal's sum to 1

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<double> shares_, duals_;
};

}  // namespace wan::controller
