#include "models/program/evaluate_command.h"

#include <CLI/CLI.hpp>
#include <array>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/json_output.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "models/evaluation.h"
#include "models/learned_model.h"
#include "models/program/row_range.h"

namespace wan::models {
namespace {

constexpr const char* kExamples = R"(
Forecasts every row in [--score-from, --score-to), counted from 0 without the header, one interval ahead from the rows
before it, by the model and by three baselines fitted on the rows that the model was trained on: the last value, an
exponentially weighted moving average, and an autoregression over 12 intervals per pair of nodes.

NMAE is the sum of absolute errors over the sum of what there was; RRMSE the same with squares, under a root.

Exit code: 0 scored, 1 a file cannot be used or the model was trained on a scored row (one line on standard error says
why), 2 wrong usage.

Examples:
  aiwan-models evaluate --model abilene-model --topology abilene.graph --traffic traffic.csv --score-from 2880
  aiwan-models evaluate --model m --topology geant.graph --traffic traffic.csv --score-from 400 --json -)";

struct EvaluateOptions {
  std::string model, topology, traffic, json;
  std::int64_t from = 0;
  std::int64_t to = kToTheEnd;
};

struct Contestant {
  std::string name;
  Score score;
  double milliseconds_per_forecast = 0.0;
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

Result<std::vector<Contestant>> score_all(const ModelBundle& model, const TrafficSeries& series, const RowRange& rows,
                                          const Clock& clock) {
  const auto last = make_last_value_forecaster();
  const auto ewma = make_ewma_forecaster(model.card.ewma_alpha);
  const auto ar12 = make_ar12_forecaster(model.ar12);
  const std::array<std::pair<const char*, const Forecaster*>, 4> forecasters{
      {{"model", model.learned.get()}, {"last", last.get()}, {"ewma", ewma.get()}, {"ar12", ar12.get()}}};
  std::vector<Contestant> contestants;
  for (const auto& [name, forecaster] : forecasters) {
    const Duration begin = clock.now();
    const auto score = score_forecaster(*forecaster, series.intervals, rows.from, rows.to);
    if (!score) return tl::unexpected{score.error()};
    const double spent_ms = to_milliseconds(clock.now() - begin);
    contestants.push_back({name, *score, spent_ms / static_cast<double>(score->rows)});
  }
  return contestants;
}

nlohmann::ordered_json to_json(const std::vector<Contestant>& contestants, const RowRange& rows, const ModelCard& card,
                               double seconds) {
  nlohmann::ordered_json json;
  for (const Contestant& one : contestants) json["nmae"][one.name] = one.score.nmae;
  for (const Contestant& one : contestants) json["rrmse"][one.name] = one.score.rrmse;
  for (const Contestant& one : contestants) json["ms_per_forecast"][one.name] = one.milliseconds_per_forecast;
  json["rows"] = rows.to - rows.from;
  json["score_from"] = rows.from;
  json["score_to"] = rows.to;
  json["trained_until"] = format_timestamp(card.trained_until);
  json["seed"] = card.seed;
  json["ewma_alpha"] = card.ewma_alpha;
  json["seconds"] = seconds;
  return json;
}

void tell(std::ostream& talk, const io::TopologyFile& network, const std::vector<Contestant>& contestants,
          const RowRange& rows) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  talk << "one interval ahead over rows [" << rows.from << ", " << rows.to << ")\n"
       << "            NMAE     RRMSE   ms a forecast\n"
       << std::fixed;
  for (const Contestant& one : contestants) {
    talk << "  " << std::left << std::setw(8) << one.name << std::right << std::setprecision(5) << std::setw(8)
         << one.score.nmae << std::setw(10) << one.score.rrmse << std::setprecision(3) << std::setw(12)
         << one.milliseconds_per_forecast << '\n';
  }
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

  const Duration begin = clock.now();
  const auto contestants = score_all(*model, *series, *rows, clock);
  if (!contestants) return report(contestants.error());
  const double seconds = to_seconds(clock.now() - begin);
  if (const auto written = json.write(to_json(*contestants, *rows, model->card, seconds).dump(2)); !written) {
    return report(written.error());
  }
  tell(json.talk(), *network, *contestants, *rows);
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
  command->add_option("--json", options->json, "write the scores as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &clock, &exit_code] { exit_code = run_evaluate(*options, clock); });
}

}  // namespace wan::models
