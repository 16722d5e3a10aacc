#include "models/evaluation.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace wan::models {

Result<Score> score_forecaster(const Forecaster& forecaster, std::span<const TrafficMatrix> intervals, std::size_t from,
                               std::size_t to) {
  if (from < 1 || from >= to || to > intervals.size()) {
    return fail(ErrorCode::kBadInput, "rows [" + std::to_string(from) + ", " + std::to_string(to) +
                                          ") are not within rows [1, " + std::to_string(intervals.size()) +
                                          ") that have a row before them");
  }
  double errors = 0.0, amount = 0.0, squared_errors = 0.0, squares = 0.0;
  for (std::size_t row = from; row < to; ++row) {
    const std::size_t length = std::min(row, forecaster.history_intervals());
    const auto forecast = forecaster.next(intervals.subspan(row - length, length));
    if (!forecast) return tl::unexpected{forecast.error()};
    for (std::size_t i = 0; i < forecast->bps().size(); ++i) {
      const double truth = intervals[row].bps()[i];
      const double error = forecast->bps()[i] - truth;
      errors += std::abs(error);
      amount += truth;
      squared_errors += error * error;
      squares += truth * truth;
    }
  }
  Score score{.rows = to - from};
  if (amount > 0.0) score.nmae = errors / amount;
  if (squares > 0.0) score.rrmse = std::sqrt(squared_errors / squares);
  return score;
}

}  // namespace wan::models
