#include "models/program/evaluate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/json_output.h"
#include "core/io/progress_bar.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "models/evaluation.h"
#include "models/learned_model.h"
#include "models/program/contestants.h"
#include "models/program/row_range.h"
#include "models/training.h"

namespace wan::models {
namespace {

constexpr const char* kExamples = R"(
Forecasts every row in [--score-from, --score-to), counted from 0 without the header, from the rows before it, by the
model and by ten baselines in the same run: the last value; exponentially weighted moving averages (EWMA) with weights
0.3, 0.5, 0.7 and as fitted; an autoregression over 12 intervals per pair of nodes; the mean and the peak of 12
intervals; the same time a day before (and a week before, with two weeks of training rows); an autoregression over 3
intervals of all pairs together. Baselines are fitted on the rows of the file that the model was trained on; where the
file lacks these, vector_ar3 is fitted on the rows before the scored ones.

NMAE is the sum of absolute errors over the sum of what there was; RRMSE the same with squares, under a root; p50 and
p99 are of the rows' absolute errors over the mean row's traffic. `p` is the two-sided p-value of Diebold and Mariano's
paired test of the model against the baseline. Bands are the model's 90 % intervals, which go on learning row by row:
they ought to hold 90 % of the entries.

Exit code: 0 scored, 1 a file cannot be used or the model was trained on a scored row (one line on standard error says
why), 2 wrong usage.

Examples:
  aiwan-models evaluate --model abilene-model --topology abilene.graph --traffic traffic.csv --score-from 2880
  aiwan-models evaluate --model m --topology geant.graph --traffic traffic.csv --score-from 400 --horizons 1,4 --json -)";

struct EvaluateOptions {
  std::string model, topology, traffic, json;
  std::int64_t from = 0;
  std::int64_t to = kToTheEnd;
  std::vector<std::size_t> horizons{1, 3, 12};
};

/// What an evaluation came to.
struct Evaluation {
  RowRange rows;
  std::vector<std::size_t> horizons;
  std::vector<Contestant> contestants;
  std::vector<BandScore> bands;   // by horizon
  std::size_t fallback_rows = 0;  // scored rows that the model left to the EWMA
  std::vector<std::string> notes;
  double seconds = 0.0;
};

int report(const Error& error) {
  std::cerr << "aiwan-models evaluate: " << error.message << '\n';
  return 1;
}

/// Scores must not be taken on data that the model has seen.
Result<void> check_unseen(const ModelCard& card, const TrafficSeries& series, const RowRange& rows) {
  for (std::size_t row = rows.from; row < rows.to; ++row) {
    const Timestamp begin = series.intervals[row].measured_at();
    if (begin >= card.trained_until || begin + card.interval <= card.trained_from) continue;
    return fail(ErrorCode::kBadInput, "row " + std::to_string(row) + " (" + format_timestamp(begin) +
                                          ") lies in the time that the model was trained on, " +
                                          format_timestamp(card.trained_from) + " to " +
                                          format_timestamp(card.trained_until));
  }
  return {};
}

Result<void> check_series_fits(const ModelCard& card, const TrafficSeries& series) {
  const auto interval = std::chrono::duration_cast<std::chrono::seconds>(series.interval());
  if (series.intervals.size() < 2 || interval == card.interval) return {};
  return fail(ErrorCode::kShapeMismatch, "the traffic comes every " + std::to_string(interval.count()) +
                                             " s, but the model was trained on intervals of " +
                                             std::to_string(card.interval.count()) + " s");
}

bool is_trained_row(const ModelCard& card, const TrafficMatrix& matrix) {
  return matrix.measured_at() >= card.trained_from && matrix.measured_at() < card.trained_until;
}

/// The rows to fit baselines on: those in the file that the model was trained on, else those before the scored ones.
std::span<const TrafficMatrix> baseline_rows(const ModelCard& card, std::span<const TrafficMatrix> intervals,
                                             const RowRange& rows) {
  std::size_t first = 0;
  while (first < intervals.size() && !is_trained_row(card, intervals[first])) ++first;
  std::size_t end = first;
  while (end < intervals.size() && is_trained_row(card, intervals[end])) ++end;
  return end - first >= kTrainingIntervalsMin ? intervals.subspan(first, end - first) : intervals.first(rows.from);
}

/// The first row that bands may learn from: not trained on, with rows before it to forecast from.
std::size_t first_band_row(const ModelCard& card, std::span<const TrafficMatrix> intervals, const RowRange& rows,
                           std::size_t furthest) {
  std::size_t first = rows.from;
  while (first > furthest && !is_trained_row(card, intervals[first - 1])) --first;
  return first;
}

Result<std::size_t> count_fallbacks(const LearnedModel& model, std::span<const TrafficMatrix> intervals,
                                    const RowRange& rows) {
  std::size_t count = 0;
  for (std::size_t row = rows.from; row < rows.to; ++row) {
    const auto fallen = model.falls_back(intervals.first(row));
    if (!fallen) return tl::unexpected{fallen.error()};
    if (*fallen) ++count;
  }
  return count;
}

Result<Evaluation> evaluate(const ModelBundle& model, const TrafficSeries& series, const RowRange& rows,
                            const EvaluateOptions& options, const Clock& clock) {
  const Duration begin = clock.now();
  Evaluation made{.rows = rows, .horizons = options.horizons, .contestants = {}, .bands = {}, .notes = {}};
  const std::span<const TrafficMatrix> intervals = series.intervals;
  made.contestants = make_contestants(
      model, {.training = baseline_rows(model.card, intervals, rows), .interval = model.card.interval}, made.notes);
  io::ProgressBar progress{"scoring", clock};
  if (auto scored = score_contestants(made.contestants, intervals, rows, made.horizons, clock,
                                      [&](std::size_t done, std::size_t all) { progress.update(done, all); });
      !scored) {
    return tl::unexpected{scored.error()};
  }
  const std::size_t furthest = *std::max_element(made.horizons.begin(), made.horizons.end());
  auto bands = score_bands(*model.learned, model.bands, intervals,
                           first_band_row(model.card, intervals, rows, furthest), rows.from, rows.to, made.horizons);
  if (!bands) return tl::unexpected{bands.error()};
  made.bands = *std::move(bands);
  const auto fallbacks = count_fallbacks(*model.learned, intervals, rows);
  if (!fallbacks) return tl::unexpected{fallbacks.error()};
  made.fallback_rows = *fallbacks;
  made.seconds = to_seconds(clock.now() - begin);
  return made;
}

nlohmann::ordered_json contestant_json(const Contestant& one, std::size_t h, bool is_model) {
  const Score& score = one.scores[h];
  nlohmann::ordered_json json{
      {"name", one.name},
      {"nmae", score.nmae},
      {"rrmse", score.rrmse},
      {"row_error",
       {{"mean", score.nmae}, {"p50", quantile(score.row_errors, 0.5)}, {"p99", quantile(score.row_errors, 0.99)}}}};
  if (is_model) return json;
  const PairedTest& test = one.against_model[h];
  json["model_minus_this"] = {{"mean", test.mean_difference}, {"statistic", test.statistic}, {"p_value", test.p_value}};
  return json;
}

nlohmann::ordered_json horizon_json(const Evaluation& made, std::size_t h) {
  const Contestant& best = made.contestants[best_baseline(made.contestants, h)];
  nlohmann::ordered_json json{{"intervals_ahead", made.horizons[h]},
                              {"best_baseline", best.name},
                              {"model_over_best", made.contestants[0].scores[h].nmae / best.scores[h].nmae}};
  for (const Contestant& one : made.contestants) {
    json["contestants"].push_back(contestant_json(one, h, &one == &made.contestants.front()));
  }
  const BandScore& band = made.bands[h];
  json["bands"] = {{"promised", PredictionBands::kCoverage},
                   {"coverage", band.coverage},
                   {"width", band.width},
                   {"pinball", band.pinball},
                   {"entries", band.entries}};
  return json;
}

nlohmann::ordered_json to_json(const Evaluation& made, const ModelCard& card) {
  nlohmann::ordered_json json;
  for (const Contestant& one : made.contestants) json["nmae"][one.name] = one.scores.front().nmae;
  for (const Contestant& one : made.contestants) json["rrmse"][one.name] = one.scores.front().rrmse;
  for (const Contestant& one : made.contestants) json["ms_per_forecast"][one.name] = one.milliseconds_per_forecast;
  for (std::size_t h = 0; h < made.horizons.size(); ++h) json["horizons"].push_back(horizon_json(made, h));
  json["fallback_rows"] = made.fallback_rows;
  json["rows"] = made.rows.to - made.rows.from;
  json["score_from"] = made.rows.from;
  json["score_to"] = made.rows.to;
  json["trained_until"] = format_timestamp(card.trained_until);
  json["seed"] = card.seed;
  json["ewma_alpha"] = card.ewma_alpha;
  json["notes"] = made.notes;
  json["seconds"] = made.seconds;
  return json;
}

void tell_horizon(std::ostream& talk, const Evaluation& made, std::size_t h) {
  talk << made.horizons[h] << (made.horizons[h] == 1 ? " interval" : " intervals") << " ahead\n"
       << "                  NMAE    RRMSE   row p50   row p99   against model         p\n"
       << std::fixed;
  for (const Contestant& one : made.contestants) {
    const Score& score = one.scores[h];
    talk << "  " << std::left << std::setw(12) << one.name << std::right << std::setprecision(5) << std::setw(8)
         << score.nmae << std::setw(9) << score.rrmse << std::setw(10) << quantile(score.row_errors, 0.5)
         << std::setw(10) << quantile(score.row_errors, 0.99);
    if (&one != &made.contestants.front()) {
      const double over = made.contestants[0].scores[h].nmae / score.nmae - 1.0;
      talk << std::setprecision(1) << std::showpos << std::setw(14) << 100.0 * over << " %" << std::noshowpos
           << std::setprecision(5) << std::setw(10) << one.against_model[h].p_value;
    }
    talk << '\n';
  }
  const BandScore& band = made.bands[h];
  talk << "  90 % bands held " << std::setprecision(1) << 100.0 * band.coverage << " % of " << band.entries
       << " entries; width " << std::setprecision(3) << band.width << ", pinball loss " << std::setprecision(4)
       << band.pinball << " (both over the traffic)\n";
}

void tell(std::ostream& talk, const io::TopologyFile& network, const Evaluation& made) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  for (const std::string& note : made.notes) talk << "note: " << note << '\n';
  talk << "rows [" << made.rows.from << ", " << made.rows.to << "), the model at " << std::fixed << std::setprecision(2)
       << made.contestants.front().milliseconds_per_forecast << " ms a forecast; " << made.fallback_rows
       << " of them left to the EWMA\n";
  for (std::size_t h = 0; h < made.horizons.size(); ++h) tell_horizon(talk, made, h);
}

