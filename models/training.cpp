#include "models/training.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "models/evaluation.h"
#include "models/history.h"

namespace wan::models {
namespace {

constexpr std::array<double, 7> kRidges{0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0};
constexpr std::array<double, 5> kCorrectionShares{1.0, 0.75, 0.5, 0.25, 0.0};
constexpr std::size_t kExampleBytesMax = std::size_t{4} << 30;

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

Intervals history_of(Intervals intervals, std::size_t row) {
  const std::size_t length = std::min(row, LagModel::kLags);
  return intervals.subspan(row - length, length);
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
    BaseForecast base = forecast_base(pairs, lags, history_of(intervals, row));
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
    describe(pairs, lags, seasons, history_of(intervals, rows[i]), intervals[rows[i]].measured_at(), examples.bases[i],
             std::span{surprises}.subspan(i * pairs.size(), pairs.size()),
             std::span{examples.features}.subspan(i * pairs.size() * kFeatureCount, pairs.size() * kFeatureCount));
  }
  return examples;
}

/// One training of the network on top of a fitted lag model.
Result<LearnedModel> learn_correction(const PairIndex& pairs, const LagModel& lags, Intervals intervals,
                                      const RowList& rows, std::chrono::seconds interval, const HyperParameters& chosen,
                                      std::uint64_t seed,
                                      const std::function<void(std::size_t, std::size_t)>& on_batch) {
  SeasonProfile seasons{pairs.size(), interval};
  const Examples examples = make_examples(pairs, lags, intervals, rows, seasons);
  const CorrectionShape shape{.pairs = pairs.size(),
                              .features = kFeatureCount,
                              .embedding = chosen.embedding,
                              .hidden = chosen.hidden,
                              .members = chosen.members};
  const CorrectionSchedule schedule{.epochs = chosen.epochs,
                                    .rows_per_batch = chosen.rows_per_batch,
                                    .learning_rate = chosen.learning_rate,
                                    .weight_decay = chosen.weight_decay,
                                    .seed = seed};
  auto net = CorrectionNet::train(shape,
                                  {.rows = rows.size(),
                                   .features = examples.features,
                                   .base = examples.base,
                                   .target = examples.target,
                                   .weight = examples.weight},
                                  schedule, on_batch);
  if (!net) return tl::unexpected{net.error()};
  return LearnedModel{pairs, lags, std::move(seasons), *std::move(net), chosen.correction, interval};
}

/// Sum of absolute errors of a lag model alone over the rows from `from` on.
double base_errors(const PairIndex& pairs, const LagModel& lags, Intervals intervals, std::size_t from) {
  double errors = 0.0;
  for (std::size_t row = from; row < intervals.size(); ++row) {
    const BaseForecast base = forecast_base(pairs, lags, history_of(intervals, row));
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = intervals[row].bps()[pairs.position(pair)];
      errors += std::abs(static_cast<double>(base.forecast[pair]) * base.scale_bps[pair] - truth);
    }
  }
  return errors;
}

/// The share of the correction with the least absolute error over the rows from `from` on; the larger one when equal.
Result<double> best_correction_share(const LearnedModel& model, const PairIndex& pairs, Intervals intervals,
                                     std::size_t from) {
  std::array<double, kCorrectionShares.size()> errors{};
  for (std::size_t row = from; row < intervals.size(); ++row) {
    const auto forecast = model.forecast_pairs(history_of(intervals, row));
    if (!forecast) return tl::unexpected{forecast.error()};
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = intervals[row].bps()[pairs.position(pair)];
      for (std::size_t i = 0; i < errors.size(); ++i) {
        const double units = static_cast<double>(forecast->base.forecast[pair]) +
                             kCorrectionShares[i] * static_cast<double>(forecast->correction[pair]);
        errors[i] += std::abs(std::max(units, 0.0) * forecast->base.scale_bps[pair] - truth);
      }
    }
  }
  return kCorrectionShares[static_cast<std::size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin())];
}

/// Scores of the model and of the baselines, fitted on the rows before `from`.
Result<ValidationScores> validate(const LearnedModel& model, Intervals intervals, std::size_t from) {
  const Intervals before = intervals.first(from);
  const auto ar12 = fit_ar12_forecaster(before);
  if (!ar12) return tl::unexpected{ar12.error()};
  const auto last = make_last_value_forecaster();
  const auto ewma = fit_ewma_forecaster(before);
  ValidationScores scores{.rows = intervals.size() - from};
  const std::array<std::pair<const Forecaster*, double*>, 4> contestants{
      {{&model, &scores.model}, {last.get(), &scores.last}, {ewma.get(), &scores.ewma}, {ar12->get(), &scores.ar12}}};
  for (const auto& [forecaster, nmae] : contestants) {
    const auto score = score_forecaster(*forecaster, intervals, from, intervals.size());
    if (!score) return tl::unexpected{score.error()};
    *nmae = score->nmae;
  }
  return scores;
}

/// Chooses on the last fifth: returns the hyper-parameters chosen and what they reached there.
struct Choice {
  HyperParameters chosen;
  ValidationScores scores;
};

