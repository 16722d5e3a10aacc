#include "tests/unit/controller/class_lp.h"

#include <algorithm>
#include <coin/ClpSimplex.hpp>
#include <stdexcept>
#include <string>

namespace wan::test {
namespace {

/// A linear program, minimised, column by column.
class Program {
 public:
  explicit Program(std::size_t row_count) : lower_(row_count, -COIN_DBL_MAX), upper_(row_count, 0.0) {}

  void bound_row(std::size_t row, double lower, double upper) {
    lower_[row] = lower;
    upper_[row] = upper;
  }
  void begin_column(double cost, double upper = COIN_DBL_MAX) {
    cost_.push_back(cost);
    column_upper_.push_back(upper);
    start_.push_back(static_cast<CoinBigIndex>(rows_.size()));
  }
  void entry(std::size_t row, double value) {
    rows_.push_back(static_cast<int>(row));
    values_.push_back(value);
  }
  double minimum() {
    start_.push_back(static_cast<CoinBigIndex>(rows_.size()));
    const std::vector<double> zero(cost_.size(), 0.0);
    ClpSimplex lp;
    lp.setLogLevel(0);
    lp.setPrimalTolerance(1e-10);
    lp.setDualTolerance(1e-10);
    lp.resize(static_cast<int>(lower_.size()), 0);
    for (std::size_t r = 0; r < lower_.size(); ++r) lp.setRowBounds(static_cast<int>(r), lower_[r], upper_[r]);
    lp.addColumns(static_cast<int>(cost_.size()), zero.data(), column_upper_.data(), cost_.data(), start_.data(),
                  rows_.data(), values_.data());
    lp.primal();
    if (lp.status() != 0) throw std::runtime_error{"Clp stopped with status " + std::to_string(lp.status())};
    return lp.objectiveValue();
  }

 private:
  std::vector<double> lower_, upper_, cost_, column_upper_, values_;
  std::vector<CoinBigIndex> start_;
  std::vector<int> rows_;
};

}  // namespace

// Rows: [level up to this one][link], then commodities. Columns: the utilisation sought, then the share of each path.
double best_level_utilization(const Topology& topology, std::span<const LevelCommodity> commodities, std::size_t level,
                              std::span<const double> limit) {
  const std::size_t links = topology.link_count();
  Program program{(level + 1) * links + commodities.size()};
  for (std::size_t j = 0; j < level; ++j) {
    for (std::size_t l = 0; l < links; ++l) program.bound_row(j * links + l, -COIN_DBL_MAX, limit[j]);
  }
  program.begin_column(1.0);
  for (std::size_t l = 0; l < links; ++l) program.entry(level * links + l, -1.0);
  for (std::size_t c = 0; c < commodities.size(); ++c) {
    const LevelCommodity& commodity = commodities[c];
    if (commodity.level > level) {
      program.bound_row((level + 1) * links + c, 0.0, 0.0);
      continue;
    }
    program.bound_row((level + 1) * links + c, 1.0, 1.0);
    for (const auto& path : commodity.paths) {
      program.begin_column(0.0);
      for (std::size_t j = commodity.level; j <= level; ++j) {
        for (const LinkId link : path) {
          program.entry(j * links + link.index(), commodity.rate_bps / topology.link(link).capacity.bps());
        }
      }
      program.entry((level + 1) * links + c, 1.0);
    }
  }
  return program.minimum();
}

}  // namespace wan::test
