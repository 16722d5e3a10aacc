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

Movements movements_of(const PairIndex& pairs, const RecentTraffic& recent) {
  using Totals = std::array<double, LagModel::kScaleLags>;
  const std::size_t ends = pairs.class_count() * pairs.node_count();
  std::vector<Totals> sent(ends), received(ends);
  Totals network{};
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    Totals& from = sent[pairs.source(pair)];
    Totals& to = received[pairs.destination(pair)];
    for (std::size_t lag = 0; lag < network.size(); ++lag) {
      const double bps = recent.bps[lag * recent.pair_count + pair];
      from[lag] += bps;
      to[lag] += bps;
      network[lag] += bps;
    }
  }
  Movements movements;
  movements.network = movement_of(network);
  for (const Totals& totals : sent) movements.by_source.push_back(movement_of(totals));
  for (const Totals& totals : received) movements.by_destination.push_back(movement_of(totals));
  return movements;
}

// Loops below run over pairs with few branches, so that the compiler makes vector code of them.

[[gnu::always_inline]] inline void order(double& low, double& high) {
  const double least = high < low ? high : low;
  high = high < low ? low : high;
  low = least;
}

[[gnu::always_inline]] inline float bounded(double value) { return static_cast<float>(std::clamp(value, -4.0, 6.0)); }

struct Medians {
  std::vector<double> of_three, of_five, of_nine;  // by pair, of the newest values
};

/// By networks of exchanges; of nine: Smith, "Implementing median filters in XC4000E FPGAs", XCELL 23, 1996.
Medians medians_of(const RecentTraffic& recent) {
  const std::size_t pairs = recent.pair_count;
  Medians made{std::vector<double>(pairs), std::vector<double>(pairs), std::vector<double>(pairs)};
  const double* const bps = recent.bps.data();
  double* const __restrict three = made.of_three.data();
  double* const __restrict five = made.of_five.data();
  double* const __restrict nine = made.of_nine.data();
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    double a = bps[pair], b = bps[pairs + pair], c = bps[2 * pairs + pair];
    order(a, b);
    order(b, c);
    order(a, b);
    three[pair] = b;
    double d = bps[3 * pairs + pair], e = bps[4 * pairs + pair];
    order(d, e);  // a <= b <= c, d <= e: the third of five is within b, the lower of c and e, the higher of a and d
    order(a, d);
    order(c, e);
    order(b, c);
    order(d, c);
    order(b, d);
    five[pair] = d;
  }
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    double a = bps[pair], b = bps[pairs + pair], c = bps[2 * pairs + pair];
    double d = bps[3 * pairs + pair], e = bps[4 * pairs + pair], f = bps[5 * pairs + pair];
    double g = bps[6 * pairs + pair], h = bps[7 * pairs + pair], i = bps[8 * pairs + pair];
    order(b, c), order(e, f), order(h, i);
    order(a, b), order(d, e), order(g, h);
    order(b, c), order(e, f), order(h, i);  // three ordered triples
    order(a, d), order(f, i), order(e, h);
    order(d, g), order(b, e), order(c, f);
    order(e, h), order(e, c), order(g, e);
    order(e, c);
    nine[pair] = e;
  }
  return made;
}

/// Adds up the first `lags` of the newest values, newest first.
std::vector<double> sums_of_newest(const RecentTraffic& recent, std::size_t lags) {
  std::vector<double> sums(recent.pair_count, 0.0);
  for (std::size_t lag = 0; lag < lags; ++lag) {
    const auto values = recent.lag(lag);
    for (std::size_t pair = 0; pair < sums.size(); ++pair) sums[pair] += values[pair];
  }
  return sums;
}

/// Standard deviations of the windows in units of the scales.
std::vector<double> restlessness(const RecentTraffic& recent) {
  constexpr auto kCount = static_cast<double>(LagModel::kLags);
  std::vector<double> means = sums_of_newest(recent, LagModel::kLags);
  for (double& mean : means) mean /= kCount;
  std::vector<double> spread(recent.pair_count, 0.0);
  for (std::size_t lag = 0; lag < LagModel::kLags; ++lag) {
    const auto values = recent.lag(lag);
    for (std::size_t pair = 0; pair < spread.size(); ++pair) {
      spread[pair] += (values[pair] - means[pair]) * (values[pair] - means[pair]);
    }
  }
  for (std::size_t pair = 0; pair < spread.size(); ++pair) {
    spread[pair] = std::sqrt(spread[pair] / kCount) / recent.scale_bps[pair];
  }
  return spread;
}

