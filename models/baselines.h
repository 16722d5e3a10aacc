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

}  // namespace wan::models
