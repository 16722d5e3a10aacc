#include "simulator/program/run_command.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/io/json_output.h"
#include "core/io/message_text.h"
#include "core/io/progress_bar.h"
#include "core/io/text_source.h"
#include "simulator/program/embedded_text.h"
#include "simulator/program/report_html.h"
#include "simulator/program/results_database.h"
#include "simulator/program/run_record.h"
#include "simulator/program/scenario_inputs.h"
#include "simulator/program/scored_model.h"
#include "simulator/program/summary_json.h"
#include "simulator/program/summary_table.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
Leaves in the folder: report.html, to be opened in a browser, and results.sqlite with every number behind it.
docs/formats/scenario.md describes scenario files, docs/formats/results.md the database.
Exit code: 0 done; 1 bad input, and one line on standard error says what is wrong; 2 wrong usage.

Examples:
  aiwan-sim run
  aiwan-sim run simulator/scenarios/backbone-day.yaml --seed 7 --out day7
  aiwan-sim run my-network.yaml --model model --json summary.json)";

struct RunOptions {
  std::string scenario, out = "aiwan-run", model, json;
  std::optional<std::uint64_t> seed;
  int threads = 1;
};

int report(const Error& error) {
  std::cerr << "aiwan-sim run: " << error.message << '\n';
  return 1;
}

Result<ScenarioFile> chosen_scenario(const RunOptions& options) {
  auto scenario = options.scenario.empty() ? parse_scenario(kBackboneDayScenario, "backbone-day.yaml (built in)")
                                           : read_scenario(options.scenario);
  if (!scenario) return scenario;
  if (!options.model.empty()) scenario->model = options.model;
  if (!options.seed) return scenario;
  if (scenario->traffic_file) {
    return fail(ErrorCode::kBadInput, io::on_one_line(scenario->file) +
                                          ": its traffic comes from a file; --seed is for generated traffic only");
  }
  scenario->generator.seed = *options.seed;
  return scenario;
}

/// A scenario carried out, and what its user should be told besides.
struct Played {
  RunRecord run;
  std::vector<std::string> notes;
};

Result<Played> play(const ScenarioFile& scenario, int threads) {
  auto network = scenario_topology(scenario);
  if (!network) return io::error_of(network);
  const auto series = scenario_traffic(scenario, network->topology);
  if (!series) return io::error_of(series);
  auto loop = scenario_options(scenario, network->topology, *series);
  if (!loop) return io::error_of(loop);
  loop->threads = threads;
  const std::string folder = scenario.model ? scenario.model->string() : std::string{};
  const auto model =
      load_scored_model(folder, network->topology, *series, loop->score_from, loop->score_to, scenario.scale);
  if (!model) return io::error_of(model);

  const SteadyClock clock;
  io::ProgressBar progress{"running " + scenario.name, clock};
  auto result = run_closed_loop(network->topology, *series, model->get(), *loop, clock,
                                [&](std::size_t done, std::size_t total) { progress.update(done, total); });
  progress.clear();
  if (!result) return io::error_of(result);

  Played played{.run = {}, .notes = std::move(network->assumptions)};
  if (!*model) played.notes.push_back("no model given; forecasts by EWMA fitted on the rows before the scored ones");
  RunRecord& run = played.run;
  run.scenario_name = scenario.name;
  run.scenario_text = scenario.text;
  if (!scenario.traffic_file) run.seed = scenario.generator.seed;
  run.scale = scenario.scale;
  run.utilization_target = scenario.utilization_target;
  run.topology_name = std::move(network->name);
  run.topology = std::move(network->topology);
  run.traffic_digest = series->digest(series->intervals.size());
  run.history_rows = loop->score_from;
  run.events = std::move(loop->events);
  run.result = *std::move(result);
  return played;
}

nlohmann::ordered_json to_json(const RunRecord& run) {
  nlohmann::ordered_json document{{"scenario", run.scenario_name},
                                  {"seed", nullptr},
                                  {"topology", run.topology_name},
                                  {"topology_digest", run.topology.digest()},
                                  {"traffic_digest", run.traffic_digest},
                                  {"scale", run.scale},
                                  {"utilization_target", run.utilization_target},
                                  {"forecaster", run.result.forecaster},
                                  {"interval_s", to_seconds(run.result.interval)},
                                  {"score_from", run.history_rows},
                                  {"score_to", run.history_rows + run.result.intervals.size()},
                                  {"summary", summary_json(run.result.summary)}};
  if (run.seed) document["seed"] = *run.seed;
  return document;
}

/// Made before the run: nobody should wait for results that have no place to go.
Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    const std::string reason = error ? error.message() : "is not a folder";
    return fail(ErrorCode::kIo, io::on_one_line(folder.string() + ": cannot be made: " + reason));
  }
  return {};
}

int run_scenario(const RunOptions& options) {
  const io::JsonOutput json{options.json};
  const auto scenario = chosen_scenario(options);
  if (!scenario) return report(scenario.error());
  const std::filesystem::path folder{options.out};
  if (const auto made = make_folder(folder); !made) return report(made.error());
  const auto played = play(*scenario, options.threads);
  if (!played) return report(played.error());
  const RunRecord& run = played->run;

  const auto database = folder / "results.sqlite", page = folder / "report.html";
  if (const auto written = write_results_database(database, run); !written) return report(written.error());
  if (const auto written = io::write_whole_file(page, report_html(run)); !written) return report(written.error());
  constexpr auto kReplaceBadText = nlohmann::json::error_handler_t::replace;  // names are bytes from a file
  if (const auto written = json.write(to_json(run).dump(2, ' ', false, kReplaceBadText)); !written) {
    return report(written.error());
  }

  std::ostream& talk = json.talk();
  for (const std::string& note : played->notes) talk << "note: " << note << '\n';
  talk << run.scenario_name << ": " << run.result.intervals.size() << " intervals of "
       << to_seconds(run.result.interval) / 60.0 << " min scored from "
       << format_timestamp(run.result.intervals[0].time) << ", forecasts by " << run.result.forecaster << '\n';
  print_summary(talk, run.result.summary);
  talk << report_verdict(run) << '\n' << "wrote " << page.string() << " and " << database.string() << '\n';
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("run", "Play a scenario and report on all its controllers");
  auto options = std::make_shared<RunOptions>();  // shared by the parser, which fills it, and the callback
  command->add_option("scenario", options->scenario, "scenario file, YAML (default: backbone-day, built in)");
  command->add_option("--seed", options->seed, "of the generated traffic, instead of the scenario's");
  command->add_option("--out", options->out, "folder for the results, made if absent")->capture_default_str();
  command->add_option("--model", options->model, "folder of a trained forecaster, instead of the scenario's");
  command->add_option("--threads", options->threads, "changes the time, never the result")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--json", options->json, "write the summary as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = run_scenario(*options); });
}

}  // namespace wan::simulator
