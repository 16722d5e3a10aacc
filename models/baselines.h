#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/forecaster.h"

namespace wan::models {

/// What stands behind `fit_ewma_forecaster` and `fit_ar12_forecaster`: the fitted numbers, so that a model folder can
/// keep them and its model be compared with them later.

/// The alpha out of 0.05, 0.10, ... 1.00 whose average forecasts `training` with the least absolute error, summed over
/// all pairs; 1 for fewer than two intervals. Cost: 20 passes over the data.
[[nodiscard]] double fit_ewma_alpha(std::span<const TrafficMatrix> training);

/// Per entry of a traffic matrix: intercept, then the weight of the newest, second newest, ... 12th newest interval.
/// The intercept counts in units of `mean_bps`.
struct Ar12 {
  static constexpr std::size_t kLags = 12;
  static constexpr std::size_t kUnknowns = kLags + 1;
  std::size_t node_count = 0;
  std::size_t class_count = 0;
  std::vector<double> mean_bps{};  ///< by position in the matrix
  std::vector<double> weights{};   ///< [position][kUnknowns]; all zero for an entry that carried nothing

  bool operator==(const Ar12&) const = default;
};

/// Ridge regression per entry on values divided by their mean, the intercept left free, penalty 1e-4 an observation.
/// @error kBadInput: fewer than 26 intervals; kShapeMismatch: the matrices differ in shape
[[nodiscard]] Result<Ar12> fit_ar12(std::span<const TrafficMatrix> training);
[[nodiscard]] std::unique_ptr<Forecaster> make_ar12_forecaster(Ar12 fitted);

/// The mean of the newest `intervals` (above zero), however far ahead.
[[nodiscard]] std::unique_ptr<Forecaster> make_moving_average_forecaster(std::size_t intervals);

/// The largest value of each entry in the newest `intervals` (above zero): what planners that want to be safe assume.
[[nodiscard]] std::unique_ptr<Forecaster> make_peak_forecaster(std::size_t intervals);

/// What was `season` intervals (above zero) before; the oldest known where the history is shorter.
[[nodiscard]] std::unique_ptr<Forecaster> make_seasonal_forecaster(std::size_t season);

/// Every entry from the newest three matrices as a whole: ridge regression on values divided by their means, penalty
/// 1e-3 an observation, the intercept left free.
///
/// Cost: min(rows, 3 pairs)^3 / 6 and rows x min(rows, 3 pairs)^2 multiplications.
/// @error kBadInput: fewer than 16 intervals; kShapeMismatch: the matrices differ in shape; kUnsupported: over 4,000
/// pairs, or over 4,000 of both rows and unknowns
[[nodiscard]] Result<std::unique_ptr<Forecaster>> fit_vector_ar3_forecaster(std::span<const TrafficMatrix> training);

}  // namespace wan::models
