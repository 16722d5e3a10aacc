#pragma once

#include <cstddef>
#include <span>

#include "core/result.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"

namespace wan::models {

/// How well a forecaster foretold a run of intervals, each one interval ahead.
struct Score {
  double nmae = 0.0;   ///< sum |error| / sum of what there was, over all entries and rows; 0 for no traffic
  double rrmse = 0.0;  ///< root of (sum of squared errors / sum of squares)
  std::size_t rows = 0;
  bool operator==(const Score&) const = default;
};

/// Forecasts every row in [from, to) from the rows before it (they may lie before `from`).
///
/// @param from  at least 1: the first row has no history
/// @error kBadInput: the range is empty or leaves the series; what the forecaster says
[[nodiscard]] Result<Score> score_forecaster(const Forecaster& forecaster, std::span<const TrafficMatrix> intervals,
                                             std::size_t from, std::size_t to);

}  // namespace wan::models
