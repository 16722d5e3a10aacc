#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/pair_columns.h"

namespace wan::models {

/// One linear half of the learned forecaster: for every pair an autoregression over its last 24 intervals, fitted for
/// least absolute error and drawn towards one autoregression that all pairs share.
///
/// Values are divided by the pair's local scale (mostly the mean of its last 12 intervals), so that one set of weights
/// fits small and large pairs, quiet and busy hours. Two more inputs, the pair's training mean and the scale itself,
/// let a pair return to where it usually is.
struct LagModel {
  static constexpr std::size_t kLags = 24;
  static constexpr std::size_t kScaleLags = 12;
  static constexpr std::size_t kInputs = kLags + 2;

  std::vector<float> mean_bps;  ///< by pair, over the training rows
  std::vector<float> weights;   ///< [pair][kInputs]: newest lag first, then of the training mean, then of the scale
  double floor_bps = 1.0;       ///< added to every scale, so that a silent pair has one

  [[nodiscard]] std::size_t pair_count() const { return mean_bps.size(); }
  /// @param newest_first  the pair's last kLags values in bit/s
  [[nodiscard]] double scale_bps(std::size_t pair, std::span<const double> newest_first) const;
  /// The same from the mean of the newest kScaleLags values.
  [[nodiscard]] double scale_of(std::size_t pair, double recent_mean_bps) const {
    return 0.9 * recent_mean_bps + 0.1 * static_cast<double>(mean_bps[pair]) + floor_bps;
  }
  /// The forecast divided by `scale_bps`; not below zero.
  [[nodiscard]] double predict(std::size_t pair, std::span<const double> newest_first, double scale_bps) const;

  /// Sets `floor_bps` from `mean_bps`; the readers of a model call it too, so it is not stored.
  void derive_floor();
};

/// Forecasts all pairs at once by a lag model, to the last bit as LagModel::predict does one by one: its weights are
/// turned so that the loop over pairs is the inner one and becomes vector code.
class LagPredictor {
 public:
  explicit LagPredictor(const LagModel& model);

  /// @param bps        [kLags][pair], newest first
  /// @param scale_bps  by pair, as LagModel::scale_bps
  /// @param out        by pair, divided by the scale; not below zero
  void predict(std::span<const double> bps, std::span<const double> scale_bps, std::span<double> out) const;

 private:
  std::vector<float> mean_bps_;
  std::vector<float> weights_;  // [kInputs][pair]
};

struct LagFitOptions {
  std::size_t horizon = 1;  ///< forecasts the interval that many after the newest; above zero
  bool level = false;       ///< uses the two inputs beside the lags; otherwise their weights are zero
};

/// Fits one model per ridge, all sharing the pooled part.
///
/// @param columns  the training data
/// @param targets  rows to be forecast, each >= kLags + horizon - 1
/// @param ridges   how strongly a pair is drawn towards the shared weights, per observation, each > 0
/// Minimises sum |x - forecast| by iteratively reweighted least squares (Holland and Welsch, "Robust regression using
/// iteratively reweighted least-squares", Comm. Statist. 1977), errors below 2 % of the scale counting as squares.
/// Cost: about 350 multiplications per pair, target, ridge and iteration (5); Abilene's ten days take 1 s a ridge.
[[nodiscard]] std::vector<LagModel> fit_lag_models(const PairColumns& columns, std::span<const std::uint32_t> targets,
                                                   std::span<const double> ridges, const LagFitOptions& options = {});

}  // namespace wan::models
