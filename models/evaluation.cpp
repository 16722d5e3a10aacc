#include "models/evaluation.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

namespace wan::models {
namespace {

/// The sums behind a score.
class ScoreSums {
 public:
  void add(const TrafficMatrix& forecast, const TrafficMatrix& truth) {
    double errors = 0.0;
    for (std::size_t i = 0; i < truth.bps().size(); ++i) {
      const double error = forecast.bps()[i] - truth.bps()[i];
      errors += std::abs(error);
      amount_ += truth.bps()[i];
      squared_errors_ += error * error;
      squares_ += truth.bps()[i] * truth.bps()[i];
    }
    row_errors_.push_back(errors);
    errors_ += errors;
  }

  [[nodiscard]] Score score() && {
    Score score{.rows = row_errors_.size()};
    if (amount_ > 0.0) score.nmae = errors_ / amount_;
    if (squares_ > 0.0) score.rrmse = std::sqrt(squared_errors_ / squares_);
    const double mean_row = amount_ / static_cast<double>(std::max<std::size_t>(score.rows, 1));
    for (double& errors : row_errors_) errors = mean_row > 0.0 ? errors / mean_row : 0.0;
    score.row_errors = std::move(row_errors_);
    return score;
  }

 private:
  double errors_ = 0.0, amount_ = 0.0, squared_errors_ = 0.0, squares_ = 0.0;
  std::vector<double> row_errors_;
};

}  // namespace

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= values.size()) return values.back();
  return values[below] + (place - static_cast<double>(below)) * (values[below + 1] - values[below]);
}

Result<Score> score_forecaster(const Forecaster& forecaster, std::span<const TrafficMatrix> intervals, std::size_t from,
                               std::size_t to) {
  auto scores = score_horizons(forecaster, intervals, from, to, std::array<std::size_t, 1>{1});
  if (!scores) return tl::unexpected{scores.error()};
  return std::move(scores->front());
}

Result<std::vector<Score>> score_horizons(const Forecaster& forecaster, std::span<const TrafficMatrix> intervals,
                                          std::size_t from, std::size_t to, std::span<const std::size_t> horizons,
                                          const std::function<void(std::size_t, std::size_t)>& on_progress) {
  assert(!horizons.empty());
  const std::size_t furthest = *std::max_element(horizons.begin(), horizons.end());
  assert(furthest <= kHorizonMax && *std::min_element(horizons.begin(), horizons.end()) >= 1);
  if (from < furthest || from >= to || to > intervals.size()) {
    return fail(ErrorCode::kBadInput, "rows [" + std::to_string(from) + ", " + std::to_string(to) +
                                          ") are not within rows [" + std::to_string(furthest) + ", " +
                                          std::to_string(intervals.size()) + ") that have a row to be forecast from");
  }
  std::vector<ScoreSums> sums(horizons.size());
  const std::size_t first_origin = from - furthest;
  for (std::size_t newest = first_origin; newest + 1 < to; ++newest) {
    if (on_progress) on_progress(newest - first_origin, to - first_origin);
    const std::size_t length = std::min(newest + 1, forecaster.history_intervals());
    const auto history = intervals.subspan(newest + 1 - length, length);
    const std::size_t wanted = std::min(furthest, to - 1 - newest);
    const auto made = forecaster.ahead(history, wanted);
    if (!made) return tl::unexpected{made.error()};
    for (std::size_t i = 0; i < horizons.size(); ++i) {
      const std::size_t row = newest + horizons[i];
      if (row >= from && row < to) sums[i].add((*made)[horizons[i] - 1], intervals[row]);
    }
  }
  std::vector<Score> scores;
  for (ScoreSums& sum : sums) scores.push_back(std::move(sum).score());
  return scores;
}

}  // namespace wan::models
