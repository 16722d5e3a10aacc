#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "models/baselines.h"
#include "models/cholesky.h"
#include "models/history.h"
#include "models/pair_columns.h"

namespace wan::models {
namespace {

constexpr std::size_t kLags = 3;
constexpr std::size_t kIntervalsMin = 16;
constexpr std::size_t kPairsMax = 4000;
constexpr std::size_t kSystemMax = 4000;
constexpr double kRidge = 1e-3;

/// A dense matrix, row by row.
struct Table {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values = std::vector<double>(rows * columns, 0.0);

  [[nodiscard]] std::span<double> row(std::size_t i) { return std::span{values}.subspan(i * columns, columns); }
  [[nodiscard]] std::span<const double> row(std::size_t i) const {
    return std::span{values}.subspan(i * columns, columns);
  }
};

Table transposed(const Table& table) {
  Table turned{.rows = table.columns, .columns = table.rows};
  for (std::size_t i = 0; i < table.rows; ++i) {
    for (std::size_t j = 0; j < table.columns; ++j) turned.row(j)[i] = table.row(i)[j];
  }
  return turned;
}

/// a b
Table product(const Table& a, const Table& b) {
  Table result{.rows = a.rows, .columns = b.columns};
  for (std::size_t i = 0; i < a.rows; ++i) {
    const auto out = result.row(i);
    for (std::size_t k = 0; k < a.columns; ++k) {
      const double factor = a.row(i)[k];
      const auto other = b.row(k);
      for (std::size_t j = 0; j < out.size(); ++j) out[j] += factor * other[j];
    }
  }
  return result;
}

/// Subtracts each column's mean; returns the means.
std::vector<double> centred(Table& table) {
  std::vector<double> means(table.columns, 0.0);
  for (std::size_t i = 0; i < table.rows; ++i) {
    for (std::size_t j = 0; j < table.columns; ++j) means[j] += table.row(i)[j] / static_cast<double>(table.rows);
  }
  for (std::size_t i = 0; i < table.rows; ++i) {
    for (std::size_t j = 0; j < table.columns; ++j) table.row(i)[j] -= means[j];
  }
  return means;
}

/// x' (x x' + ridge)^-1 y or (x' x + ridge)^-1 x' y, whichever system is smaller; they are equal.
std::optional<Table> ridge_weights(const Table& x, const Table& y) {
  const Table turned = transposed(x);
  const bool by_rows = x.rows < x.columns;
  Table system = by_rows ? product(x, turned) : product(turned, x);
  for (std::size_t i = 0; i < system.rows; ++i) system.row(i)[i] += kRidge * static_cast<double>(x.rows);
  if (!factor_positive_definite(system.values, system.rows)) return std::nullopt;
  Table sides = transposed(by_rows ? y : product(turned, y));
  for (std::size_t i = 0; i < sides.rows; ++i) solve_factored(system.values, sides.row(i));
  const Table solved = transposed(sides);
  return by_rows ? product(turned, solved) : solved;
}

class VectorArForecaster final : public Forecaster {
 public:
  VectorArForecaster(PairIndex pairs, std::vector<double> mean_bps, std::vector<double> input_means,
                     std::vector<double> output_means, Table weights)
      : pairs_{std::move(pairs)},
        mean_bps_{std::move(mean_bps)},
        input_means_{std::move(input_means)},
        output_means_{std::move(output_means)},
        weights_{std::move(weights)} {}

  std::string_view name() const override { return "vector ar3"; }
  std::size_t history_intervals() const override { return kLags; }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    if (auto shape = check_history(history, pairs_.node_count(), pairs_.class_count()); !shape) {
      return tl::unexpected{shape.error()};
    }
    std::vector<double> sums = output_means_;
    for (std::size_t input = 0; input < weights_.rows; ++input) {
      const std::size_t pair = input % pairs_.size();
      const double value = value_before(history, input / pairs_.size(), pairs_.position(pair)) / mean_bps_[pair];
      const auto weights = weights_.row(input);
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += (value - input_means_[input]) * weights[j];
    }
    TrafficMatrix forecast{pairs_.node_count(), pairs_.class_count()};
    forecast.set_measured_at(time_after(history));
    for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
      forecast.bps()[pairs_.position(pair)] = std::max(sums[pair], 0.0) * mean_bps_[pair];
    }
    return forecast;
  }

 private:
  PairIndex pairs_;
  std::vector<double> mean_bps_;  // above zero
  std::vector<double> input_means_;
  std::vector<double> output_means_;
  Table weights_;  // [lag * pairs + pair][pair]
};

Result<void> check_size(std::size_t pairs, std::size_t rows) {
  if (rows < kIntervalsMin) {
    return fail(ErrorCode::kBadInput, "a vector autoregression needs at least " + std::to_string(kIntervalsMin) +
                                          " intervals, not " + std::to_string(rows));
  }
  if (pairs <= kPairsMax && std::min(rows, kLags * pairs) <= kSystemMax) return {};
  return fail(ErrorCode::kUnsupported, "a vector autoregression over " + std::to_string(pairs) + " pairs and " +
                                           std::to_string(rows) + " intervals is too large");
}

}  // namespace

Result<std::unique_ptr<Forecaster>> fit_vector_ar3_forecaster(std::span<const TrafficMatrix> training) {
  if (auto shape = check_history(training); !shape) return tl::unexpected{shape.error()};
  PairIndex pairs{training[0].node_count(), training[0].class_count()};
  if (auto size = check_size(pairs.size(), training.size()); !size) return tl::unexpected{size.error()};
  std::vector<double> mean_bps(pairs.size(), 0.0);
  for (const TrafficMatrix& matrix : training) {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      mean_bps[pair] += matrix.bps()[pairs.position(pair)] / static_cast<double>(training.size());
    }
  }
  for (double& mean : mean_bps) mean = mean > 0.0 ? mean : 1.0;
  Table x{.rows = training.size() - kLags, .columns = kLags * pairs.size()};
  Table y{.rows = x.rows, .columns = pairs.size()};
  for (std::size_t row = 0; row < x.rows; ++row) {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const std::size_t position = pairs.position(pair);
      for (std::size_t lag = 0; lag < kLags; ++lag) {
        x.row(row)[lag * pairs.size() + pair] = training[row + kLags - 1 - lag].bps()[position] / mean_bps[pair];
      }
      y.row(row)[pair] = training[row + kLags].bps()[position] / mean_bps[pair];
    }
  }
  std::vector<double> input_means = centred(x);
  std::vector<double> output_means = centred(y);
  auto weights = ridge_weights(x, y);
  if (!weights) return fail(ErrorCode::kBadInput, "a vector autoregression is not determined by this traffic");
  return std::unique_ptr<Forecaster>{std::make_unique<VectorArForecaster>(
      std::move(pairs), std::move(mean_bps), std::move(input_means), std::move(output_means), *std::move(weights))};
}

}  // namespace wan::models
