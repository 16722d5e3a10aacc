#include "simulator/program/solve_command.h"

#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "controller/few_paths.h"
#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/io/json_output.h"
#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "simulator/fluid_network.h"
#include "simulator/program/path_limits.h"
#include "simulator/program/plan_verifier.h"
#include "simulator/program/solve_classes.h"

namespace wan::simulator {
namespace {

constexpr const char* kExamples = R"(
Times run from parsed input to certified answer. Exit code: 0 solved; 1 bad input, and one line on standard error says
what is wrong; 2 wrong usage.

Examples:
  aiwan-sim solve --topology net.graph --demands net.0000.demands
  aiwan-sim solve --topology abilene.graph --demands traffic.csv@120 --gap 0.001 --exact
  aiwan-sim solve --topology net.graph --demands net.0000.demands --paths 4 --sid-depth 6 --plan-out plan.json
  aiwan-sim solve --topology Cogentco.graphml --demands gravity:7:0.8 --plan-out plan.json --json -
  aiwan-sim solve --topology net.graph --demands net.demands --policies policies.yaml --class-share gold=0.2
                  --objective classes
  aiwan-sim solve --topology net.graph --demands net.demands --policies policies.yaml --class-share gold=0.2
                  --paths 4 --sid-depth 6 --plan-out plan.json
  aiwan-sim solve --topology net.graph --demands gravity:7:1.4 --objective fair --json shares.json)";

struct SolveOptions {
  std::string topology, demands, plan_out, json;
  double gap = 0.01;
  int threads = 1;
  bool exact = false;
  bool any_delay = false;
  std::size_t paths_max = 0, sid_depth = 0;  // 0: any number

  [[nodiscard]] io::PlanLimits limits() const {
    io::PlanLimits limits;
    if (paths_max > 0) limits.paths_max = paths_max;
    if (sid_depth > 0) limits.sid_depth = sid_depth;
    return limits;
  }
  ClassSolveOptions classes;
};

struct Exact {
  double utilization = 0.0;
  double seconds = 0.0;
};

struct Solved {
  controller::PlannedRoutes routes;
  io::PlanLimits limits;
  SegmentLists segments;
  double all_paths_utilization = 0.0;  ///< of the plan before it was reduced
  double seconds = 0.0;
  double delay_stretch = 1.0;  ///< traffic's delay / that of shortest paths
  bool verified = false;
  std::string refusal;  ///< why the verifier refused, if it did
  std::optional<Exact> exact;
};

int report(const Error& error) {
  std::cerr << "aiwan-sim solve: " << error.message << '\n';
  return 1;
}

std::size_t count_demands(const TrafficMatrix& traffic) {
  std::size_t count = 0;
  for (const double entry : traffic.bps()) count += entry > 0.0;
  return count;
}

io::PlanFile plan_file(const Topology& topology, const Solved& solved) {
  return {.topology_digest = topology.digest(),
          .plan = solved.routes.plan,
          .certificate = solved.routes.certificate,
          .unrouted = solved.routes.unrouted,
          .limits = solved.limits,
          .segments = solved.segments};
}

/// At most so many paths a demand and segments a path.
Result<void> reduce(const Topology& topology, const TrafficMatrix& traffic, const SolveOptions& options,
                    Solved& solved) {
  auto few = controller::reduce_paths(topology, traffic, solved.routes.plan, solved.routes.certificate,
                                      few_paths_options(solved.limits, options.gap));
  if (!few) return tl::unexpected<Error>{few.error()};
  solved.routes.plan = std::move(few->plan);
  solved.routes.certificate = std::move(few->certificate);
  solved.segments = std::move(few->segments);
  return {};
}

Result<Solved> solve(const Topology& topology, const TrafficMatrix& traffic, const SolveOptions& options) {
  const SteadyClock clock;
  const Duration started = clock.now();
  const bool few = options.limits() != io::PlanLimits{};
  const double gap = few ? kGapOfAllPaths * options.gap : options.gap;  // what few paths cost comes out of the same gap
  auto routes = controller::plan_paths(topology, traffic,
                                       {.gap = gap, .threads = options.threads, .least_delay = !options.any_delay});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  Solved solved{};
  solved.routes = *std::move(routes);
  solved.all_paths_utilization = solved.routes.certificate.utilization;
  if (few) {
    solved.limits = options.limits();
    if (const auto reduced = reduce(topology, traffic, options, solved); !reduced) {
      return tl::unexpected<Error>{reduced.error()};
    }
  }
  solved.seconds = to_seconds(clock.now() - started);
  solved.delay_stretch = FluidNetwork{topology}.carry(solved.routes.plan, traffic).delay_stretch;
  const auto verification = verify_plan(topology, traffic, plan_file(topology, solved));
  solved.verified = verification.has_value();
  if (!verification) solved.refusal = verification.error().message;
  if (options.exact) {
    const Duration exact_started = clock.now();
    controller::ReferenceLp lp{topology};
    const auto best = lp.best_utilization(traffic);
    if (!best) return tl::unexpected<Error>{best.error()};
    solved.exact = Exact{.utilization = *best, .seconds = to_seconds(clock.now() - exact_started)};
  }
  return solved;
}

nlohmann::ordered_json to_json(const Topology& topology, const TrafficMatrix& traffic, const Solved& solved) {
  const Certificate& certificate = solved.routes.certificate;
  nlohmann::ordered_json unrouted = nlohmann::json::array();
  for (const Demand& demand : solved.routes.unrouted) unrouted.push_back(demand_name(topology, demand));
  nlohmann::ordered_json document{{"nodes", topology.node_count()},
                                  {"links", topology.link_count()},
                                  {"demands", count_demands(traffic)},
                                  {"mlu", certificate.utilization},
                                  {"lower_bound", certificate.lower_bound},
                                  {"gap", certificate.gap()},
                                  {"seconds", solved.seconds},
                                  {"verified", solved.verified},
                                  {"exact_mlu", nullptr},
                                  {"exact_seconds", nullptr},
                                  {"overload", certificate.utilization > 1.0},
                                  {"delay_stretch", solved.delay_stretch},
                                  {"paths", solved.routes.plan.path_count()},
                                  {"unrouted", std::move(unrouted)}};
  if (solved.limits != io::PlanLimits{}) {
    document["all_paths_mlu"] = solved.all_paths_utilization;
    add_limits(document, solved.limits);
  }
  if (solved.exact) {
    document["exact_mlu"] = solved.exact->utilization;
    document["exact_seconds"] = solved.exact->seconds;
  }
  return document;
}

void tell(std::ostream& talk, const io::TopologyFile& network, const TrafficMatrix& traffic, const Solved& solved,
          double gap_wanted) {
  const Certificate& certificate = solved.routes.certificate;
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  talk << network.topology.node_count() << " nodes, " << network.topology.link_count() << " links, "
       << count_demands(traffic) << " demands over " << solved.routes.plan.path_count() << " paths\n";
  talk << std::setprecision(6) << "largest utilisation " << certificate.utilization << ", no plan can be below "
       << certificate.lower_bound << " (gap " << std::setprecision(3) << 100.0 * certificate.gap() << " %), "
       << std::fixed << std::setprecision(1) << 1e3 * solved.seconds << " ms" << std::defaultfloat
       << (solved.verified ? ", verified\n" : "\n");
  talk << std::setprecision(4) << "mean delay " << solved.delay_stretch << " times that of shortest paths\n";
  if (solved.limits != io::PlanLimits{}) {
    talk << "limited to " << limits_text(solved.limits) << std::setprecision(6)
         << "; over all paths the plan before reached " << solved.all_paths_utilization << '\n';
  }
  if (solved.exact) {
    talk << std::setprecision(6) << "exact optimum       " << solved.exact->utilization << " by linear programming, "
         << std::fixed << std::setprecision(1) << 1e3 * solved.exact->seconds << " ms\n"
         << std::defaultfloat;
  }
  if (certificate.gap() > gap_wanted) talk << "note: the gap asked for was not reached\n";
  if (certificate.utilization > 1.0) talk << "ALARM: overload; no routing can carry these demands in full\n";
  for (const Demand& demand : solved.routes.unrouted) {
    talk << "ALARM: no way from " << network.topology.node(demand.from).name << " to "
         << network.topology.node(demand.to).name << "; this demand is left out\n";
  }
}

int run_solve(const SolveOptions& options, const BestUtilization& best_utilization) {
  const io::JsonOutput json{options.json};
  const auto network = io::read_topology(options.topology);
  if (!network) return report(network.error());
  const Topology& topology = network->topology;
  const auto traffic = resolve_demands(options.demands, topology, best_utilization);
  if (!traffic) return report(traffic.error());
  if (options.classes.wanted()) {
    const SolveRequest request{
        .gap = options.gap, .limits = options.limits(), .plan_out = options.plan_out, .json = options.json};
    return solve_classes(*network, *traffic, options.classes, request, best_utilization);
  }
  const auto solved = solve(topology, *traffic, options);
  if (!solved) return report(solved.error());
  if (!solved->verified) return report({ErrorCode::kInternal, "the verifier refuses our own plan: " + solved->refusal});
  if (!options.plan_out.empty()) {
    const auto written = io::write_plan(options.plan_out, topology, plan_file(topology, *solved));
    if (!written) return report(written.error());
  }
  if (const auto written = json.write(to_json(topology, *traffic, *solved).dump(2)); !written) {
    return report(written.error());
  }
  tell(json.talk(), *network, *traffic, *solved, options.gap);
  return 0;
}

}  // namespace

