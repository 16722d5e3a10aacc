#include "simulator/program/solve_classes.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "controller/class_planner.h"
#include "core/io/json_output.h"
#include "core/io/plan_file.h"
#include "core/time.h"
#include "simulator/fluid_network.h"
#include "simulator/program/class_proof.h"
#include "simulator/program/class_verifier.h"
#include "simulator/program/plan_verifier.h"

namespace wan::simulator {
namespace {

using Json = nlohmann::ordered_json;
using controller::BrokenRule;
using controller::PolicySet;

int report(const Error& error) {
  std::cerr << "aiwan-sim solve: " << error.message << '\n';
  return 1;
}

/// What the planner found, in the form that the rest of this file reads.
struct Answer {
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;
  std::vector<BrokenRule> broken;
  std::vector<controller::LevelCertificate> levels;
  double utilization = 0.0;
  ClassProof proof;
  double seconds = 0.0;
};

Answer by_classes(controller::ClassRoutes&& routes, double gap) {
  Answer answer;
  answer.proof = class_proof(routes, gap);
  answer.utilization = routes.levels.back().utilization;
  answer.plan = std::move(routes.plan);
  answer.certificate = std::move(routes.certificate);
  answer.unrouted = std::move(routes.unrouted);
  answer.broken = std::move(routes.broken);
  answer.levels = std::move(routes.levels);
  return answer;
}

Result<Answer> answer_of(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                         double gap) {
  const SteadyClock clock;
  const Duration started = clock.now();
  auto routes = controller::plan_classes(topology, traffic, policies, {.gap = gap, .least_delay = true});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  Answer answer = by_classes(*std::move(routes), gap);
  answer.seconds = to_seconds(clock.now() - started);
  return answer;
}

std::vector<double> offered_by_class(const TrafficMatrix& traffic, const Answer& answer) {
  std::vector<double> offered_bps(traffic.class_count(), 0.0);
  for (const Demand& demand : answer.plan.demands()) {
    offered_bps[demand.cls.index()] += traffic.at(demand.cls, demand.from, demand.to).bps();
  }
  return offered_bps;
}

struct Story {
  const Topology& topology;
  const TrafficMatrix& traffic;
  const PolicySet& policies;
  const Answer& answer;
  std::vector<double> offered_bps;  // by class

