#include "controller/flow_master.h"

#include <algorithm>
#include <coin/ClpSimplex.hpp>
#include <coin/CoinPackedMatrix.hpp>

namespace wan::controller {

/// Column 0 is U; rows are links, then sources.
struct FlowMaster::Impl {
  std::size_t link_count;
  ClpSimplex lp;
  bool solved_before = false;

  // Columns not yet in the model, in Clp's compressed form.
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

FlowMaster::FlowMaster(std::size_t source_count, std::size_t link_count)
    : impl_{std::make_unique<Impl>()}, duals_(link_count, 0.0) {
  impl_->link_count = link_count;
  ClpSimplex& lp = impl_->lp;
  lp.setLogLevel(0);
  lp.setPrimalTolerance(1e-9);
  lp.setDualTolerance(1e-9);
  lp.resize(static_cast<int>(link_count + source_count), 0);
  for (std::size_t l = 0; l < link_count; ++l) lp.setRowBounds(static_cast<int>(l), -COIN_DBL_MAX, 0.0);
  for (std::size_t s = 0; s < source_count; ++s) lp.setRowBounds(static_cast<int>(link_count + s), 1.0, 1.0);
  for (std::size_t l = 0; l < link_count; ++l) {
    impl_->rows.push_back(static_cast<int>(l));
    impl_->values.push_back(-1.0);
  }
  impl_->end_column(1.0);
}

FlowMaster::~FlowMaster() = default;

void FlowMaster::add_column(std::size_t source, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    impl_->rows.push_back(static_cast<int>(entry.link));
    impl_->values.push_back(entry.utilization);
  }
  impl_->rows.push_back(static_cast<int>(impl_->link_count + source));
  impl_->values.push_back(1.0);
  impl_->end_column(0.0);
}

bool FlowMaster::solve() {
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
  for (std::size_t l = 0; l < duals_.size(); ++l) duals_[l] = std::max(0.0, -row_price[l]);
  return true;
}

}  // namespace wan::controller
