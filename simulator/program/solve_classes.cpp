#include "simulator/program/solve_classes.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/io/json_output.h"
#include "core/io/plan_file.h"
#include "simulator/program/class_answer.h"
#include "simulator/program/class_proof.h"
#include "simulator/program/class_report.h"
#include "simulator/program/class_verifier.h"
#include "simulator/program/plan_verifier.h"

namespace wan::simulator {
namespace {

using controller::PolicySet;

int report(const Error& error) {
  std::cerr << "aiwan-sim solve: " << error.message << '\n';
  return 1;
}

Result<void> check(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                   const ClassAnswer& answer, const io::PlanFile& file) {
  const auto plain = verify_plan(topology, traffic, file);
  if (!plain) return fail(ErrorCode::kInternal, "the verifier refuses our own plan: " + plain.error().message);
  const auto classes = verify_classes(topology, traffic, policies, answer.plan, answer.proof);
  if (!classes) return fail(ErrorCode::kInternal, "the verifier refuses our own plan: " + classes.error().message);
  if (classes->broken != answer.broken) {
    return fail(ErrorCode::kInternal, "the verifier finds other broken rules than the planner");
  }
  return {};
}

}  // namespace

void add_class_solve_options(CLI::App& command, ClassSolveOptions& options) {
  add_class_arguments(command, options.classes);
  command
      .add_option("--objective", options.objective,
                  "utilization: of all traffic together (default without policies); classes: of the highest priority "
                  "first, then with the next, "
                  "and so on (default with policies); fair: the same, and where not all fits, max-min fair shares of "
                  "each class in turn")
      ->check(CLI::IsMember({"utilization", "classes", "fair"}));
  command.add_option("--fill-to", options.fill_to, "fair: part of each link's capacity that may be filled")
      ->check(CLI::Range(0.01, 10.0))
      ->capture_default_str();
  command
      .add_option("--rounds", options.rounds_max,
                  "fair: rounds of filling by priority; demands not done by then keep what they have, and the result "
                  "says how far from fair that may be")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
}

int solve_classes(const io::TopologyFile& network, const TrafficMatrix& base, const ClassSolveOptions& options,
                  SolveRequest request, const BestUtilization& best_utilization) {
  const io::JsonOutput json{request.json};
  const Topology& topology = network.topology;
  if (options.objective == "fair" && request.limits != io::PlanLimits{}) {
    return report({ErrorCode::kBadInput,
                   "--paths and --sid-depth do not go with --objective fair, as what is admitted depends on the paths: "
                   "plan few paths with --objective classes, or leave them out"});
  }
  if (options.objective == "utilization") {
    return report({ErrorCode::kBadInput, "--objective utilization weighs all traffic alike: leave out --policies"});
  }
  PolicySet policies;
  if (options.classes.wanted()) {
    auto read = read_policies(options.classes.policies, topology);
    if (!read) return report(read.error());
    policies = *std::move(read);
  }
  const bool fair = options.objective == "fair";
  if (!fair && !request.limits.paths_max) request.limits.paths_max = policies.paths_max;
  const auto traffic = class_traffic(options.classes, policies, topology, base, best_utilization);
  if (!traffic) return report(traffic.error());
  const auto answer = answer_by_classes(topology, *traffic, policies, options, request);
  if (!answer) return report(answer.error());
  const io::PlanFile file{.topology_digest = topology.digest(),
                          .plan = answer->plan,
                          .certificate = answer->certificate,
                          .unrouted = answer->unrouted,
                          .limits = answer->limits,
                          .segments = answer->segments};
  if (const auto held = check(topology, *traffic, policies, *answer, file); !held) return report(held.error());
  if (!request.plan_out.empty()) {
    if (const auto written = io::write_plan(request.plan_out, topology, file); !written) {
      return report(written.error());
    }
    if (const auto added = add_class_proof(request.plan_out, answer->proof); !added) return report(added.error());
  }
  const ClassStory story = class_story(topology, *traffic, policies, *answer, options.fill_to);
  if (const auto written = json.write(to_json(story, options).dump(2)); !written) return report(written.error());
  tell(json.talk(), network, story, options, request.gap);
  if (fair && policies.paths_max) {
    json.talk() << "note: fair shares take as many paths as it takes; the policies' paths_max is not kept\n";
  }
  return 0;
}

}  // namespace wan::simulator