void add_solve_command(CLI::App& app, int& exit_code, BestUtilization best_utilization) {
  CLI::App* command =
      app.add_subcommand("solve", "Plan routes for one traffic matrix, with a proof of how good they are");
  auto options = std::make_shared<SolveOptions>();  // shared by the parser, which fills it, and the callback
  command
      ->add_option("--topology", options->topology, "network: GraphML, REPETITA .graph, SNDlib XML or node-link JSON")
      ->required();
  command->add_option("--demands", options->demands, std::string{kDemandArgumentHelp})->required();
  command->add_option("--gap", options->gap, "stop when no plan can be better by more than this fraction")
      ->check(CLI::Range(1e-6, 1.0))
      ->capture_default_str();
  command->add_flag("--any-delay", options->any_delay, "do not spend what the gap leaves on shorter paths: faster");
  command->add_flag("--exact", options->exact, "solve the exact linear program beside it (slow above 100 nodes)");
  command->add_option("--threads", options->threads, "changes the time, never the plan")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option(
          "--paths", options->paths_max,
          "at most so many paths a demand; otherwise what the policies' paths_max says, or as many as it takes. "
          "Not for fair shares")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--sid-depth", options->sid_depth,
                   "at most so many segments (SIDs) a path after its first link, its last node's too; written to the "
                   "plan file. Not for fair shares")
      ->check(CLI::Range(1, 1000));
  command->add_option("--plan-out", options->plan_out, "write the plan and its proof to this file");
  command->add_option("--json", options->json, "write the result as JSON to this file, or to standard output with -");
  add_class_solve_options(*command, options->classes);
  command->footer(kExamples);
  command->callback(
      [options, best = std::move(best_utilization), &exit_code] { exit_code = run_solve(*options, best); });
}

}  // namespace wan::simulator