Result<Choice> choose(const PairIndex& pairs, Intervals intervals, std::chrono::seconds interval,
                      const TrainOptions& options, HyperParameters chosen,
                      const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const std::size_t from = intervals.size() - intervals.size() / 5;
  const Intervals before = intervals.first(from);
  const RowList rows = trainable_rows(before, interval);
  const std::vector<LagModel> candidates = fit_lag_models(to_columns(pairs, before), rows, kRidges);
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double errors = base_errors(pairs, candidates[i], intervals, from);
    if (errors < least) {
      least = errors;
      best = i;
    }
  }
  chosen.ridge = kRidges[best];
  auto model = learn_correction(pairs, candidates[best], before, rows, interval, chosen, options.seed, on_batch);
  if (!model) return tl::unexpected{model.error()};
  const auto share = best_correction_share(*model, pairs, intervals, from);
  if (!share) return tl::unexpected{share.error()};
  chosen.correction = *share;
  model->set_correction_share(*share);
  const auto scores = validate(*model, intervals, from);
  if (!scores) return tl::unexpected{scores.error()};
  return Choice{.chosen = chosen, .scores = *scores};
}

Result<void> check_trainable(const Topology& topology, const TrafficSeries& series) {
  const Intervals intervals = series.intervals;
  if (intervals.size() < kTrainingIntervalsMin) {
    return fail(ErrorCode::kBadInput, "training needs at least " + std::to_string(kTrainingIntervalsMin) +
                                          " intervals, not " + std::to_string(intervals.size()));
  }
  if (auto shape = check_history(intervals, topology.node_count(), intervals[0].class_count()); !shape) return shape;
  if (std::none_of(intervals.begin(), intervals.end(), [](const TrafficMatrix& m) { return m.total().bps() > 0.0; })) {
    return fail(ErrorCode::kBadInput, "there is no traffic to train on");
  }
  const double entries = static_cast<double>(intervals[0].bps().size());
  const double bytes = entries * static_cast<double>(intervals.size() * (kFeatureCount + 4) * sizeof(float));
  if (bytes > static_cast<double>(kExampleBytesMax)) {
    return fail(ErrorCode::kUnsupported, "training on " + std::to_string(intervals.size()) + " intervals of " +
                                             std::to_string(topology.node_count()) + " nodes would need " +
                                             std::to_string(static_cast<long long>(std::ceil(bytes / (1 << 30)))) +
                                             " GiB; use fewer intervals");
  }
  return {};
}

ModelCard make_card(const Topology& topology, const TrafficSeries& series, const TrainOptions& options,
                    const Choice& choice) {
  const Intervals intervals = series.intervals;
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(series.interval());
  ModelCard card;
  card.network = options.network;
  card.node_count = topology.node_count();
  card.link_count = topology.link_count();
  card.class_count = intervals[0].class_count();
  card.topology_digest = topology.digest();
  card.interval = interval;
  card.history_intervals = LagModel::kLags;
  card.features = kFeatureCount;
  card.trained_from = intervals.front().measured_at();
  card.trained_until = intervals.back().measured_at() + interval;
  card.trained_rows = intervals.size();
  card.data_digest = series.digest(intervals.size());
  card.seed = options.seed;
  card.hyper_parameters = choice.chosen;
  card.validation = choice.scores;
  card.library_version = options.library_version;
  return card;
}

}  // namespace

Result<ModelBundle> train_model(const Topology& topology, const TrafficSeries& series, const TrainOptions& options) {
  if (auto sound = check_trainable(topology, series); !sound) return tl::unexpected{sound.error()};
  const Intervals intervals = series.intervals;
  const PairIndex pairs{topology.node_count(), intervals[0].class_count()};
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(series.interval());
  HyperParameters fixed;
  fixed.epochs = options.epochs;
  fixed.members = options.members;
  fixed.rows_per_batch = 32;
  fixed.embedding = 4;
  fixed.hidden = 32;
  fixed.learning_rate = 2e-3;
  fixed.weight_decay = 1e-2;

  // The first training goes over four fifths of the rows, so it is 4 of 9 parts of the work.
  const auto report = [&options](double part_before, double part) {
    return [=, &options](std::size_t done, std::size_t all) {
      const double fraction = part_before + part * static_cast<double>(done) / static_cast<double>(all);
      if (options.on_progress) options.on_progress(static_cast<std::size_t>(fraction * 1000.0), 1000);
    };
  };
  auto choice = choose(pairs, intervals, interval, options, fixed, report(0.0, 4.0 / 9.0));
  if (!choice) return tl::unexpected{choice.error()};

  const RowList rows = trainable_rows(intervals, interval);
  const std::array<double, 1> ridge{choice->chosen.ridge};
  const LagModel lags = std::move(fit_lag_models(to_columns(pairs, intervals), rows, ridge).front());
  auto learned = learn_correction(pairs, lags, intervals, rows, interval, choice->chosen, options.seed,
                                  report(4.0 / 9.0, 5.0 / 9.0));
  if (!learned) return tl::unexpected{learned.error()};
  auto ar12 = fit_ar12(intervals);
  if (!ar12) return tl::unexpected{ar12.error()};

  ModelBundle model{.card = make_card(topology, series, options, *choice),
                    .learned = std::make_unique<LearnedModel>(*std::move(learned)),
                    .ar12 = *std::move(ar12)};
  model.card.ewma_alpha = fit_ewma_alpha(intervals);
  return model;
}

}  // namespace wan::models
