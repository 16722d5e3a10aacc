#include "simulator/program/verify_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/io/json_output.h"
#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "simulator/program/class_proof.h"
#include "simulator/program/class_traffic.h"
#include "simulator/program/class_verifier.h"
#include "simulator/program/plan_verifier.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
Exit code: 0 the plan holds; 1 it is refused or a file cannot be read, and one line on standard error says why; 2 wrong
usage.

Examples:
  aiwan-sim verify --topology net.graph --demands net.0000.demands --plan plan.json
  aiwan-sim verify --topology net.graph --demands net.0000.demands --plan plan.json --paths 4 --sid-depth 6
  aiwan-sim verify --topology abilene.graph --demands traffic.csv@120 --plan plan.json --json -
  aiwan-sim verify --topology Cogentco.graphml --demands gravity:7:0.8 --plan plan.json --json verdict.json
  aiwan-sim verify --topology net.graph --demands net.demands --policies policies.yaml --class-share gold=0.2
                   --plan plan.json)";

struct VerifyOptions {
  std::string topology, demands, plan, json;
  std::size_t paths_max = 0, sid_depth = 0;  // 0: whatever the plan itself promises
  ClassArguments classes;
};

int report(const Error& error) {
  std::cerr << "aiwan-sim verify: " << error.message << '\n';
  return 1;
}

nlohmann::ordered_json to_json(const Verification& found) {
  return {{"verified", true},           {"utilization", found.utilization}, {"lower_bound", found.lower_bound},
          {"gap", found.gap},           {"demands", found.demands},         {"paths", found.paths},
          {"unrouted", found.unrouted}, {"paths_most", found.paths_most},   {"segments_most", found.segments_most}};
}

void tell(std::ostream& talk, const io::TopologyFile& network, const Verification& found) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  talk << std::setprecision(9) << "verified: largest utilization " << found.utilization << ", no plan can be below "
       << found.lower_bound << " (gap " << std::setprecision(3) << 100.0 * found.gap << " %); " << found.demands
       << " demands over " << found.paths << " paths";
  talk << ", at most " << found.paths_most << " a demand";
  if (found.segments_most > 0) talk << " and " << found.segments_most << " segments a path";
  if (found.unrouted > 0) talk << ", " << found.unrouted << " demands have no way at all";
  talk << '\n';
}

/// What the caller asks of a plan that holds.
Result<void> check_wishes(const VerifyOptions& options, const Verification& found) {
  const auto refuse = [](std::size_t has, const char* what, std::size_t wanted) {
    return fail(ErrorCode::kBadInput, "plan refused: it has up to " + std::to_string(has) + what + ", asked for are " +
                                          std::to_string(wanted) + " at most");
  };
  if (options.paths_max > 0 && found.paths_most > options.paths_max) {
    return refuse(found.paths_most, " paths a demand", options.paths_max);
  }
  if (options.sid_depth > 0 && found.paths > 0 && found.segments_most == 0) {
    return fail(ErrorCode::kBadInput, "plan refused: it has no segment lists; make them with solve --sid-depth");
  }
  if (options.sid_depth > 0 && found.segments_most > options.sid_depth) {
    return refuse(found.segments_most, " segments a path", options.sid_depth);
  }
  return {};
}

nlohmann::ordered_json to_json(const ClassVerification& found) {
  nlohmann::ordered_json levels = nlohmann::json::array();
  for (const ClassVerification::Level& level : found.levels) {
    levels.push_back({{"utilization", level.utilization}, {"lower_bound", level.lower_bound}});
  }
  return {{"levels", std::move(levels)},
          {"utilization", found.utilization},
          {"shed", found.shed},
          {"carried_share", found.carried_share},
          {"carried_share_more", found.carried_share_more},
          {"fair_within", found.fair_within},
          {"broken", found.broken.size()}};
}

void tell(std::ostream& talk, const ClassVerification& found) {
  for (std::size_t k = 0; k < found.levels.size(); ++k) {
    talk << "verified: level " << k + 1 << ": utilization " << std::setprecision(9) << found.levels[k].utilization;
    if (found.levels[k].lower_bound > 0.0) talk << ", no plan can be below " << found.levels[k].lower_bound;
    talk << '\n';
  }
  if (found.shed > 0) {
    talk << "verified: " << found.shed << " demands are carried in part, " << std::setprecision(4)
         << 100.0 * found.carried_share << " % of all traffic\n"
         << "verified: max-min fair within " << std::setprecision(2) << found.fair_within
         << "; with nobody getting less, " << 100.0 * found.carried_share_more << " % more could be carried at most\n";
  }
  if (found.broken.size() > 0) talk << found.broken.size() << " demands have no path within their class's rule\n";
}

