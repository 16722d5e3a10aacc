#include "models/panel_training.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "models/forecaster.h"
#include "models/torch/correction_training.h"

namespace wan::models {
namespace {

constexpr std::array<double, 3> kPlainRidges{0.01, 0.1, 1.0};
constexpr std::array<double, 4> kLevelRidges{0.1, 1.0, 10.0, 1e4};  // the last one: all pairs alike
/// Observations that a lag model for more than one interval ahead is fitted on at most, evenly spaced.
constexpr std::size_t kFurtherObservationsMax = 1'000'000;

using Intervals = std::span<const TrafficMatrix>;
using RowList = std::vector<std::uint32_t>;

/// Rows whose whole history lies before them without a gap; all rows with a full history when gaps leave too few.
RowList trainable_rows(Intervals intervals, std::chrono::seconds interval) {
  RowList all, whole;
  std::size_t unbroken = 0;
  for (std::size_t row = 1; row < intervals.size(); ++row) {
    const bool follows = intervals[row].measured_at() - intervals[row - 1].measured_at() == interval;
    unbroken = follows ? unbroken + 1 : 0;
    if (row < LagModel::kLags) continue;
    all.push_back(static_cast<std::uint32_t>(row));
    if (unbroken >= LagModel::kLags) whole.push_back(static_cast<std::uint32_t>(row));
  }
  return whole.size() * 2 >= all.size() ? whole : all;
}

/// What the network learns from, in its own units.
struct Examples {
  std::vector<BaseForecast> bases;  // by row
  std::vector<float> features, base, target, weight;
};

Examples make_examples(const PairIndex& pairs, const LagModel& lags, Intervals intervals, const RowList& rows,
                       SeasonProfile& seasons) {
  Examples examples;
  std::vector<float> surprises;  // [row][pair]
  double amount = 0.0;
  for (const std::size_t row : rows) {
    BaseForecast base = forecast_base(pairs, lags, lag_history(intervals, row));
    const std::size_t first = surprises.size();
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = intervals[row].bps()[pairs.position(pair)];
      amount += truth;
      examples.base.push_back(base.forecast[pair]);
      examples.target.push_back(static_cast<float>(truth / base.scale_bps[pair]));
      surprises.push_back(examples.target.back() - base.forecast[pair]);
    }
    seasons.add(intervals[row].measured_at(), std::span{surprises}.subspan(first));
    examples.bases.push_back(std::move(base));
  }
  // Weighted so, the loss is the very NMAE that the model is judged by.
  const double mean_bps = std::max(amount / static_cast<double>(surprises.size()), 1.0);
  examples.features.resize(surprises.size() * kFeatureCount);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const double scale : examples.bases[i].scale_bps) {
      examples.weight.push_back(static_cast<float>(scale / mean_bps));
    }
    describe(pairs, lags, seasons, lag_history(intervals, rows[i]), intervals[rows[i]].measured_at(), examples.bases[i],
             std::span{surprises}.subspan(i * pairs.size(), pairs.size()),
             std::span{examples.features}.subspan(i * pairs.size() * kFeatureCount, pairs.size() * kFeatureCount));
  }
  return examples;
}

/// One training of a network on top of a lag model.
/// @param start  parameters of a network to go on from; empty: from the seed
Result<Correction> train_correction(const TrainingRows& rows, const LagModel& base, const HyperParameters& chosen,
                                    std::uint64_t seed, std::span<const float> start,
                                    const std::function<void(std::size_t, std::size_t)>& on_batch) {
  SeasonProfile seasons{rows.pairs.size(), rows.interval};
  const Examples examples = make_examples(rows.pairs, base, rows.intervals, rows.targets, seasons);
  const CorrectionShape shape{.pairs = rows.pairs.size(),
                              .features = kFeatureCount,
                              .embedding = chosen.embedding,
                              .hidden = chosen.hidden,
                              .members = chosen.members};
  const CorrectionSchedule schedule{.epochs = chosen.epochs,
                                    .rows_per_batch = chosen.rows_per_batch,
                                    .learning_rate = chosen.learning_rate,
                                    .weight_decay = chosen.weight_decay,
                                    .seed = seed,
                                    .start = start};
  auto net = train_correction_net(shape,
                                  {.rows = rows.targets.size(),
                                   .features = examples.features,
                                   .base = examples.base,
                                   .target = examples.target,
                                   .weight = examples.weight},
                                  schedule, on_batch);
  if (!net) return tl::unexpected{net.error()};
  return Correction{.base = 0, .seasons = std::move(seasons), .net = *std::move(net)};
}

/// Each row's steps by pair from the interval before, in units of the local scale; adds them to the days.
std::vector<std::vector<float>> add_steps(const TrainingRows& rows, const LagModel& lags, DailySteps& daily) {
  std::vector<std::vector<float>> steps;
  for (const std::size_t row : rows.targets) {
    const auto history = lag_history(rows.intervals, row);
    std::vector<float>& of_row = steps.emplace_back();
    for (std::size_t pair = 0; pair < rows.pairs.size(); ++pair) {
      const LagWindow window = window_of(history, rows.pairs.position(pair));
      const double moved = rows.intervals[row].bps()[rows.pairs.position(pair)] - window[0];
      of_row.push_back(static_cast<float>(moved / lags.scale_bps(pair, window)));
    }
    daily.add(rows.intervals[row].measured_at(), of_row);
  }
  return steps;
}

