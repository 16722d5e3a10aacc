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

// Rows: links, then commodities (what paths carry - rate x fraction = 0). Columns: the fraction, then what each path
// carries, in units of its commodity's rate.
double best_common_fraction(const Topology& topology, const FractionQuestion& question) {
  const std::size_t links = topology.link_count();
  Program program{links + question.commodities.size()};
  for (std::size_t l = 0; l < links; ++l) program.bound_row(l, -COIN_DBL_MAX, question.utilization_max);
  program.begin_column(-1.0, 1.0);
  for (std::size_t c = 0; c < question.commodities.size(); ++c) {
    const bool grows = !question.fraction[c] && (!question.grows || *question.grows == c);
    const double fixed = grows ? 0.0 : question.fraction[c].value_or(question.held);
    program.bound_row(links + c, fixed, fixed);
    if (grows) program.entry(links + c, -1.0);
  }
  for (std::size_t c = 0; c < question.commodities.size(); ++c) {
    for (const auto& path : question.commodities[c].paths) {
      program.begin_column(0.0);
      for (const LinkId link : path) {
        program.entry(link.index(), question.commodities[c].rate_bps / topology.link(link).capacity.bps());
      }
      program.entry(links + c, 1.0);
    }
  }
  return -program.minimum();
}

std::vector<double> fair_fractions(const Topology& topology, std::span<const LevelCommodity> commodities,
                                   double utilization_max) {
  constexpr double kCannotGrow = 1e-7;
  std::size_t levels = 0;
  for (const LevelCommodity& commodity : commodities) levels = std::max(levels, commodity.level + 1);
  std::vector<std::optional<double>> fraction(commodities.size(), 0.0);  // of levels not yet served
  for (std::size_t level = 0; level < levels; ++level) {
    std::vector<std::size_t> open;
    for (std::size_t c = 0; c < commodities.size(); ++c) {
      if (commodities[c].level != level) continue;
      fraction[c].reset();
      open.push_back(c);
    }
    while (!open.empty()) {
      FractionQuestion question{.commodities = commodities, .fraction = fraction, .utilization_max = utilization_max};
      const double common = best_common_fraction(topology, question);
      std::vector<std::size_t> stuck;
      for (const std::size_t c : open) {
        question.grows = c;
        question.held = common;
        if (common >= 1.0 - kCannotGrow || best_common_fraction(topology, question) <= common + kCannotGrow) {
          stuck.push_back(c);
        }
      }
      if (stuck.empty()) throw std::runtime_error{"everyone can grow beyond the largest common fraction"};
      for (const std::size_t c : stuck) {
        fraction[c] = common;
        std::erase(open, c);
      }
    }
  }
  std::vector<double> found;
  for (const auto& entry : fraction) found.push_back(*entry);
  return found;
}

// Rows and columns as in best_common_fraction, without the fraction.
double most_carried(const Topology& topology, std::span<const LevelCommodity> commodities,
                    std::span<const double> fraction, double utilization_max) {
  constexpr double kRounding = 1e-9;
  const std::size_t links = topology.link_count();
  Program program{links + commodities.size()};
  for (std::size_t l = 0; l < links; ++l) program.bound_row(l, -COIN_DBL_MAX, utilization_max);
  double offered = 0.0;
  for (const LevelCommodity& commodity : commodities) offered += commodity.rate_bps;
  for (std::size_t c = 0; c < commodities.size(); ++c) {
    program.bound_row(links + c, fraction[c] * (1.0 - kRounding), 1.0);
    for (const auto& path : commodities[c].paths) {
      program.begin_column(-commodities[c].rate_bps / offered);
      for (const LinkId link : path) {
        program.entry(link.index(), commodities[c].rate_bps / topology.link(link).capacity.bps());
      }
      program.entry(links + c, 1.0);
    }
  }
  return -program.minimum() * offered;
}

}  // namespace wan::test