/// Hands out the rows of a description one after the other.
class Rows {
 public:
  Rows(std::span<float> out, std::size_t pairs) : out_{out}, pairs_{pairs} {}

  [[nodiscard]] float* next() {
    const auto row = out_.subspan(place_, pairs_);
    place_ += pairs_;
    return row.data();
  }
  void skip(std::size_t rows) { place_ += rows * pairs_; }
  /// Rows of numbers as they are, but bounded.
  void put(std::span<const double> values) {
    float* const row = out_.subspan(place_, values.size()).data();
    for (std::size_t i = 0; i < values.size(); ++i) row[i] = bounded(values[i]);
    place_ += values.size();
  }

 private:
  std::span<float> out_;
  std::size_t pairs_;
  std::size_t place_ = 0;
};

constexpr std::size_t kBaseRow = LagModel::kLags;
constexpr std::size_t kSeasonsRow = kBaseRow + 4 + PairSigns::kSpikeSigns;

}  // namespace

LagWindow window_of(std::span<const TrafficMatrix> history, std::size_t position) {
  LagWindow window{};
  for (std::size_t lag = 0; lag < window.size(); ++lag) window[lag] = value_before(history, lag, position);
  return window;
}

RecentTraffic recent_traffic(const PairIndex& pairs, const LagModel& lags, std::span<const TrafficMatrix> history) {
  RecentTraffic recent{
      .pair_count = pairs.size(), .bps = std::vector<double>(LagModel::kLags * pairs.size()), .scale_bps = {}};
  double* place = recent.bps.data();
  for (std::size_t lag = 0; lag < LagModel::kLags; ++lag) {
    const std::size_t newest = history.size() - 1;
    const double* const values = history[lag < newest ? newest - lag : 0].bps().data();
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) *place++ = values[pairs.position(pair)];
  }
  recent.scale_bps = sums_of_newest(recent, LagModel::kScaleLags);
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    recent.scale_bps[pair] = lags.scale_of(pair, recent.scale_bps[pair] / LagModel::kScaleLags);
  }
  return recent;
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

PairSigns signs_of(const PairIndex& pairs, const RecentTraffic& recent) {
  const std::size_t count = recent.pair_count;
  const double* const __restrict scale = recent.scale_bps.data();
  PairSigns signs{.relative = std::vector<double>(LagModel::kLags * count),
                  .movements = std::vector<double>(PairSigns::kMovements * count),
                  .spikes = std::vector<double>(PairSigns::kSpikeSigns * count),
                  .medians_of_five_bps = {}};
  for (std::size_t lag = 0; lag < LagModel::kLags; ++lag) {
    const auto values = recent.lag(lag);
    double* const __restrict relative = &signs.relative[lag * count];
    for (std::size_t pair = 0; pair < count; ++pair) relative[pair] = values[pair] / scale[pair];
  }

  const Movements movements = movements_of(pairs, recent);
  const double* const newest = signs.relative.data();
  for (std::size_t pair = 0; pair < count; ++pair) {
    double* place = &signs.movements[pair];
    for (const Movement* const movement : {&movements.by_source[pairs.source(pair)],
                                           &movements.by_destination[pairs.destination(pair)], &movements.network}) {
      for (const float moved : *movement) {
        *place = newest[pair] * static_cast<double>(moved);
        place += count;
      }
    }
  }

  Medians medians = medians_of(recent);
  const std::vector<double> sums_of_six = sums_of_newest(recent, 6);
  const auto newest_bps = recent.lag(0);
  const auto second_bps = recent.lag(1);
  double* const __restrict spikes = signs.spikes.data();
  for (std::size_t pair = 0; pair < count; ++pair) {
    const double bps = newest_bps[pair];
    const double step = (bps - second_bps[pair]) / scale[pair];
    spikes[pair] = (medians.of_three[pair] - bps) / scale[pair];
    spikes[count + pair] = (medians.of_five[pair] - bps) / scale[pair];
    spikes[2 * count + pair] = (medians.of_nine[pair] - bps) / scale[pair];
    spikes[3 * count + pair] = std::clamp(step, -0.15, 0.15);
    spikes[4 * count + pair] = std::clamp(step, -0.4, 0.4);
    spikes[5 * count + pair] = std::clamp((bps - sums_of_six[pair] / 6.0) / scale[pair], -0.2, 0.2);
  }
  signs.medians_of_five_bps = std::move(medians.of_five);
  return signs;
}

