#include "models/expert_panel.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace wan::models {
namespace {

constexpr double kSlowAlpha = 0.3;

double moving_average(const LagWindow& newest_first, double alpha) {
  double average = newest_first.back();
  for (std::size_t lag = newest_first.size() - 1; lag-- > 0;) average += alpha * (newest_first[lag] - average);
  return average;
}

double median_of_newest_five(const LagWindow& newest_first) {
  std::array<double, 5> newest{};
  std::copy_n(newest_first.begin(), newest.size(), newest.begin());
  std::nth_element(newest.begin(), newest.begin() + 2, newest.end());
  return newest[2];
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
}

Result<ExpertPanel::Corrected> ExpertPanel::corrected(std::size_t correction,
                                                      std::span<const TrafficMatrix> history) const {
  const Correction& by = corrections_[correction];
  const LagModel& base = lags_[by.base];
  Corrected result{.base = forecast_base(pairs_, base, history), .correction = std::vector<float>(pairs_.size())};
  std::vector<float> features(pairs_.size() * kFeatureCount);
  const Timestamp target = history.back().measured_at() + interval_;
  describe(pairs_, base, by.seasons, history, target, result.base, {}, features);
  if (auto made = by.net.correct(features, result.correction); !made) return tl::unexpected{made.error()};
  return result;
}

void ExpertPanel::forecast_pair(std::size_t pair, const LagWindow& newest_first, std::span<const float> inputs,
                                std::span<float> out) const {
  out[kBaseline] = static_cast<float>(moving_average(newest_first, ewma_alpha_));
  out[1] = static_cast<float>(moving_average(newest_first, kSlowAlpha));
  out[2] = static_cast<float>(median_of_newest_five(newest_first));
  const double scale_bps = lags_.front().scale_bps(pair, newest_first);  // the same for all of them
  for (std::size_t i = 0; i < lags_.size(); ++i) {
    out[kSimple + i] = static_cast<float>(lags_[i].predict(pair, newest_first, scale_bps) * scale_bps);
  }
  for (std::size_t i = 0; i < kRegressions; ++i) {
    out[kSimple + lags_.size() + kCorrections + i] =
        static_cast<float>(regressions_.fits[i].predict(pair, inputs) * scale_bps);
  }
}

Result<void> ExpertPanel::forecast(std::span<const TrafficMatrix> history, std::span<float> out) const {
  assert(out.size() == pairs_.size() * size());
  std::vector<float> inputs(pairs_.size() * kRegressionInputs);
  describe_linear(pairs_, lags_.front(), regressions_.daily, history, history.back().measured_at() + interval_, {},
                  inputs);
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    forecast_pair(pair, window_of(history, pairs_.position(pair)),
                  std::span<const float>{inputs}.subspan(pair * kRegressionInputs, kRegressionInputs),
                  out.subspan(pair * size(), size()));
  }
  for (std::size_t i = 0; i < corrections_.size(); ++i) {
    const auto made = corrected(i, history);
    if (!made) return tl::unexpected{made.error()};
    for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
      const double units = static_cast<double>(made->base.forecast[pair]) +
                           corrections_[i].share * static_cast<double>(made->correction[pair]);
      out[pair * size() + kSimple + lags_.size() + i] =
          static_cast<float>(std::max(units, 0.0) * made->base.scale_bps[pair]);
    }
  }
  return {};
}

}  // namespace wan::models