/// The traffic of all classes, and what the plan promises about them. Nothing: the plan has no proof of classes.
struct ClassClaim {
  controller::PolicySet policies;
  TrafficMatrix traffic;
  ClassProof proof;
};

Result<std::optional<ClassClaim>> class_claim(const VerifyOptions& options, const Topology& topology,
                                              const TrafficMatrix& base, const BestUtilization& best_utilization) {
  auto proof = read_class_proof(options.plan, topology);
  if (!proof) return tl::unexpected<Error>{proof.error()};
  if (!*proof) {
    if (!options.classes.wanted()) return std::optional<ClassClaim>{};
    return fail(ErrorCode::kBadInput, options.plan + ": the plan says nothing about classes; solve it with --policies");
  }
  ClassClaim claim{.policies = {}, .traffic = {}, .proof = **std::move(proof)};
  if (options.classes.wanted()) {
    auto policies = read_policies(options.classes.policies, topology);
    if (!policies) return tl::unexpected<Error>{policies.error()};
    claim.policies = *std::move(policies);
  }
  auto traffic = class_traffic(options.classes, claim.policies, topology, base, best_utilization);
  if (!traffic) return tl::unexpected<Error>{traffic.error()};
  claim.traffic = *std::move(traffic);
  return std::optional{std::move(claim)};
}

int run_verify(const VerifyOptions& options, const BestUtilization& best_utilization) {
  const io::JsonOutput json{options.json};
  const auto network = io::read_topology(options.topology);
  if (!network) return report(network.error());
  const auto traffic = resolve_demands(options.demands, network->topology, best_utilization);
  if (!traffic) return report(traffic.error());
  const auto claimed = io::read_plan(options.plan, network->topology);
  if (!claimed) return report(claimed.error());

  const auto refuse = [&](const Error& error) {
    const nlohmann::ordered_json refusal{{"verified", false}, {"reason", error.message}};
    if (const auto written = json.write(refusal.dump(2)); !written) return report(written.error());
    return report(error);
  };
  const auto claim = class_claim(options, network->topology, *traffic, best_utilization);
  if (!claim) return report(claim.error());
  const auto found = verify_plan(network->topology, *claim ? (*claim)->traffic : *traffic, *claimed);
  if (!found) return refuse(found.error());
  if (const auto held = check_wishes(options, *found); !held) return refuse(held.error());
  nlohmann::ordered_json verdict = to_json(*found);
  std::optional<ClassVerification> of_classes;
  if (*claim) {
    auto checked =
        verify_classes(network->topology, (*claim)->traffic, (*claim)->policies, claimed->plan, (*claim)->proof);
    if (!checked) return refuse(checked.error());
    of_classes = *std::move(checked);
    verdict["classes"] = to_json(*of_classes);
  }
  if (const auto written = json.write(verdict.dump(2)); !written) return report(written.error());
  tell(json.talk(), *network, *found);
  if (of_classes) tell(json.talk(), *of_classes);
  return 0;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_code, BestUtilization best_utilization) {
  CLI::App* command = app.add_subcommand("verify", "Check a plan and its proof without trusting the planner");
  auto options = std::make_shared<VerifyOptions>();  // shared by the parser, which fills it, and the callback
  command
      ->add_option("--topology", options->topology, "network: GraphML, REPETITA .graph, SNDlib XML or node-link JSON")
      ->required();
  command->add_option("--demands", options->demands, std::string{kDemandArgumentHelp})->required();
  command->add_option("--plan", options->plan, "plan file to check")->required();
  command->add_option("--paths", options->paths_max, "refuse a plan with more paths a demand")
      ->check(CLI::Range(1, 1000));
  command->add_option("--sid-depth", options->sid_depth, "refuse a plan with more segments a path, or without any")
      ->check(CLI::Range(1, 1000));
  command->add_option("--json", options->json, "write the verdict as JSON to this file, or to standard output with -");
  add_class_arguments(*command, options->classes);
  command->footer(kExamples);
  command->callback(
      [options, best = std::move(best_utilization), &exit_code] { exit_code = run_verify(*options, best); });
}

}  // namespace wan::simulator
