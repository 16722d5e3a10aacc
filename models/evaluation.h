#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"
#include "models/prediction_bands.h"

namespace wan::models {

/// How well a forecaster foretold a run of intervals, each the same number of intervals ahead.
struct Score {
  double nmae = 0.0;   ///< sum |error| / sum of what there was, over all entries and rows; 0 for no traffic
  double rrmse = 0.0;  ///< root of (sum of squared errors / sum of squares)
  std::size_t rows = 0;
  std::vector<double> row_errors{};  ///< by row: sum |error| / the mean row's traffic; their mean is `nmae`
  bool operator==(const Score&) const = default;
};

/// The value below which a part `share` (in [0, 1]) of the values lies, between neighbours in proportion; 0 for none.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// Forecasts every row in [from, to) from the rows before it (they may lie before `from`).
///
/// @param from  at least 1: the first row has no history
/// @error kBadInput: the range is empty or leaves the series; what the forecaster says
[[nodiscard]] Result<Score> score_forecaster(const Forecaster& forecaster, std::span<const TrafficMatrix> intervals,
                                             std::size_t from, std::size_t to);

/// The same for several distances at once: a row h intervals ahead is forecast from the rows up to h before it.
///
/// @param horizons     from 1 to kHorizonMax, at least one; none beyond `from`
/// @param on_progress  called now and then with the rows done and all rows; may be empty
/// @return             scores in the order of `horizons`, all over the same rows
/// @error as above
[[nodiscard]] Result<std::vector<Score>> score_horizons(
    const Forecaster& forecaster, std::span<const TrafficMatrix> intervals, std::size_t from, std::size_t to,
    std::span<const std::size_t> horizons, const std::function<void(std::size_t, std::size_t)>& on_progress = {});

/// How well bands held the truth.
struct BandScore {
  double coverage = 0.0;  ///< part of the entries within the interval from the lowest to the highest share
  double width = 0.0;     ///< sum of these intervals' widths / sum of what there was
  double pinball = 0.0;   ///< mean over the shares: sum of pinball losses / sum of what there was
  std::size_t entries = 0;
};

/// Forecasts every row in [from, to) with bands around it, which go on learning from each row that came. Entries that
/// never carried anything do not count.
///
/// @param warm_from  at most `from`: bands learn from the rows from here on
/// @error as above
[[nodiscard]] Result<std::vector<BandScore>> score_bands(const Forecaster& forecaster, PredictionBands bands,
                                                         std::span<const TrafficMatrix> intervals,
                                                         std::size_t warm_from, std::size_t from, std::size_t to,
                                                         std::span<const std::size_t> horizons);

}  // namespace wan::models
