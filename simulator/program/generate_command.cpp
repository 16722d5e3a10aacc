#include "simulator/program/generate_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/time.h"
#include "simulator/program/scenario_inputs.h"
#include "simulator/workload.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
The first days of a longer series are the same, whatever its length: train on 7 days, then run day 8.
A scenario's scale is left out, as training sees traffic before it is scaled.
Exit code: 0 done; 1 bad input, and one line on standard error says what is wrong; 2 wrong usage.

Examples:
  aiwan-sim generate --seed 1 --days 7 --topology-out net.graph --traffic-out week.csv
  aiwan-models train --topology net.graph --traffic week.csv --out model
  aiwan-sim run simulator/scenarios/backbone-day.yaml --seed 1 --model model
  aiwan-sim generate --scenario my-day.yaml --days 7 --topology-out net.graph --traffic-out week.csv)";

struct GenerateOptions {
  std::optional<std::uint64_t> seed;
  std::optional<int> days;
  std::string scenario, topology_out, traffic_out;
};

int report(const Error& error) {
  std::cerr << "aiwan-sim generate: " << error.message << '\n';
  return 1;
}

int run_generate(const GenerateOptions& options) {
  ScenarioFile scenario;
  if (!options.scenario.empty()) {
    auto read = read_scenario(options.scenario);
    if (!read) return report(read.error());
    scenario = *std::move(read);
    if (scenario.traffic_file) {
      return report({ErrorCode::kBadInput, scenario.file + ": its traffic comes from a file; nothing is generated"});
    }
  }
  if (options.seed) scenario.generator.seed = *options.seed;
  if (options.days) scenario.generator.days = std::chrono::days{*options.days};

  const auto network = scenario_topology(scenario);
  if (!network) return report(network.error());
  const auto series = generate_traffic(network->topology, scenario.generator);
  if (!series) return report(series.error());
  if (const auto written = io::write_repetita_graph(options.topology_out, network->topology); !written) {
    return report(written.error());
  }
  if (const auto written = io::write_traffic_csv(options.traffic_out, network->topology, *series); !written) {
    return report(written.error());
  }
  for (const std::string& assumption : network->assumptions) std::cout << "note: " << assumption << '\n';
  std::cout << options.topology_out << ": " << network->topology.node_count() << " nodes, "
            << network->topology.link_count() << " directed links\n"
            << options.traffic_out << ": " << series->intervals.size() << " matrices, one every "
            << to_seconds(series->interval()) << " s, from "
            << format_timestamp(series->intervals.front().measured_at()) << ", seed " << scenario.generator.seed
            << '\n';
  return 0;
}

}  // namespace

void add_generate_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("generate", "Write the built-in network and generated traffic as files");
  auto options = std::make_shared<GenerateOptions>();  // shared by the parser, which fills it, and the callback
  command->add_option("--seed", options->seed, "of the traffic (default: the scenario's, or 1)");
  command->add_option("--days", options->days, "length of the series (default: the scenario's, or 7)")
      ->check(CLI::Range(1, 3660));
  command->add_option("--scenario", options->scenario, "take the network and the generator's settings from this file");
  command->add_option("--topology-out", options->topology_out, "REPETITA .graph file to write")->required();
  command->add_option("--traffic-out", options->traffic_out, "traffic CSV to write, Mbit/s")->required();
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = run_generate(*options); });
}

}  // namespace wan::simulator