  [[nodiscard]] std::string class_names(const controller::PriorityLevel& level) const {
    std::string names;
    for (const TrafficClass cls : level.classes) {
      names += (names.empty() ? "" : ", ") + policies.classes[cls.index()].name;
    }
    return names;
  }
  [[nodiscard]] std::string ends(const Demand& demand) const {
    return topology.node(demand.from).name + ">" + topology.node(demand.to).name;
  }
};

double gap_of(const controller::LevelCertificate& level) {
  const double beyond = std::max(level.lower_bound, level.level.utilization_target.value_or(0.0));
  return beyond > 0.0 ? std::max(0.0, level.utilization / beyond - 1.0) : 0.0;
}

Json broken_json(const Story& story) {
  Json out = Json::array();
  for (const BrokenRule& broken : story.answer.broken) {
    out.push_back({{"demand", story.ends(broken.demand)},
                   {"class", story.policies.classes[broken.demand.cls.index()].name},
                   {"rule", broken.what == BrokenRule::What::kLatency ? "latency_max" : "avoid"}});
  }
  return out;
}

Json levels_json(const Story& story) {
  Json out = Json::array();
  for (const controller::LevelCertificate& level : story.answer.levels) {
    Json classes = Json::array();
    for (const TrafficClass cls : level.level.classes) classes.push_back(story.policies.classes[cls.index()].name);
    Json entry{{"priority", level.level.priority},
               {"classes", std::move(classes)},
               {"utilization", level.utilization},
               {"lower_bound", level.lower_bound},
               {"gap", gap_of(level)},
               {"limit", level.limit},
               {"target", nullptr}};
    if (level.level.utilization_target) entry["target"] = *level.level.utilization_target;
    out.push_back(std::move(entry));
  }
  return out;
}

Json to_json(const Story& story) {
  const Answer& answer = story.answer;
  Json classes = Json::array(), unrouted = Json::array();
  for (std::size_t c = 0; c < story.offered_bps.size(); ++c) {
    classes.push_back({{"class", story.policies.classes[c].name},
                       {"priority", story.policies.classes[c].priority},
                       {"offered_mbps", story.offered_bps[c] / 1e6}});
  }
  for (const Demand& demand : answer.unrouted) unrouted.push_back(demand_name(story.topology, demand));
  return {{"nodes", story.topology.node_count()},
          {"links", story.topology.link_count()},
          {"objective", "classes"},
          {"mlu", answer.utilization},
          {"lower_bound", answer.certificate.lower_bound},
          {"seconds", answer.seconds},
          {"verified", true},
          {"overload", answer.certificate.utilization > 1.0},
          {"paths", answer.plan.path_count()},
          {"classes", std::move(classes)},
          {"levels", levels_json(story)},
          {"broken", broken_json(story)},
          {"unrouted", std::move(unrouted)}};
}

void tell_levels(std::ostream& talk, const Story& story, double gap_wanted) {
  talk << "  priority  utilisation  no plan below    gap %   target  classes\n" << std::fixed;
  for (const controller::LevelCertificate& level : story.answer.levels) {
    talk << std::setw(10) << level.level.priority << std::setprecision(6) << std::setw(13) << level.utilization
         << std::setw(15) << level.lower_bound << std::setprecision(3) << std::setw(9) << 100.0 * gap_of(level)
         << std::setw(9);
    if (level.level.utilization_target) {
      talk << *level.level.utilization_target;
    } else {
      talk << "-";
    }
    talk << "  " << story.class_names(level.level) << '\n';
    if (gap_of(level) > gap_wanted * (1.0 + 1e-6)) talk << "            note: the gap asked for was not reached\n";
  }
  talk << std::defaultfloat;
}

void tell(std::ostream& talk, const io::TopologyFile& network, const Story& story, double gap_wanted) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  const Answer& answer = story.answer;
  talk << story.topology.node_count() << " nodes, " << story.topology.link_count() << " links, "
       << story.policies.classes.size() << " classes over " << answer.plan.path_count() << " paths; " << std::fixed
       << std::setprecision(1) << 1e3 * answer.seconds << " ms" << std::defaultfloat << ", verified\n";
  tell_levels(talk, story, gap_wanted);
  if (answer.utilization > 1.0) {
    talk << "ALARM: overload; no routing can carry all of these demands in full\n";
  }
  for (const BrokenRule& broken : answer.broken) {
    talk << "ALARM: no path of " << story.ends(broken.demand) << " ("
         << story.policies.classes[broken.demand.cls.index()].name << ") "
         << (broken.what == BrokenRule::What::kLatency ? "is within the class's latency bound"
                                                       : "is clear of the links that the class avoids")
         << "; it takes the path of least delay\n";
  }
  for (const Demand& demand : answer.unrouted) {
    talk << "ALARM: no way from " << story.topology.node(demand.from).name << " to "
         << story.topology.node(demand.to).name << "; this demand is left out\n";
  }
}

Result<void> check(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                   const Answer& answer, const io::PlanFile& file) {
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
                  "and so on (default with policies)")
      ->check(CLI::IsMember({"utilization", "classes"}));
}

int solve_classes(const io::TopologyFile& network, const TrafficMatrix& base, const ClassSolveOptions& options,
                  const SolveRequest& request, const BestUtilization& best_utilization) {
  const io::JsonOutput json{request.json};
  const Topology& topology = network.topology;
  if (options.objective == "utilization") {
    return report({ErrorCode::kBadInput, "--objective utilization weighs all traffic alike: leave out --policies"});
  }
  PolicySet policies;
  if (options.classes.wanted()) {
    auto read = read_policies(options.classes.policies, topology);
    if (!read) return report(read.error());
    policies = *std::move(read);
  }
  const auto traffic = class_traffic(options.classes, policies, topology, base, best_utilization);
  if (!traffic) return report(traffic.error());
  const auto answer = answer_of(topology, *traffic, policies, request.gap);
  if (!answer) return report(answer.error());
  const io::PlanFile file{.topology_digest = topology.digest(),
                          .plan = answer->plan,
                          .certificate = answer->certificate,
                          .unrouted = answer->unrouted};
  if (const auto held = check(topology, *traffic, policies, *answer, file); !held) return report(held.error());
  if (!request.plan_out.empty()) {
    if (const auto written = io::write_plan(request.plan_out, topology, file); !written) {
      return report(written.error());
    }
    if (const auto added = add_class_proof(request.plan_out, answer->proof); !added) return report(added.error());
  }
  const Story story{.topology = topology,
                    .traffic = *traffic,
                    .policies = policies,
                    .answer = *answer,
                    .offered_bps = offered_by_class(*traffic, *answer)};
  if (const auto written = json.write(to_json(story).dump(2)); !written) return report(written.error());
  tell(json.talk(), network, story, request.gap);
  return 0;
}

}  // namespace wan::simulator
