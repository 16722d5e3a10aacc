#include "models/training.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "models/evaluation.h"
#include "models/history.h"
#include "models/panel_training.h"

namespace wan::models {
namespace {

constexpr std::array<double, 4> kFurtherRidges{0.03, 0.3, 3.0, 30.0};
constexpr double kLearningRate = 2e-3;
constexpr std::size_t kRidgeHorizon = 6;  // the further ridge is chosen there
constexpr std::array<double, 5> kCorrectionShares{1.0, 0.75, 0.5, 0.25, 0.0};
constexpr std::array<double, 5> kFurtherShares{1.0, 0.75, 0.5, 0.25, 0.0};
constexpr std::size_t kBandNumbersMax = 50'000'000;  // forecasts that bands are learned from, at most...
constexpr std::size_t kBandRowsMin = 50;             // ...but those of so many rows
constexpr std::size_t kExampleBytesMax = std::size_t{4} << 30;

using Intervals = std::span<const TrafficMatrix>;

/// Sum of absolute errors of a lag model alone over the rows from `from` on, that many intervals ahead.
double lag_errors(const PairIndex& pairs, const LagModel& lags, Intervals intervals, std::size_t from,
                  std::size_t horizon) {
  double errors = 0.0;
  for (std::size_t row = from; row < intervals.size(); ++row) {
    const BaseForecast base = forecast_base(pairs, lags, lag_history(intervals, row + 1 - horizon));
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = intervals[row].bps()[pairs.position(pair)];
      errors += std::abs(static_cast<double>(base.forecast[pair]) * base.scale_bps[pair] - truth);
    }
  }
  return errors;
}

std::size_t best_lag_model(const PairIndex& pairs, const std::vector<LagModel>& candidates, Intervals intervals,
                           std::size_t from, std::size_t horizon) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double errors = lag_errors(pairs, candidates[i], intervals, from, horizon);
    if (errors >= least) continue;
    least = errors;
    best = i;
  }
  return best;
}

/// The share of the correction with the least absolute error over the rows from `from` on; the larger one when equal.
double best_correction_share(const ExpertPanel& panel, std::size_t correction, Intervals intervals, std::size_t from) {
  std::array<double, kCorrectionShares.size()> errors{};
  for (std::size_t row = from; row < intervals.size(); ++row) {
    const ExpertPanel::Corrected forecast = panel.corrected(correction, lag_history(intervals, row));
    for (std::size_t pair = 0; pair < panel.pairs().size(); ++pair) {
      const double truth = intervals[row].bps()[panel.pairs().position(pair)];
      for (std::size_t i = 0; i < errors.size(); ++i) {
        const double units = static_cast<double>(forecast.base.forecast[pair]) +
                             kCorrectionShares[i] * static_cast<double>(forecast.correction[pair]);
        errors[i] += std::abs(std::max(units, 0.0) * forecast.base.scale_bps[pair] - truth);
      }
    }
  }
  return kCorrectionShares[static_cast<std::size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin())];
}

/// What a panel says for the rows from `from` on, which it was not fitted on.
ExpertRecord record_experts(const ExpertPanel& panel, Intervals intervals, std::size_t from) {
  const std::size_t row_size = panel.pairs().size() * panel.size();
  ExpertRecord record;
  record.rows = intervals.size() - from;
  record.forecasts.resize(record.rows * row_size);
  for (std::size_t row = from; row < intervals.size(); ++row) {
    const auto out = std::span{record.forecasts}.subspan((row - from) * row_size, row_size);
    panel.forecast(lag_history(intervals, row), out);
    for (std::size_t pair = 0; pair < panel.pairs().size(); ++pair) {
      record.truth.push_back(intervals[row].bps()[panel.pairs().position(pair)]);
    }
  }
  return record;
}

/// By pair: the mean step from one interval to the next, a thousandth of the mean over all pairs added.
std::vector<float> mean_steps(const PairIndex& pairs, Intervals intervals) {
  const PairColumns columns = to_columns(pairs, intervals);
  const double sum = std::accumulate(columns.bps.begin(), columns.bps.end(), 0.0);
  const double floor_bps = std::max(1e-3 * sum / static_cast<double>(columns.bps.size()), 1.0);
  std::vector<float> steps;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    const auto column = columns.column(pair);
    double moved = 0.0;
    for (std::size_t row = 1; row < column.size(); ++row) moved += std::abs(column[row] - column[row - 1]);
    steps.push_back(static_cast<float>(moved / static_cast<double>(column.size()) + floor_bps));
  }
  return steps;
}