void describe_pairs(const LagModel& lags, const RecentTraffic& recent, const PairSigns& signs, Timestamp target,
                    std::span<float> out) {
  const std::size_t count = recent.pair_count;
  assert(out.size() == count * kFeatureCount);
  constexpr double kDay = 86400.0;
  const double phase = 2.0 * std::numbers::pi * static_cast<double>(target.time_since_epoch().count() % 86400) / kDay;
  const double network_mean_bps = lags.floor_bps * 1e3;
  Rows rows{out, count};
  for (std::size_t lag = 0; lag < LagModel::kLags; ++lag) {
    const double* const relative = &signs.relative[lag * count];
    float* const row = rows.next();
    for (std::size_t pair = 0; pair < count; ++pair) row[pair] = bounded(relative[pair] - 1.0);
  }
  rows.skip(1);  // the base forecast
  float* const busy = rows.next();
  float* const large = rows.next();
  for (std::size_t pair = 0; pair < count; ++pair) {
    const double mean = static_cast<double>(lags.mean_bps[pair]) + lags.floor_bps;
    busy[pair] = bounded(std::log(recent.scale_bps[pair] / mean));
    large[pair] = bounded(std::log(mean / network_mean_bps));
  }
  rows.put(restlessness(recent));
  rows.put(signs.spikes);
  rows.skip(SeasonProfile::kCycles);
  rows.put(signs.movements);
  for (const int harmonic : {1, 2, 3}) {
    const double* const newest = signs.relative.data();
    for (const double wave : {std::sin(harmonic * phase), std::cos(harmonic * phase)}) {
      float* const row = rows.next();
      for (std::size_t pair = 0; pair < count; ++pair) row[pair] = bounded(newest[pair] * wave);
    }
  }
}

void describe_expected(const SeasonProfile& seasons, Timestamp target, std::span<const float> base_forecast,
                       std::span<const float> own_surprises, std::span<float> out) {
  const std::size_t count = base_forecast.size();
  assert(out.size() == count * kFeatureCount);
  assert(own_surprises.empty() || own_surprises.size() == count);
  // Surprises are small fractions of a scale: enlarged, they reach the network at the size of its other inputs.
  constexpr float kSeasonGain = 3.0F;
  Rows rows{out, count};
  rows.skip(kBaseRow);
  float* row = rows.next();
  for (std::size_t pair = 0; pair < count; ++pair) row[pair] = bounded(static_cast<double>(base_forecast[pair]) - 1.0);
  rows.skip(kSeasonsRow - kBaseRow - 1);
  for (std::size_t cycle = 0; cycle < SeasonProfile::kCycles; ++cycle) {
    row = rows.next();
    seasons.expected(cycle, target, {row, count});
    for (std::size_t pair = 0; pair < count; ++pair) {
      const float surprise =
          own_surprises.empty() ? row[pair] : seasons.expected_without(cycle, target, pair, own_surprises[pair]);
      row[pair] = bounded(static_cast<double>(kSeasonGain * surprise));
    }
  }
}

void describe(const PairIndex& pairs, const LagModel& lags, const SeasonProfile& seasons,
              std::span<const TrafficMatrix> history, Timestamp target, const BaseForecast& base,
              std::span<const float> own_surprises, std::span<float> out) {
  const RecentTraffic recent = recent_traffic(pairs, lags, history);
  describe_pairs(lags, recent, signs_of(pairs, recent), target, out);
  describe_expected(seasons, target, base.forecast, own_surprises, out);
}

void describe_linear(const LagModel& lags, const DailySteps& daily, const RecentTraffic& recent, const PairSigns& signs,
                     Timestamp target, const DailySteps::Neighbours& own, std::span<float> out) {
  const std::size_t count = recent.pair_count;
  assert(out.size() == count * kRegressionInputs);
  Rows rows{out, count};
  rows.put(signs.relative);
  float* const mean = rows.next();
  for (std::size_t pair = 0; pair < count; ++pair) {
    mean[pair] = bounded(static_cast<double>(lags.mean_bps[pair]) / recent.scale_bps[pair]);
  }
  std::fill_n(rows.next(), count, 1.0F);
  rows.put(signs.movements);
  float* const step = rows.next();
  float* const around = rows.next();
  daily.usual_without(target, own, {step, count}, {around, count});
  for (float* const row : {step, around}) {
    for (std::size_t pair = 0; pair < count; ++pair) row[pair] = bounded(static_cast<double>(row[pair]));
  }
  rows.put(signs.spikes);
}

}  // namespace wan::models
