#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "core/traffic_matrix.h"
#include "models/correction_net.h"
#include "models/daily_steps.h"
#include "models/features.h"
#include "models/lag_model.h"
#include "models/pair_columns.h"
#include "models/panel_regression.h"
#include "models/season_profile.h"

namespace wan::models {

/// A lag model of a panel with the network that corrects it.
struct Correction {
  std::size_t base = 0;   ///< which lag model
  SeasonProfile seasons;  ///< of its surprises
  CorrectionNet net;
  double share = 1.0;  ///< of the correction that is applied
};

/// Regressions of a panel with what they know of the days.
struct Regressions {
  DailySteps daily;
  std::vector<PanelRegression> fits;
};

/// What the learned forecaster is put together from: forecasters that err in different ways, all one interval ahead.
///
/// In order: the fitted EWMA (also what the model falls back on), a slow EWMA, the median of the newest five, the lag
/// models, corrected lag models, and regressions.
class ExpertPanel {
 public:
  static constexpr std::size_t kSimple = 3;
  static constexpr std::size_t kBaseline = 0;  ///< the place of the fitted EWMA
  static constexpr std::size_t kCorrections = 2;
  static constexpr std::size_t kRegressions = 2;

  /// How many experts there are with so many lag models.
  [[nodiscard]] static constexpr std::size_t size_with(std::size_t lag_models) {
    return kSimple + lag_models + kCorrections + kRegressions;
  }

  /// @param ewma_alpha  in (0, 1]
  /// @param lags         not empty, all of these pairs
  /// @param corrections  kCorrections of them
  /// @param regressions  kRegressions of them
  ExpertPanel(PairIndex pairs, double ewma_alpha, std::vector<LagModel> lags, std::vector<Correction> corrections,
              Regressions regressions, std::chrono::seconds interval);

  [[nodiscard]] const PairIndex& pairs() const { return pairs_; }
  [[nodiscard]] std::size_t size() const { return size_with(lags_.size()); }
  [[nodiscard]] std::chrono::seconds interval() const { return interval_; }
  [[nodiscard]] const std::vector<LagModel>& lags() const { return lags_; }
  [[nodiscard]] const std::vector<Correction>& corrections() const { return corrections_; }
  [[nodiscard]] const Regressions& regressions() const { return regressions_; }
  void set_correction_share(std::size_t correction, double share) { corrections_[correction].share = share; }

  /// The forecast that the network corrects and what it would add, in units of the local scale.
  struct Corrected {
    BaseForecast base;
    std::vector<float> correction;
  };
  /// @param history  oldest first, not empty, of this network
  [[nodiscard]] Corrected corrected(std::size_t correction, std::span<const TrafficMatrix> history) const;

  /// @param out  [pair][expert] in bit/s, none below zero
  /// Cost: some 300 multiplications a pair beside the networks'; 0.2 ms for 462 pairs on one core.
  void forecast(std::span<const TrafficMatrix> history, std::span<float> out) const;

 private:
  void put(std::size_t expert, std::span<const double> bps, std::span<float> out) const;

  PairIndex pairs_;
  double ewma_alpha_;
  std::vector<LagModel> lags_;
  std::vector<Correction> corrections_;
  Regressions regressions_;
  std::chrono::seconds interval_;
  std::vector<LagPredictor> by_lags_;               // of lags_
  std::vector<RegressionPredictor> by_regression_;  // of regressions_.fits
};

}  // namespace wan::models
