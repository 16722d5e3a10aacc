#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "core/traffic_matrix.h"
#include "models/forecaster.h"

namespace wan::models {

/// Where the truth will lie around a forecast, entry by entry, learned from how forecasts missed and corrected while
/// they go on missing.
///
/// A miss counts in units of the entry's usual miss, itself a share of the forecast. Quantiles of these misses are
/// tracked: after every interval a quantile moves up by rate x share if the miss was above it, otherwise down by
/// rate x (1 - share), so that in the long run the promised part of misses lies below it, whatever traffic does. One
/// factor for the whole network widens or narrows all of a horizon's bands at once: it learns from every entry in every
/// interval and so follows a change that the entries' own quantiles would need days for.
/// Source: Gibbs and Candes, "Adaptive Conformal Inference Under Distribution Shift", NeurIPS 2021; Angelopoulos,
/// Candes and Tibshirani, "Conformal PID Control for Time Series Prediction", NeurIPS 2023 (quantile tracking).
/// Threads: one owner.
class PredictionBands {
 public:
  static constexpr std::array<double, 5> kShares{0.05, 0.25, 0.5, 0.75, 0.95};
  /// The first and last share bound the interval that holds this part of the truth.
  static constexpr double kCoverage = 0.9;

  /// Nothing is known yet: bands are those of a bell curve around misses of a tenth of the forecast.
  /// @param entries  of a traffic matrix
  explicit PredictionBands(std::size_t entries);

  /// What was forecast `horizon` intervals ahead (1 to kHorizonMax), and what then came.
  void record(std::size_t horizon, std::span<const double> forecast_bps, std::span<const double> measured_bps);
  /// Sets the quantiles of a horizon to those of recorded misses, an entry's own drawn towards all entries'. For the
  /// start: it needs some tens of rows at once.
  /// @param forecasts, measured  [row], oldest first, as many of one as of the other
  void learn(std::size_t horizon, std::span<const std::vector<double>> forecasts,
             std::span<const std::vector<double>> measured);

  /// @return  [share][entry] bit/s: rising with the share, none below zero
  [[nodiscard]] std::vector<double> around(std::size_t horizon, std::span<const double> forecast_bps) const;

  /// How many numbers keep the bands of so many entries.
  [[nodiscard]] static constexpr std::size_t number_count(std::size_t entries) {
    return entries + kHorizonMax * (1 + entries * (1 + kShares.size()));
  }
  /// For keeping in a file: `number_count` of them.
  [[nodiscard]] std::vector<float> to_numbers() const;
  /// @return false, and nothing changes, when they are not those of as many entries, or one is of a kind that `record`
  /// and `learn` never leave behind
  [[nodiscard]] bool restore(std::span<const float> numbers);

 private:
  struct OfHorizon {
    std::vector<float> usual_miss;  // [entry], share of the unit
    std::vector<float> offsets;     // [share][entry], in usual misses
    float widening = 1.0F;          // of all offsets
  };

  [[nodiscard]] double unit_bps(std::size_t entry, double forecast_bps) const;
  void follow_level(std::span<const double> measured_bps);

  std::size_t entries_;
  std::vector<float> level_bps_;  // [entry] moving average of what was measured
  std::array<OfHorizon, kHorizonMax> horizons_;
};

}  // namespace wan::models