/// What a row's own day adds to the days: the steps of the target, and of those before and after it where these are
/// the intervals next to it.
DailySteps::Neighbours own_steps(const TrainingRows& rows, const std::vector<std::vector<float>>& steps,
                                 std::size_t i) {
  const auto time_of = [&](std::size_t target) { return rows.intervals[rows.targets[target]].measured_at(); };
  DailySteps::Neighbours own{{{}, steps[i], {}}};
  if (i > 0 && time_of(i) - time_of(i - 1) == rows.interval) own[0] = steps[i - 1];
  if (i + 1 < steps.size() && time_of(i + 1) - time_of(i) == rows.interval) own[2] = steps[i + 1];
  return own;
}

}  // namespace

TrainingRows training_rows(const PairIndex& pairs, std::span<const TrafficMatrix> intervals,
                           std::chrono::seconds interval) {
  return {pairs, intervals, interval, trainable_rows(intervals, interval)};
}

std::span<const TrafficMatrix> lag_history(std::span<const TrafficMatrix> intervals, std::size_t row) {
  const std::size_t length = std::min(row, LagModel::kLags);
  return intervals.subspan(row - length, length);
}

std::vector<LagModel> fit_panel_lags(const TrainingRows& rows) {
  const PairColumns columns = to_columns(rows.pairs, rows.intervals);
  std::vector<LagModel> models = fit_lag_models(columns, rows.targets, kPlainRidges);
  std::vector<LagModel> level = fit_lag_models(columns, rows.targets, kLevelRidges, {.level = true});
  std::move(level.begin(), level.end(), std::back_inserter(models));
  return models;
}

std::vector<LagModel> fit_further(const TrainingRows& rows, const PairColumns& columns, std::size_t horizon,
                                  std::span<const double> ridges) {
  const std::size_t stride = 1 + rows.targets.size() * rows.pairs.size() / kFurtherObservationsMax;
  RowList targets;
  for (std::size_t i = rows.targets.size(); i-- > 0 && rows.targets[i] >= LagModel::kLags + horizon - 1;) {
    if ((rows.targets.size() - 1 - i) % stride == 0) targets.push_back(rows.targets[i]);
  }
  return fit_lag_models(columns, targets, ridges, {.horizon = horizon, .level = true});
}

std::vector<LagModel> fit_all_further(const TrainingRows& rows, double ridge) {
  const PairColumns columns = to_columns(rows.pairs, rows.intervals);
  std::vector<LagModel> further;
  for (std::size_t horizon = 2; horizon <= kHorizonMax; ++horizon) {
    further.push_back(std::move(fit_further(rows, columns, horizon, std::array{ridge}).front()));
  }
  return further;
}

Regressions fit_regressions(const TrainingRows& rows, const LagModel& lags) {
  Regressions made{.daily = DailySteps{rows.pairs.size(), rows.interval}, .fits = {}};
  const auto steps = add_steps(rows, lags, made.daily);
  const std::size_t pairs = rows.pairs.size();
  const std::size_t count = rows.targets.size();
  RegressionRows seen{.pairs = pairs,
                      .rows = count,
                      .inputs = std::vector<float>(pairs * count * kRegressionInputs),
                      .targets = std::vector<float>(pairs * count),
                      .scales = std::vector<float>(pairs * count),
                      .alive = {}};
  std::vector<float> inputs(pairs * kRegressionInputs);
  for (std::size_t i = 0; i < count; ++i) {
    const auto history = lag_history(rows.intervals, rows.targets[i]);
    const TrafficMatrix& truth = rows.intervals[rows.targets[i]];
    const RecentTraffic recent = recent_traffic(rows.pairs, lags, history);
    describe_linear(lags, made.daily, recent, signs_of(rows.pairs, recent), truth.measured_at(),
                    own_steps(rows, steps, i), inputs);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const std::size_t place = pair * count + i;
      const double scale = recent.scale_bps[pair];
      seen.scales[place] = static_cast<float>(scale);
      seen.targets[place] = static_cast<float>(truth.bps()[rows.pairs.position(pair)] / scale);
      for (std::size_t input = 0; input < kRegressionInputs; ++input) {
        seen.inputs[place * kRegressionInputs + input] = inputs[input * pairs + pair];
      }
    }
  }
  for (const float mean_bps : lags.mean_bps) seen.alive.push_back(mean_bps > 0.0F);
  for (const std::size_t used : {kRegressionInputsPlain, kRegressionInputs}) {
    made.fits.push_back(fit_panel_regression(seen, used));
  }
  return made;
}

Result<ExpertPanel> train_panel(const TrainingRows& rows, std::vector<LagModel> lags, double ewma_alpha,
                                const HyperParameters& chosen, std::uint64_t seed, const ExpertPanel* before,
                                const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const std::array<std::size_t, 2> bases{chosen.base_lag_model, lags.size() - 1};
  const std::array<double, 2> shares{chosen.correction, chosen.shared_correction};
  std::vector<Correction> corrections;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const std::vector<float> start = before ? before->corrections()[i].net.parameters() : std::vector<float>{};
    auto correction = train_correction(rows, lags[bases[i]], chosen, seed + i * 0x9e3779b9U, start,
                                       [&](std::size_t done, std::size_t all) {
                                         if (on_batch) on_batch(i * all + done, bases.size() * all);
                                       });
    if (!correction) return tl::unexpected{correction.error()};
    correction->base = bases[i];
    correction->share = shares[i];
    corrections.push_back(*std::move(correction));
  }
  Regressions regressions = fit_regressions(rows, lags.front());
  return ExpertPanel{rows.pairs,   ewma_alpha, std::move(lags), std::move(corrections), std::move(regressions),
                     rows.interval};
}

}  // namespace wan::models