int run_evaluate(const EvaluateOptions& options, const Clock& clock) {
  const io::JsonOutput json{options.json};
  const auto network = io::read_topology(options.topology);
  if (!network) return report(network.error());
  const auto model = load_model(options.model);
  if (!model) return report(model.error());
  if (const auto fits = check_model_fits(model->card, network->topology); !fits) return report(fits.error());
  const auto series = io::read_traffic_csv(options.traffic, network->topology);
  if (!series) return report(series.error());
  const auto rows = check_rows(options.from, "--score-from", options.to, "--score-to", series->intervals.size());
  if (!rows) return report(rows.error());
  if (const auto fits = check_series_fits(model->card, *series); !fits) return report(fits.error());
  if (const auto unseen = check_unseen(model->card, *series, *rows); !unseen) return report(unseen.error());

  const auto made = evaluate(*model, *series, *rows, options, clock);
  if (!made) return report(made.error());
  if (const auto written = json.write(to_json(*made, model->card).dump(2)); !written) return report(written.error());
  tell(json.talk(), *network, *made);
  return 0;
}

}  // namespace

void add_evaluate_command(CLI::App& app, const Clock& clock, int& exit_code) {
  CLI::App* command = app.add_subcommand("evaluate", "Score a trained model beside baselines on later traffic");
  auto options = std::make_shared<EvaluateOptions>();  // shared by the parser, which fills it, and the callback
  command->add_option("--model", options->model, "folder that `aiwan-models train` wrote")->required();
  command
      ->add_option("--topology", options->topology, "network: GraphML, REPETITA .graph, SNDlib XML or node-link JSON")
      ->required();
  command->add_option("--traffic", options->traffic, "traffic matrices: CSV, Mbit/s")->required();
  command->add_option("--score-from", options->from, "first row to score; later than the model's training")->required();
  command->add_option("--score-to", options->to, "the row after the last one to score (default: the end)");
  command->add_option("--horizons", options->horizons, "intervals ahead to score, 1 to 12")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{1}, kHorizonMax))
      ->capture_default_str();
  command->add_option("--json", options->json, "write the scores as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &clock, &exit_code] { exit_code = run_evaluate(*options, clock); });
}

}  // namespace wan::models
