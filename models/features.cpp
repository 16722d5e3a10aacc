#include "models/features.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

#include "models/history.h"

namespace wan::models {
namespace {

/// How a total moved: its newest and second newest value and its older half, each relative to the mean of the last 12.
using Movement = std::array<float, 3>;

Movement movement_of(const std::array<double, LagModel::kScaleLags>& newest_first) {
  const double mean = std::accumulate(newest_first.begin(), newest_first.end(), 0.0) / LagModel::kScaleLags + 1e-3;
  const double older_half = std::accumulate(newest_first.begin() + LagModel::kScaleLags / 2, newest_first.end(), 0.0) /
                            (LagModel::kScaleLags / 2.0);
  return {static_cast<float>(newest_first[0] / mean - 1.0), static_cast<float>(newest_first[1] / mean - 1.0),
          static_cast<float>(older_half / mean - 1.0)};
}

struct Movements {
  std::vector<Movement> by_source, by_destination;  // [class * nodes + node]
  Movement network{};
};

Movements movements_of(const PairIndex& pairs, std::span<const TrafficMatrix> history) {
  using Totals = std::array<double, LagModel::kScaleLags>;
  const std::size_t ends = pairs.class_count() * pairs.node_count();
  std::vector<Totals> sent(ends), received(ends);
  Totals network{};
  for (std::size_t lag = 0; lag < network.size(); ++lag) {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double bps = value_before(history, lag, pairs.position(pair));
      sent[pairs.source(pair)][lag] += bps;
      received[pairs.destination(pair)][lag] += bps;
      network[lag] += bps;
    }
  }
  Movements movements;
  movements.network = movement_of(network);
  for (const Totals& totals : sent) movements.by_source.push_back(movement_of(totals));
  for (const Totals& totals : received) movements.by_destination.push_back(movement_of(totals));
  return movements;
}

/// Standard deviation of the window in units of the scale.
double restlessness(const LagWindow& window, double scale_bps) {
  const double mean = std::accumulate(window.begin(), window.end(), 0.0) / static_cast<double>(window.size());
  double squares = 0.0;
  for (const double value : window) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(window.size())) / scale_bps;
}

double median_of_newest(const LagWindow& window, std::size_t count) {
  std::array<double, LagModel::kLags> newest{};
  std::copy_n(window.begin(), count, newest.begin());
  const auto middle = newest.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(newest.begin(), middle, newest.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

/// What tells a spike from a step: where the newest value stands against medians, and its move, cut short so that its
/// direction counts more than its size.
std::array<double, 6> spike_signs(const LagWindow& window, double scale_bps) {
  const double six_mean = std::accumulate(window.begin(), window.begin() + 6, 0.0) / 6.0;
  const double step = (window[0] - window[1]) / scale_bps;
  return {(median_of_newest(window, 3) - window[0]) / scale_bps,
          (median_of_newest(window, 5) - window[0]) / scale_bps,
          (median_of_newest(window, 9) - window[0]) / scale_bps,
          std::clamp(step, -0.15, 0.15),
          std::clamp(step, -0.4, 0.4),
          std::clamp((window[0] - six_mean) / scale_bps, -0.2, 0.2)};
}

}  // namespace

LagWindow window_of(std::span<const TrafficMatrix> history, std::size_t position) {
  LagWindow window{};
  for (std::size_t lag = 0; lag < window.size(); ++lag) window[lag] = value_before(history, lag, position);
  return window;
}

BaseForecast forecast_base(const PairIndex& pairs, const LagModel& lags, std::span<const TrafficMatrix> history) {
  BaseForecast base{.scale_bps = std::vector<double>(pairs.size()), .forecast = std::vector<float>(pairs.size())};
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    const LagWindow window = window_of(history, pairs.position(pair));
    base.scale_bps[pair] = lags.scale_bps(pair, window);
    base.forecast[pair] = static_cast<float>(lags.predict(pair, window, base.scale_bps[pair]));
  }
  return base;
}

