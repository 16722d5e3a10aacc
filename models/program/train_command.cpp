#include "models/program/train_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/io/json_output.h"
#include "core/io/progress_bar.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "models/program/row_range.h"
#include "models/training.h"

namespace wan::models {
namespace {

constexpr const char* kExamples = R"(
Trains on rows [0, ROW) of the traffic, counted from 0 without the header. The last fifth of them chooses what can be
chosen; the model is then trained once more on all of them. Equal inputs and seed give an equal model.

With --resume an existing model goes on learning from traffic that reaches further than what it was trained on: what was
chosen stays, the network goes on from where it was, and the scores told are the old model's on the rows that are new.
The traffic must hold at least 100 rows from before the end of its training and 12 from after it.

Exit code: 0 trained, 1 a file cannot be used (one line on standard error says why), 2 wrong usage.

Examples:
  aiwan-models train --topology abilene.graph --traffic traffic.csv --to 2880 --out abilene-model
  aiwan-models train --topology geant.graph --traffic traffic.csv --to 400 --seed 2 --out geant-model --json -
  aiwan-models train --topology abilene.graph --traffic more.csv --resume abilene-model --out abilene-model)";

struct TrainCommandOptions {
  std::string topology, traffic, resume, out, json;
  std::int64_t to = kToTheEnd;
  std::uint64_t seed = 1;
  std::size_t epochs = 0;  // 0: as usual
};

int report(const Error& error) {
  std::cerr << "aiwan-models train: " << error.message << '\n';
  return 1;
}

nlohmann::ordered_json to_json(const ModelCard& card, const std::string& folder, double seconds) {
  const ValidationScores& scores = card.validation;
  return {{"model", folder},
          {"seed", card.seed},
          {"trained_rows", card.trained_rows},
          {"trained_from", format_timestamp(card.trained_from)},
          {"trained_until", format_timestamp(card.trained_until)},
          {"weights_digest", card.weights_digest},
          {"resumed_from", card.resumed_from},
          {"validation",
           {{"rows", scores.rows},
            {"nmae", {{"model", scores.model}, {"last", scores.last}, {"ewma", scores.ewma}, {"ar12", scores.ar12}}}}},
          {"seconds", seconds}};
}

void tell(std::ostream& talk, const io::TopologyFile& network, const ModelCard& card, const std::string& folder,
          double seconds) {
  const ValidationScores& scores = card.validation;
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  talk << "trained on " << card.trained_rows << " intervals, " << format_timestamp(card.trained_from) << " to "
       << format_timestamp(card.trained_until) << ", in " << std::fixed << std::setprecision(1) << seconds << " s\n"
       << std::setprecision(4)
       << (card.resumed_from.empty() ? "error on the last fifth, when trained on the rest (NMAE): model "
                                     : "error on the new rows before learning from them (NMAE): model ")
       << scores.model << ", last value " << scores.last << ", EWMA " << scores.ewma << ", AR(12) " << scores.ar12
       << '\n'
       << "model in " << folder << '\n';
}

Result<ModelBundle> resume(const TrainCommandOptions& options, const Topology& topology, const TrafficSeries& series,
                           TrainOptions training) {
  const auto before = load_model(options.resume);
  if (!before) return tl::unexpected{before.error()};
  if (auto fits = check_model_fits(before->card, topology); !fits) {
    return fail(fits.error().code, options.resume + ": " + fits.error().message);
  }
  if (options.epochs == 0) training.epochs = kResumeEpochs;
  return resume_training(topology, series, *before, training);
}

int run_train(const TrainCommandOptions& options, const Clock& clock) {
  const io::JsonOutput json{options.json};
  const auto network = io::read_topology(options.topology);
  if (!network) return report(network.error());
  auto series = io::read_traffic_csv(options.traffic, network->topology);
  if (!series) return report(series.error());
  const auto rows = check_rows(0, "row", options.to, "--to", series->intervals.size());
  if (!rows) return report(rows.error());
  series->intervals.resize(rows->to);
  if (const auto made = make_model_folder(options.out); !made) return report(made.error());

  const Duration begin = clock.now();
  io::ProgressBar progress{"training", clock};
  TrainOptions training;
  training.seed = options.seed;
  if (options.epochs > 0) training.epochs = options.epochs;
  training.network = std::filesystem::path{options.topology}.stem().string();
  training.library_version = "aiwan " AIWAN_VERSION ", libtorch " AIWAN_TORCH_VERSION;
  training.on_progress = [&progress](std::size_t done, std::size_t total) { progress.update(done, total); };
  auto model = options.resume.empty() ? train_model(network->topology, *series, training)
                                      : resume(options, network->topology, *series, training);
  progress.clear();
  if (!model) return report(model.error());
  if (const auto saved = save_model(options.out, *model); !saved) return report(saved.error());

  const double seconds = to_seconds(clock.now() - begin);
  if (const auto written = json.write(to_json(model->card, options.out, seconds).dump(2)); !written) {
    return report(written.error());
  }
  tell(json.talk(), *network, model->card, options.out, seconds);
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app, const Clock& clock, int& exit_code) {
  CLI::App* command = app.add_subcommand("train", "Train a forecaster on measured traffic");
  auto options = std::make_shared<TrainCommandOptions>();  // shared by the parser, which fills it, and the callback
  command
      ->add_option("--topology", options->topology, "network: GraphML, REPETITA .graph, SNDlib XML or node-link JSON")
      ->required();
  command->add_option("--traffic", options->traffic, "traffic matrices: CSV, Mbit/s")->required();
  command->add_option("--to", options->to, "train on the rows before this one (default: all)");
  command->add_option("--resume", options->resume, "go on from the model in this folder (may be that of --out)");
  command->add_option("--out", options->out, "folder for the model; made if absent, an older model is replaced")
      ->required();
  command->add_option("--seed", options->seed, "seed of the training")->capture_default_str();
  command->add_option("--epochs", options->epochs, "passes over the training rows (default: 20, with --resume 5)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--json", options->json, "write a summary as JSON to this file, or to standard output with -");
  command->footer(kExamples);
  command->callback([options, &clock, &exit_code] { exit_code = run_train(*options, clock); });
}

}  // namespace wan::models
