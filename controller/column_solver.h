#pragma once

#include <cstddef>
#include <vector>

#include "controller/block_routing.h"
#include "controller/column_kernel.h"
#include "controller/column_master.h"

namespace wan::controller {

/// Which column of a routing is to be lowered, and what must hold meanwhile.
struct ColumnGoal {
  std::size_t column = 0;
  std::vector<double> limit{};  ///< largest utilisation of each column before `column`; holds when the work begins
  double good_enough = 0.0;     ///< the column need not go below this utilisation
  double gap = 0.01;            ///< (utilisation - bound) / bound wanted
};

/// No routing that keeps the columns before within their limits has a lower utilisation in the goal's column.
///
/// For any prices w >= 0: (sum over blocks of rate x cheapest path under w[block.column] + ... + w[column]
///   - sum over columns j before of limit[j] x sum over links of w[j] x capacity)
///   / sum over links of w[column] x capacity.
struct ColumnBound {
  double value = 0.0;
  std::vector<std::vector<double>> duals;  ///< [column up to the goal's][link], in 1/(bit/s)
};

/// Lowers one utilisation column after the other of a routing.
///
/// Block-wise descent on the soft maximum of all columns, each in units of its limit, the present one in units of where
/// it stands: each block in turn moves traffic from its dearest tree to the cheapest one, by line search. Where that
/// leaves a gap and the problem is small, the restricted master problem over the trees found finishes (Clp).
/// Threads: one owner.  Source: Frank and Wolfe 1956; lexicographic objectives by bounds on those before, as in
///         Isermann, "Linear lexicographic optimization", OR Spektrum 4 (1982).
class ColumnSolver {
 public:
  explicit ColumnSolver(BlockRouting& routing);  // outlives this

  /// Routes what has no tree yet, then works on all blocks of the goal's column and of those before.
  [[nodiscard]] ColumnBound minimize(const ColumnGoal& goal);
  /// Shorter paths, as far as no column passes its limit.
  void shorten(const std::vector<double>& limit);

  /// The largest utilisation of a column now.
  [[nodiscard]] double utilization(std::size_t column) const { return columns_.highest(column); }
  [[nodiscard]] int sweeps() const { return sweeps_; }
  /// To be called after the routing's rates have changed.
  void add_up() { routing_.add_up(columns_.utilization); }

 private:
  enum class Move {
    kFromAll,       ///< from all of a block's trees to the cheapest one; lowers the soft maximum
    kFromDearest,   ///< from the dearest one
    kWithinLimits,  ///< from the dearest one; lowers delay, with the limits as barriers
  };

  void place_unrouted(const ColumnGoal& goal);
  void sweep(std::size_t last_column, Move move);
  void improve(TrafficBlock& block, BlockTree&& tree, Move move);
  void price_block(std::size_t column, std::size_t last_column);
  void add_change(const BlockTree& tree, double amount);
  void apply(const TrafficBlock& block, double step);
  void aim(const ColumnGoal& goal);
  [[nodiscard]] double strain(const ColumnGoal& goal) const;
  [[nodiscard]] std::vector<BlockTree> offer_bound(const ColumnGoal& goal,
                                                   const std::vector<std::vector<double>>& prices, ColumnBound& best);
  void finish_by_master(const ColumnGoal& goal, ColumnBound& bound);
  [[nodiscard]] std::vector<double> master_scales(const ColumnGoal& goal, double unit) const;
  [[nodiscard]] std::vector<ColumnMaster::Row> master_rows(const ColumnGoal& goal) const;
  void merge_flows(const BlockTree& tree);
  [[nodiscard]] double gap_of(const ColumnGoal& goal, const ColumnBound& bound) const;
  [[nodiscard]] double delay_cost(const BlockTree& tree) const;
  [[nodiscard]] double total_delay() const;
  [[nodiscard]] std::vector<std::vector<BlockTree>> trees() const;  // by block
  void keep_within(const std::vector<double>& limit, const std::vector<std::vector<double>>& utilization_before,
                   const std::vector<std::vector<BlockTree>>& trees_before);

  BlockRouting& routing_;
  UtilizationColumns columns_;
  std::vector<std::vector<double>> gradient_;  // [column][link]
  std::vector<double> price_;                  // by link, of the present block
  std::vector<double> change_;                 // by link
  std::vector<std::uint32_t> changed_;         // links in change_
  double delay_weight_ = 0.0;
  double delay_unit_ = 1.0;
  int sweeps_ = 0;
};

}  // namespace wan::controller