/// Scores of a model that was fitted on other rows, and of the baselines fitted on the rows before `from`.
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

/// What the last fifth decided, and what was reached there.
struct Choice {
  HyperParameters chosen;
  ExpertMix mix;
  std::vector<float> further_shares;
  PredictionBands bands;
  ValidationScores scores;
};

/// What a model says after each row from `from` - 1 on: calls `take(row it was made after, its forecasts)`.
template <typename Take>
Result<void> look_ahead(const LearnedModel& model, Intervals intervals, std::size_t from, const Take& take) {
  for (std::size_t newest = from - 1; newest + 1 < intervals.size(); ++newest) {
    const std::size_t length = std::min(newest + 1, model.history_intervals());
    const auto ahead = model.ahead(intervals.subspan(newest + 1 - length, length),
                                   std::min(kHorizonMax, intervals.size() - 1 - newest));
    if (!ahead) return tl::unexpected{ahead.error()};
    take(newest, *ahead);
  }
  return {};
}

/// By horizon from 2 on: the share of the lag model beside the nearest forecast with the least absolute error.
/// @param model  with shares of 1
Result<std::vector<float>> best_further_shares(const LearnedModel& model, Intervals intervals, std::size_t from) {
  std::array<std::array<double, kFurtherShares.size()>, kHorizonMax> errors{};
  const auto add_errors = [&](std::size_t newest, const std::vector<TrafficMatrix>& ahead) {
    for (std::size_t step = 1; step < ahead.size(); ++step) {
      for (std::size_t i = 0; i < ahead[step].bps().size(); ++i) {
        const double near = ahead[0].bps()[i];
        const double truth = intervals[newest + 1 + step].bps()[i];
        for (std::size_t share = 0; share < kFurtherShares.size(); ++share) {
          errors[step][share] += std::abs(near + kFurtherShares[share] * (ahead[step].bps()[i] - near) - truth);
        }
      }
    }
  };
  if (auto looked = look_ahead(model, intervals, from, add_errors); !looked) return tl::unexpected{looked.error()};
  std::vector<float> shares;
  for (std::size_t step = 1; step < kHorizonMax; ++step) {
    const auto best = std::min_element(errors[step].begin(), errors[step].end()) - errors[step].begin();
    shares.push_back(static_cast<float>(kFurtherShares[static_cast<std::size_t>(best)]));
  }
  return shares;
}

/// Bands around a model's forecasts of the rows from `from` on, which it was not fitted on.
Result<PredictionBands> learn_bands(const LearnedModel& model, Intervals intervals, std::size_t from) {
  PredictionBands bands{intervals[0].bps().size()};
  const std::size_t rows_max = std::max(kBandNumbersMax / (kHorizonMax * intervals[0].bps().size()), kBandRowsMin);
  from = std::max(from, intervals.size() - std::min(intervals.size(), rows_max));
  std::array<std::vector<std::vector<double>>, kHorizonMax> forecasts, measured;
  const auto keep = [&](std::size_t newest, const std::vector<TrafficMatrix>& ahead) {
    for (std::size_t step = 0; step < ahead.size(); ++step) {
      const auto forecast = ahead[step].bps();
      const auto truth = intervals[newest + 1 + step].bps();
      forecasts[step].emplace_back(forecast.begin(), forecast.end());
      measured[step].emplace_back(truth.begin(), truth.end());
    }
  };
  if (auto looked = look_ahead(model, intervals, from, keep); !looked) return tl::unexpected{looked.error()};
  for (std::size_t step = 0; step < kHorizonMax; ++step) bands.learn(step + 1, forecasts[step], measured[step]);
  return bands;
}

double best_further_ridge(const TrainingRows& before, Intervals intervals) {
  const auto candidates =
      fit_further(before, to_columns(before.pairs, before.intervals), kRidgeHorizon, kFurtherRidges);
  return kFurtherRidges[best_lag_model(before.pairs, candidates, intervals, before.intervals.size(), kRidgeHorizon)];
}

