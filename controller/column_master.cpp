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
  std::vector<double> guess;  // by column, until the first solve

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
  [[nodiscard]] bool guessed() const {
    return std::any_of(guess.begin() + 1, guess.end(), [](double share) { return share > 0.0; });
  }
  void start_from_guess();
};

/// A basis near the guess: columns that have something, and the slacks of rows that are not tight. Where that is not
/// one basic variable a row, the smallest columns go out, or slacks of tight rows come in.
void ColumnMaster::Impl::start_from_guess() {
  constexpr double kTight = 1e-7;
  lp.createStatus();
  const auto row_total = static_cast<std::size_t>(lp.numberRows());
  std::vector<double> activity(row_total, 0.0);
  const CoinPackedMatrix& matrix = *lp.matrix();
  std::vector<std::size_t> basic;
  for (std::size_t c = 0; c < guess.size(); ++c) {
    lp.setColumnStatus(static_cast<int>(c), ClpSimplex::atLowerBound);
    if (guess[c] <= 0.0) continue;
    basic.push_back(c);
    const CoinBigIndex end = matrix.getVectorStarts()[c] + matrix.getVectorLengths()[c];
    for (CoinBigIndex e = matrix.getVectorStarts()[c]; e < end; ++e) {
      activity[static_cast<std::size_t>(matrix.getIndices()[e])] += matrix.getElements()[e] * guess[c];
    }
  }
  std::size_t nonbasic_rows = 0;
  std::vector<std::size_t> tight;
  for (std::size_t r = 0; r < row_total; ++r) {
    const bool equality = lp.rowLower()[r] == lp.rowUpper()[r];
    const bool is_tight = equality || activity[r] >= lp.rowUpper()[r] - kTight;
    if (is_tight && !equality) tight.push_back(r);
    nonbasic_rows += is_tight;
    lp.setRowStatus(static_cast<int>(r), is_tight ? ClpSimplex::atUpperBound : ClpSimplex::basic);
  }
  std::stable_sort(basic.begin(), basic.end(), [&](std::size_t a, std::size_t b) { return guess[a] > guess[b]; });
  basic.resize(std::min(basic.size(), nonbasic_rows));
  for (const std::size_t c : basic) lp.setColumnStatus(static_cast<int>(c), ClpSimplex::basic);
  for (std::size_t i = 0; i < tight.size() && basic.size() + i < nonbasic_rows; ++i) {
    lp.setRowStatus(static_cast<int>(tight[i]), ClpSimplex::basic);
  }
}

ColumnMaster::ColumnMaster(std::span<const Row> rows, std::span<const Row> blocks, const Goal& goal)
    : impl_{std::make_unique<Impl>()}, duals_(rows.size(), 0.0), block_costs_(blocks.size(), 0.0) {
  impl_->row_count = rows.size();
  ClpSimplex& lp = impl_->lp;
  lp.setLogLevel(0);
  if (!goal.scaled) lp.scaling(0);
  lp.setPrimalTolerance(goal.tolerance);
  lp.setDualTolerance(goal.tolerance);
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
  impl_->guess.push_back(goal.start);
}

ColumnMaster::~ColumnMaster() = default;

void ColumnMaster::add_tree(std::size_t block, std::span<const Entry> entries, double share) {
  for (const Entry& entry : entries) {
    impl_->rows.push_back(static_cast<int>(entry.row));
    impl_->values.push_back(entry.value);
  }
  impl_->rows.push_back(static_cast<int>(impl_->row_count + block));
  impl_->values.push_back(1.0);
  impl_->end_column(0.0);
  if (!impl_->solved_before) impl_->guess.push_back(share);
}

bool ColumnMaster::solve() {
  ClpSimplex& lp = impl_->lp;
  if (!impl_->objective.empty()) impl_->flush(COIN_DBL_MAX);
  if (impl_->solved_before) {
    lp.primal(0, 1);  // new columns leave the last basis feasible
  } else if (impl_->guessed()) {
    impl_->start_from_guess();
    lp.primal();
  } else {
    lp.dual();
  }
  impl_->solved_before = true;
  // A basis near a guess may lead Clp astray: from nothing, by either method.
  for (int attempt = 0; lp.status() != 0 && attempt < 2; ++attempt) {
    lp.allSlackBasis(true);
    if (attempt == 0) {
      lp.dual();
    } else {
      lp.primal();
    }
  }
  if (lp.status() != 0) return false;
  const double* column = lp.primalColumnSolution();
  goal_ = column[0];
  shares_.assign(column + 1, column + lp.numberColumns());
  for (double& share : shares_) share = std::max(share, 0.0);
  const double* row_price = lp.dualRowSolution();
  for (std::size_t r = 0; r < duals_.size(); ++r) duals_[r] = std::max(0.0, -row_price[r]);
  for (std::size_t b = 0; b < block_costs_.size(); ++b) block_costs_[b] = row_price[duals_.size() + b];
  return true;
}

}  // namespace wan::controller
