#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/program/aiwanctl/commands.h"
#include "controller/program/aiwanctl/demand_text.h"
#include "controller/program/aiwanctl/policy_source.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kSimulateExamples = R"(
Asks the daemon what would happen to the network as it is now: with other policies, links or nodes down, all traffic
scaled, demands added. It answers for the paths as they are and for the plan that it would make. Nothing is changed.

Examples:
  aiwanctl simulate --down west-1
  aiwanctl simulate --scale 1.2 --down core9 --down west-2
  aiwanctl simulate --demand ams:fra:gold=20Mbit/s
  aiwanctl simulate -f policies.yaml -o json)";

struct SimulateOptions {
  std::string file;
  std::vector<std::string> down, demands;
  std::optional<double> scale;
  OutputFormat format;
};

Outcome<ExitCode> simulate(const SimulateOptions& options, Session& session) {
  if (options.file.empty() && options.down.empty() && options.demands.empty() && !options.scale) {
    return failed({.exit_code = ExitCode::kWrongUsage,
                   .what = "nothing to simulate",
                   .where = "simulate",
                   .next = "say what is different: -f, --down, --scale or --demand"});
  }
  Json body = Json::object();
  if (!options.file.empty()) {
    const auto policies = read_policies(options.file, std::cin);
    if (!policies) return failed(policies.error());
    body["text"] = policies->text;
    body["name"] = policies->name;
  }
  if (!options.down.empty()) body["down"] = options.down;
  if (options.scale) body["scale"] = *options.scale;
  for (const std::string& text : options.demands) {
    const auto demand = parse_demand(text);
    if (!demand) return failed(demand.error());
    body["demands"].push_back(
        Json{{"from", demand->from}, {"to", demand->to}, {"class", demand->cls}, {"rate_bps", demand->rate.bps()}});
  }
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->post("/v1/simulate", body);
  if (!answer) return failed(answer.error());
  print_answer(session, options.format, *answer, simulation_view);
  return ExitCode::kDone;
}

}  // namespace

void add_simulate_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("simulate", "what if");
  const auto options = std::make_shared<SimulateOptions>();
  command->add_option("-f,--file", options->file, "policy file instead of the policies in force; - for standard input")
      ->type_name("FILE");
  command->add_option("--down", options->down, "a link or node that fails; may be given several times")
      ->type_name("LINK|NODE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--scale", options->scale, "multiply all traffic")
      ->type_name("FACTOR")
      ->check(CLI::Range(0.0, 1000.0));
  command->add_option("--demand", options->demands, "traffic to add; may be given several times")
      ->type_name("FROM:TO:CLASS=RATE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_output_option(*command, options->format, Formats::kTableJsonYaml);
  command->footer(kSimulateExamples);
  on_call(*command, session, [options, &session] { return simulate(*options, session); });
}

}  // namespace wan::aiwanctl
