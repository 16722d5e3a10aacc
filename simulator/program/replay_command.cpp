#include "simulator/program/replay_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "controller/control_loop.h"
#include "core/io/json_output.h"
#include "core/io/progress_bar.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "simulator/program/closed_loop.h"
#include "simulator/program/risk_argument.h"
#include "simulator/program/scored_model.h"
#include "simulator/program/summary_json.h"
#include "simulator/program/summary_table.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
ROW counts data rows from 0; --score-from is inclusive, --score-to exclusive. A decision for a row sees rows before it only.
Exit code: 0 done; 1 bad input, and one line on standard error says what is wrong; 2 wrong usage.

Examples:
  aiwan-sim replay --topology abilene.graph --traffic traffic.csv --score-from 2880
  aiwan-models train --topology abilene.graph --traffic traffic.csv --to 2880 --out model
  aiwan-sim replay --topology abilene.graph --traffic traffic.csv --score-from 2880 --model model --json result.json
  aiwan-sim replay --topology abilene.graph --traffic traffic.csv --score-from 2880 --scale 13 --controllers ospf,scenario
  aiwan-sim replay --topology abilene.graph --traffic traffic.csv --score-from 2880 --risk cvar:0.1 --change-weight 0
  aiwan-sim replay --topology abilene.graph --traffic traffic.csv --score-from 2880 --controllers scenario --congestion 15)";

constexpr double kProbabilityShown = 0.01;  // of a congestion event, in the JSON of an interval

struct ReplayOptions {
  std::string topology, traffic, model, json;
  std::string risk = "expected";
  std::optional<double> change_weight, congestion_minutes, congestion_threshold;
  std::size_t score_from = 0;
  std::optional<std::size_t> score_to;
  std::vector<std::string> controllers = kControllerNames;
  double scale = 1.0;
  double utilization_target = 0.0;
  int threads = 1;
};