void describe(const PairIndex& pairs, const LagModel& lags, const SeasonProfile& seasons,
              std::span<const TrafficMatrix> history, Timestamp target, const BaseForecast& base,
              std::span<const float> own_surprises, std::span<float> out) {
  assert(out.size() == pairs.size() * kFeatureCount);
  assert(own_surprises.empty() || own_surprises.size() == pairs.size());
  constexpr double kDay = 86400.0;
  // Surprises are small fractions of a scale: enlarged, they reach the network at the size of its other inputs.
  constexpr float kSeasonGain = 3.0F;
  const double phase = 2.0 * std::numbers::pi * static_cast<double>(target.time_since_epoch().count() % 86400) / kDay;
  const Movements movements = movements_of(pairs, history);
  const double network_mean_bps = lags.floor_bps * 1e3;

  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    std::size_t feature = 0;
    const auto put = [&](double value) {
      out[feature++ * pairs.size() + pair] = static_cast<float>(std::clamp(value, -4.0, 6.0));
    };
    const LagWindow window = window_of(history, pairs.position(pair));
    const double scale = base.scale_bps[pair];
    const double mean = static_cast<double>(lags.mean_bps[pair]) + lags.floor_bps;
    for (const double value : window) put(value / scale - 1.0);
    put(static_cast<double>(base.forecast[pair]) - 1.0);
    put(std::log(scale / mean));
    put(std::log(mean / network_mean_bps));
    put(restlessness(window, scale));
    for (const double sign : spike_signs(window, scale)) put(sign);
    for (std::size_t cycle = 0; cycle < SeasonProfile::kCycles; ++cycle) {
      const float surprise = own_surprises.empty() ? seasons.expected(cycle, target, pair)
                                                   : seasons.expected_without(cycle, target, pair, own_surprises[pair]);
      put(static_cast<double>(kSeasonGain * surprise));
    }
    const double newest = window[0] / scale;
    for (const float moved : movements.by_source[pairs.source(pair)]) put(newest * static_cast<double>(moved));
    for (const float moved : movements.by_destination[pairs.destination(pair)])
      put(newest * static_cast<double>(moved));
    for (const float moved : movements.network) put(newest * static_cast<double>(moved));
    for (const int harmonic : {1, 2, 3}) {
      put(newest * std::sin(harmonic * phase));
      put(newest * std::cos(harmonic * phase));
    }
    assert(feature == kFeatureCount);
  }
}

void describe_linear(const PairIndex& pairs, const LagModel& lags, const DailySteps& daily,
                     std::span<const TrafficMatrix> history, Timestamp target, const DailySteps::Neighbours& own,
                     std::span<float> out) {
  assert(out.size() == pairs.size() * kRegressionInputs);
  const Movements movements = movements_of(pairs, history);
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    std::size_t place = pair * kRegressionInputs;
    const auto put = [&](double value) { out[place++] = static_cast<float>(std::clamp(value, -4.0, 6.0)); };
    const LagWindow window = window_of(history, pairs.position(pair));
    const double scale = lags.scale_bps(pair, window);
    for (const double value : window) put(value / scale);
    put(static_cast<double>(lags.mean_bps[pair]) / scale);
    put(1.0);
    const double newest = window[0] / scale;
    for (const Movement& movement : {movements.by_source[pairs.source(pair)],
                                     movements.by_destination[pairs.destination(pair)], movements.network}) {
      for (const float moved : movement) put(newest * static_cast<double>(moved));
    }
    const DailySteps::Usual usual = daily.usual_without(target, pair, own);
    put(static_cast<double>(usual.step));
    put(static_cast<double>(usual.around));
    for (const double sign : spike_signs(window, scale)) put(sign);
    assert(place == (pair + 1) * kRegressionInputs);
  }
}

}  // namespace wan::models