/// Chooses a lag model, ridge and shares of corrections by the rows after those that a panel is trained on here.
Result<ExpertPanel> choose_panel(const TrainingRows& before, Intervals intervals, std::uint64_t seed,
                                 HyperParameters& chosen,
                                 const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const std::size_t from = before.intervals.size();
  std::vector<LagModel> lags = fit_panel_lags(before);
  chosen.lag_models = lags.size();
  chosen.base_lag_model = best_lag_model(before.pairs, lags, intervals, from, 1);
  chosen.further_ridge = best_further_ridge(before, intervals);
  auto panel = train_panel(before, std::move(lags), fit_ewma_alpha(before.intervals), chosen, seed, nullptr, on_batch);
  if (!panel) return panel;
  const std::array<double*, 2> shares{&chosen.correction, &chosen.shared_correction};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    *shares[i] = best_correction_share(*panel, i, intervals, from);
    panel->set_correction_share(i, *shares[i]);
  }
  return panel;
}

Result<Choice> choose(const PairIndex& pairs, Intervals intervals, std::chrono::seconds interval,
                      const TrainOptions& options, HyperParameters chosen,
                      const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const std::size_t from = intervals.size() - intervals.size() / 5;
  const TrainingRows before = training_rows(pairs, intervals.first(from), interval);
  auto panel = choose_panel(before, intervals, options.seed, chosen, on_batch);
  if (!panel) return tl::unexpected{panel.error()};
  const ExpertRecord record = record_experts(*panel, intervals, from);
  ExpertMix mix = fit_expert_mix(panel->size(), mean_steps(pairs, before.intervals), record);
  chosen.mix_rate = mix.rate;

  // Scored as it will be used: with no losses known from the rows that it is scored on.
  ExpertMix fresh = mix;
  std::fill(fresh.losses.begin(), fresh.losses.end(), 0.0F);
  LearnedModel model{
      *std::move(panel),
      std::move(fresh),
      {.lags = fit_all_further(before, chosen.further_ridge), .shares = std::vector<float>(kHorizonMax - 1, 1.0F)},
      intervals[from].measured_at()};
  auto further_shares = best_further_shares(model, intervals, from);
  if (!further_shares) return tl::unexpected{further_shares.error()};
  model.set_further_shares(*further_shares);
  const auto scores = validate(model, intervals, from);
  if (!scores) return tl::unexpected{scores.error()};
  auto bands = learn_bands(model, intervals, from);
  if (!bands) return tl::unexpected{bands.error()};
  return Choice{.chosen = chosen,
                .mix = std::move(mix),
                .further_shares = *std::move(further_shares),
                .bands = *std::move(bands),
                .scores = *scores};
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

/// Trains on all rows with what was chosen.
Result<ModelBundle> train_chosen(const Topology& topology, const TrafficSeries& series, const TrainOptions& options,
                                 Choice choice, const ModelBundle* before,
                                 const std::function<void(std::size_t, std::size_t)>& on_batch) {
  const Intervals intervals = series.intervals;
  const PairIndex pairs{topology.node_count(), intervals[0].class_count()};
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(series.interval());
  const TrainingRows rows = training_rows(pairs, intervals, interval);
  ModelCard card = make_card(topology, series, options, choice);
  card.ewma_alpha = fit_ewma_alpha(intervals);
  if (before) card.resumed_from = before->card.weights_digest;
  auto panel = train_panel(rows, fit_panel_lags(rows), card.ewma_alpha, choice.chosen, options.seed,
                           before ? &before->learned->panel() : nullptr, on_batch);
  if (!panel) return tl::unexpected{panel.error()};
  auto ar12 = fit_ar12(intervals);
  if (!ar12) return tl::unexpected{ar12.error()};
  auto learned =
      std::make_unique<LearnedModel>(*std::move(panel), std::move(choice.mix),
                                     LearnedModel::Further{.lags = fit_all_further(rows, choice.chosen.further_ridge),
                                                           .shares = std::move(choice.further_shares)},
                                     card.trained_until);
  card.history_intervals = learned->history_intervals();
  return ModelBundle{.card = std::move(card),
                     .learned = std::move(learned),
                     .ar12 = *std::move(ar12),
                     .bands = std::move(choice.bands)};
}

/// The first row that a model has not seen.
/// @error kBadInput, kShapeMismatch
Result<std::size_t> first_new_row(const TrafficSeries& series, const ModelCard& card) {
  const Intervals intervals = series.intervals;
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(series.interval());
  if (interval != card.interval || intervals[0].class_count() != card.class_count) {
    return fail(ErrorCode::kShapeMismatch,
                "the traffic comes every " + std::to_string(interval.count()) + " s in " +
                    std::to_string(intervals[0].class_count()) + " classes, the model was trained on intervals of " +
                    std::to_string(card.interval.count()) + " s and " + std::to_string(card.class_count) + " classes");
  }
  std::size_t row = 0;
  while (row < intervals.size() && intervals[row].measured_at() < card.trained_until) ++row;
  if (row >= kTrainingIntervalsMin && intervals.size() - row >= kNewIntervalsMin) return row;
  return fail(ErrorCode::kBadInput, "going on needs at least " + std::to_string(kTrainingIntervalsMin) +
                                        " intervals before " + format_timestamp(card.trained_until) +
                                        ", where the model's training ended, and " + std::to_string(kNewIntervalsMin) +
                                        " from there on; there are " + std::to_string(row) + " and " +
                                        std::to_string(intervals.size() - row));
}

/// A mixture's losses after it has seen the rows from `from` on; what it knew before counts half.
Result<ExpertMix> follow_experts(const LearnedModel& model, Intervals intervals, std::size_t from) {
  const ExpertRecord record = record_experts(model.panel(), intervals, from);
  ExpertMix mix = model.mix();
  for (float& loss : mix.losses) loss *= 0.5F;
  for (std::size_t at = 0; at < record.truth.size(); ++at) {
    const std::size_t pair = at % mix.pair_count();
    mix.add_losses(pair, std::span{record.forecasts}.subspan(at * mix.expert_count, mix.expert_count), record.truth[at],
                   std::span{mix.losses}.subspan(pair * mix.expert_count, mix.expert_count));
  }
  return mix;
}

Result<PredictionBands> follow_bands(const LearnedModel& model, PredictionBands bands, Intervals intervals,
                                     std::size_t from) {
  const auto record = [&](std::size_t newest, const std::vector<TrafficMatrix>& ahead) {
    for (std::size_t step = 0; step < ahead.size(); ++step) {
      bands.record(step + 1, ahead[step].bps(), intervals[newest + 1 + step].bps());
    }
  };
  if (auto looked = look_ahead(model, intervals, from, record); !looked) return tl::unexpected{looked.error()};
  return bands;
}

}  // namespace

