#include "models/expert_panel.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace wan::models {
namespace {

constexpr double kSlowAlpha = 0.3;

/// Of all pairs, from the oldest interval on.
std::vector<double> moving_averages(const RecentTraffic& recent, double alpha) {
  const auto oldest = recent.lag(LagModel::kLags - 1);
  std::vector<double> averages{oldest.begin(), oldest.end()};
  for (std::size_t lag = LagModel::kLags - 1; lag-- > 0;) {
    const auto values = recent.lag(lag);
    for (std::size_t pair = 0; pair < averages.size(); ++pair) {
      averages[pair] += alpha * (values[pair] - averages[pair]);
    }
  }
  return averages;
}

}  // namespace

ExpertPanel::ExpertPanel(PairIndex pairs, double ewma_alpha, std::vector<LagModel> lags,
                         std::vector<Correction> corrections, Regressions regressions, std::chrono::seconds interval)
    : pairs_{std::move(pairs)},
      ewma_alpha_{ewma_alpha},
      lags_{std::move(lags)},
      corrections_{std::move(corrections)},
      regressions_{std::move(regressions)},
      interval_{interval} {
  assert(!lags_.empty() && corrections_.size() == kCorrections && regressions_.fits.size() == kRegressions);
  for (const Correction& correction : corrections_) assert(correction.base < lags_.size());
  for (const LagModel& model : lags_) by_lags_.emplace_back(model);
  for (const PanelRegression& fit : regressions_.fits) by_regression_.emplace_back(fit);
}

ExpertPanel::Corrected ExpertPanel::corrected(std::size_t correction, std::span<const TrafficMatrix> history) const {
  const Correction& by = corrections_[correction];
  const LagModel& base = lags_[by.base];
  Corrected result{.base = forecast_base(pairs_, base, history), .correction = std::vector<float>(pairs_.size())};
  std::vector<float> features(pairs_.size() * kFeatureCount);
  const Timestamp target = history.back().measured_at() + interval_;
  describe(pairs_, base, by.seasons, history, target, result.base, {}, features);
  by.net.correct(features, result.correction);
  return result;
}

void ExpertPanel::put(std::size_t expert, std::span<const double> bps, std::span<float> out) const {
  const std::size_t experts = size();
  for (std::size_t pair = 0; pair < bps.size(); ++pair) out[pair * experts + expert] = static_cast<float>(bps[pair]);
}

void ExpertPanel::forecast(std::span<const TrafficMatrix> history, std::span<float> out) const {
  const std::size_t pairs = pairs_.size();
  assert(out.size() == pairs * size());
  const Timestamp target = history.back().measured_at() + interval_;
  // Scales, means and floor are the same for all lag models.
  const LagModel& scales = lags_.front();
  const RecentTraffic recent = recent_traffic(pairs_, scales, history);
  const PairSigns signs = signs_of(pairs_, recent);
  put(kBaseline, moving_averages(recent, ewma_alpha_), out);
  put(1, moving_averages(recent, kSlowAlpha), out);
  put(2, signs.medians_of_five_bps, out);

  std::vector<double> units(pairs), bps(pairs);
  const auto put_units = [&](std::size_t expert) {
    for (std::size_t pair = 0; pair < pairs; ++pair) bps[pair] = units[pair] * recent.scale_bps[pair];
    put(expert, bps, out);
  };
  std::vector<std::vector<float>> bases(corrections_.size());
  for (std::size_t i = 0; i < lags_.size(); ++i) {
    by_lags_[i].predict(recent.bps, recent.scale_bps, units);
    put_units(kSimple + i);
    for (std::size_t c = 0; c < corrections_.size(); ++c) {
      if (corrections_[c].base == i) bases[c].assign(units.begin(), units.end());
    }
  }

  std::vector<float> features(pairs * kFeatureCount), correction(pairs);
  describe_pairs(scales, recent, signs, target, features);
  for (std::size_t c = 0; c < corrections_.size(); ++c) {
    describe_expected(corrections_[c].seasons, target, bases[c], {}, features);
    corrections_[c].net.correct(features, correction);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      units[pair] = std::max(
          static_cast<double>(bases[c][pair]) + corrections_[c].share * static_cast<double>(correction[pair]), 0.0);
    }
    put_units(kSimple + lags_.size() + c);
  }

  std::vector<float> inputs(pairs * kRegressionInputs);
  describe_linear(scales, regressions_.daily, recent, signs, target, {}, inputs);
  for (std::size_t i = 0; i < by_regression_.size(); ++i) {
    by_regression_[i].predict(inputs, units);
    put_units(kSimple + lags_.size() + kCorrections + i);
  }
}

}  // namespace wan::models