std::string default_change_weight() {
  std::string text = std::to_string(controller::LoopOptions{}.scenario.change_weight);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

int report(const Error& error) {
  std::cerr << "aiwan-sim replay: " << error.message << '\n';
  return 1;
}

nlohmann::ordered_json interval_json(const IntervalRecord& record, const Topology& topology) {
  nlohmann::ordered_json controllers;
  for (const ControllerInterval& at : record.controllers) {
    nlohmann::ordered_json one{{"mlu", at.mlu},
                               {"lower_bound", nullptr},
                               {"decide_ms", at.decide_ms},
                               {"action", at.action},
                               {"reason", at.reason}};
    if (at.lower_bound) one["lower_bound"] = *at.lower_bound;
    for (std::size_t l = 0; l < at.congestion_probability.size(); ++l) {
      if (at.congestion_probability[l] < kProbabilityShown) continue;
      one["congestion"][topology.links()[l].name] = at.congestion_probability[l];
    }
    if (!at.alarms.empty()) one["alarms"] = at.alarms;
    if (!at.lost_demands.empty()) one["lost_demands"] = at.lost_demands;
    controllers[at.name] = std::move(one);
  }
  return {{"row", record.row},
          {"time", format_timestamp(record.time)},
          {"optimal_mlu", record.optimal_mlu},
          {"controllers", std::move(controllers)}};
}

std::optional<CongestionOptions> congestion_options(const ReplayOptions& options, Duration interval) {
  if (!options.congestion_minutes) return std::nullopt;
  const double intervals = std::round(*options.congestion_minutes * 60.0 / std::max(1.0, to_seconds(interval)));
  return CongestionOptions{.horizon = static_cast<std::size_t>(std::max(1.0, intervals)),
                           .threshold = options.congestion_threshold};
}

nlohmann::ordered_json congestion_json(const CongestionScore& score, const ReplayOptions& options) {
  nlohmann::ordered_json document{{"horizon_minutes", *options.congestion_minutes},
                                  {"threshold", "p95"},
                                  {"cases", score.cases},
                                  {"events", score.events},
                                  {"auc", score.auc},
                                  {"brier", score.brier},
                                  {"auc_last_value", score.auc_last_value},
                                  {"brier_last_value", score.brier_last_value}};
  if (options.congestion_threshold) document["threshold"] = *options.congestion_threshold;
  return document;
}

void print_congestion(std::ostream& out, const CongestionScore& score, double minutes) {
  out << "congestion events within " << minutes << " min: " << score.events << " of " << score.cases
      << " links x decisions\n"
      << std::left << std::setw(14) << "" << std::right << std::setw(8) << "AUC" << std::setw(9) << "Brier" << '\n'
      << std::fixed << std::setprecision(4) << std::left << std::setw(14) << "scenarios" << std::right << std::setw(8)
      << score.auc << std::setw(9) << score.brier << '\n'
      << std::left << std::setw(14) << "last value" << std::right << std::setw(8) << score.auc_last_value
      << std::setw(9) << score.brier_last_value << '\n'
      << std::defaultfloat;
}

int run_replay(const ReplayOptions& options) {
  const io::JsonOutput json{options.json};
  const auto tail = parse_risk(options.risk);
  if (!tail) return report({.code = tail.error().code, .message = "--risk " + tail.error().message});
  const auto network = io::read_topology(options.topology);
  if (!network) return report(network.error());
  const Topology& topology = network->topology;
  auto series = io::read_traffic_csv(options.traffic, topology);
  if (!series) return report(series.error());
  if (options.scale != 1.0) {
    for (TrafficMatrix& matrix : series->intervals) matrix = matrix.scaled(options.scale);
  }
  const std::size_t score_to = options.score_to.value_or(series->intervals.size());
  const auto model = load_scored_model(options.model, topology, *series, options.score_from, score_to, options.scale);
  if (!model) return report(model.error());

  const SteadyClock clock;
  io::ProgressBar progress{"replaying", clock};
  const auto result =
      run_closed_loop(topology, *series, model->get(),
                      {.controllers = options.controllers,
                       .score_from = options.score_from,
                       .score_to = score_to,
                       .utilization_target = options.utilization_target,
                       .tail = *tail,
                       .change_weight = options.change_weight,
                       .congestion = congestion_options(options, series->interval()),
                       .threads = options.threads,
                       .events = {}},
                      clock, [&](std::size_t done, std::size_t total) { progress.update(done, total); });
  progress.clear();
  if (!result) return report(result.error());

  nlohmann::ordered_json intervals = nlohmann::json::array();
  for (const IntervalRecord& record : result->intervals) intervals.push_back(interval_json(record, topology));
  nlohmann::ordered_json document{{"forecaster", result->forecaster},
                                  {"intervals", std::move(intervals)},
                                  {"summary", summary_json(result->summary)}};
  if (result->congestion) document["congestion"] = congestion_json(*result->congestion, options);
  if (const auto written = json.write(document.dump(1)); !written) return report(written.error());

  std::ostream& talk = json.talk();
  for (const std::string& assumption : network->assumptions) talk << "note: " << assumption << '\n';
  if (options.model.empty())
    talk << "note: no model given; forecasts by EWMA fitted on the rows before the scored ones\n";
  talk << result->intervals.size() << " intervals scored, forecasts by " << result->forecaster << '\n';
  print_summary(talk, result->summary);
  if (result->congestion) print_congestion(talk, *result->congestion, *options.congestion_minutes);
  return 0;
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("replay", "Replay measured traffic with the controllers in the loop");
  auto options = std::make_shared<ReplayOptions>();  // shared by the parser, which fills it, and the callback
  command
      ->add_option("--topology", options->topology, "network: GraphML, REPETITA .graph, SNDlib XML or node-link JSON")
      ->required();
  command->add_option("--traffic", options->traffic, "traffic series: CSV, Mbit/s, one row an interval")->required();
  command->add_option("--score-from", options->score_from, "first row to decide on and score")->required();
  command->add_option("--score-to", options->score_to, "one past the last row to score (default: the end)");
  command->add_option("--model", options->model, "folder of a trained forecaster (default: EWMA)");
  command->add_option("--controllers", options->controllers, "which to compare")
      ->delimiter(',')
      ->check(CLI::IsMember(kControllerNames))
      ->capture_default_str();
  command->add_option("--scale", options->scale, "multiply all traffic")
      ->check(CLI::Range(1e-6, 1e6))
      ->capture_default_str();
  command
      ->add_option("--utilization-target", options->utilization_target,
                   "of scenario: nothing moves while its p95 scenario stays below; 0: always optimise")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command
      ->add_option(
          "--risk", options->risk,
          "of scenario: what it minimises over its scenarios, expected or cvar:ALPHA (mean of the worst ALPHA)")
      ->capture_default_str();
  command
      ->add_option(
          "--change-weight", options->change_weight,
          "of scenario: part of the utilisation that moving all traffic would have to save, or less where that "
          "would cost more than 1.2 % of it (0.1 % in overload, at 0.08 of the price); 0: change is free "
          "(default: " +
              default_change_weight() + ")")
      ->check(CLI::Range(0.0, 100.0));
  auto* minutes =
      command
          ->add_option(
              "--congestion", options->congestion_minutes,
              "of scenario: foretell for each link how likely it exceeds its threshold within so many minutes, "
              "and score that")
          ->check(CLI::Range(0.01, 1440.0));
  command
      ->add_option("--congestion-threshold", options->congestion_threshold,
                   "utilisation (default: each link's 95th percentile over the rows before the scored ones)")
      ->check(CLI::Range(1e-6, 1e6))
      ->needs(minutes);
  command->add_option("--threads", options->threads, "changes the time, never the result")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--json", options->json, "write the result as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = run_replay(*options); });
}

}  // namespace wan::simulator