Result<ModelBundle> resume_training(const Topology& topology, const TrafficSeries& series, const ModelBundle& before,
                                    const TrainOptions& options) {
  if (auto sound = check_trainable(topology, series); !sound) return tl::unexpected{sound.error()};
  const Intervals intervals = series.intervals;
  const auto from = first_new_row(series, before.card);
  if (!from) return tl::unexpected{from.error()};
  const auto scores = validate(*before.learned, intervals, *from);
  if (!scores) return tl::unexpected{scores.error()};
  auto mix = follow_experts(*before.learned, intervals, *from);
  if (!mix) return tl::unexpected{mix.error()};
  auto bands = follow_bands(*before.learned, before.bands, intervals, *from);
  if (!bands) return tl::unexpected{bands.error()};
  Choice choice{.chosen = before.card.hyper_parameters,
                .mix = *std::move(mix),
                .further_shares = before.learned->further().shares,
                .bands = *std::move(bands),
                .scores = *scores};
  choice.chosen.epochs = options.epochs;
  choice.chosen.learning_rate = kLearningRate / 2.0;
  return train_chosen(topology, series, options, std::move(choice), &before, options.on_progress);
}

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
  fixed.learning_rate = kLearningRate;
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
  return train_chosen(topology, series, options, *std::move(choice), nullptr, report(4.0 / 9.0, 5.0 / 9.0));
}

}  // namespace wan::models
