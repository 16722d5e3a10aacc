#include "controller/column_master.h"

#include <algorithm>
#include <coin/ClpSimplex.hpp>
#include <coin/CoinPackedMatrix.hpp>

namespace wan::controller {

/// Column 0 is G; rows are those of utilisations, then blocks.
struct ColumnMaster::Impl {
  std::size_t row_count;
  ClpSimplex lp;
  bool solved_before = false;

  // Trees not yet in the model, in Clp's compressed form.
  std::vector<CoinBigIndex> start{0};
  std::vector<int> rows;
  std::vector<double> values;
  std::vector<double> objective;

  void end_column(double cost) {
    start.push_back(static_cast<CoinBigIndex>(rows.size()));
    objective.push_back(cost);
  }
  void flush(double upper_max) {
    const std::vector<double> lower(objective.size(), 0.0);
    const std::vector<double> upper(objective.size(), upper_max);
    lp.addColumns(static_cast<int>(objective.size()), lower.data(), upper.data(), objective.data(), start.data(),
                  rows.data(), values.data());
    start.assign(1, 0);
    rows.clear();
    values.clear();
    objective.clear();
  }
};

ColumnMaster::ColumnMaster(std::span<const Row> rows, std::span<const Row> blocks, const Goal& goal)
    : impl_{std::make_unique<Impl>()}, duals_(rows.size(), 0.0) {
  impl_->row_count = rows.size();
  ClpSimplex& lp = impl_->lp;
  lp.setLogLevel(0);
  lp.setPrimalTolerance(1e-9);
  lp.setDualTolerance(1e-9);
  lp.resize(static_cast<int>(rows.size() + blocks.size()), 0);
  const auto set_row = [&](std::size_t number, const Row& row, double lower) {
    lp.setRowBounds(static_cast<int>(number), lower, row.bound);
    if (!row.of_goal) return;
    impl_->rows.push_back(static_cast<int>(number));
    impl_->values.push_back(-1.0);
  };
  for (std::size_t r = 0; r < rows.size(); ++r) set_row(r, rows[r], -COIN_DBL_MAX);
  for (std::size_t b = 0; b < blocks.size(); ++b) set_row(rows.size() + b, blocks[b], blocks[b].bound);
  impl_->end_column(goal.cost);
  impl_->flush(goal.upper);
}

ColumnMaster::~ColumnMaster() = default;

void ColumnMaster::add_tree(std::size_t block, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    impl_->rows.push_back(static_cast<int>(entry.row));
    impl_->values.push_back(entry.value);
  }
  impl_->rows.push_back(static_cast<int>(impl_->row_count + block));
  impl_->values.push_back(1.0);
  impl_->end_column(0.0);
}

bool ColumnMaster::solve() {
  ClpSimplex& lp = impl_->lp;
  if (!impl_->objective.empty()) impl_->flush(COIN_DBL_MAX);
  if (impl_->solved_before) {
    lp.primal(0, 1);  // new columns leave the last basis feasible
  } else {
    lp.dual();
  }
  impl_->solved_before = true;
  if (lp.status() != 0) return false;
  const double* column = lp.primalColumnSolution();
  goal_ = column[0];
  shares_.assign(column + 1, column + lp.numberColumns());
  for (double& share : shares_) share = std::max(share, 0.0);
  const double* row_price = lp.dualRowSolution();
  for (std::size_t r = 0; r < duals_.size(); ++r) duals_[r] = std::max(0.0, -row_price[r]);
  return true;
}

}  // namespace wan::controller
