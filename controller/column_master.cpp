#include "controller/column_master.h"

#include <algorithm>
#include <coin/ClpSimplex.hpp>
#include <coin/CoinPackedMatrix.hpp>

namespace wan::controller {

/// Column 0 is U; rows are those of utilisations, then blocks.
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
  void flush() {
    const std::vector<double> lower(objective.size(), 0.0);
    const std::vector<double> upper(objective.size(), COIN_DBL_MAX);
    lp.addColumns(static_cast<int>(objective.size()), lower.data(), upper.data(), objective.data(), start.data(),
                  rows.data(), values.data());
    start.assign(1, 0);
    rows.clear();
    values.clear();
    objective.clear();
  }
};

ColumnMaster::ColumnMaster(std::span<const Row> rows, std::size_t block_count)
    : impl_{std::make_unique<Impl>()}, duals_(rows.size(), 0.0) {
  impl_->row_count = rows.size();
  ClpSimplex& lp = impl_->lp;
  lp.setLogLevel(0);
  lp.setPrimalTolerance(1e-9);
  lp.setDualTolerance(1e-9);
  lp.resize(static_cast<int>(rows.size() + block_count), 0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    lp.setRowBounds(static_cast<int>(r), -COIN_DBL_MAX, rows[r].bound);
    if (!rows[r].of_goal) continue;
    impl_->rows.push_back(static_cast<int>(r));
    impl_->values.push_back(-1.0);
  }
  for (std::size_t b = 0; b < block_count; ++b) lp.setRowBounds(static_cast<int>(rows.size() + b), 1.0, 1.0);
  impl_->end_column(1.0);
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
  if (!impl_->objective.empty()) impl_->flush();
  if (impl_->solved_before) {
    lp.primal(0, 1);  // new columns leave the last basis feasible
  } else {
    lp.dual();
  }
  impl_->solved_before = true;
  if (lp.status() != 0) return false;
  const double* column = lp.primalColumnSolution();
  shares_.assign(column + 1, column + lp.numberColumns());
  for (double& share : shares_) share = std::max(share, 0.0);
  const double* row_price = lp.dualRowSolution();
  for (std::size_t r = 0; r < duals_.size(); ++r) duals_[r] = std::max(0.0, -row_price[r]);
  return true;
}

}  // namespace wan::controller
