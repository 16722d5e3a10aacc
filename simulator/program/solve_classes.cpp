#include "simulator/program/solve_classes.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "controller/class_planner.h"
#include "controller/fair_share.h"
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

constexpr double kWhole = 1.0 - 1e-9;
constexpr double kFull = 1e-4;          // a link this near to what it may carry is full
constexpr std::size_t kShedShown = 20;  // demands in the table; JSON has all
constexpr std::size_t kLinksNamed = 3;  // that bind one demand

int report(const Error& error) {
  std::cerr << "aiwan-sim solve: " << error.message << '\n';
  return 1;
}

/// Both kinds of answers in the form that the rest of this file reads.
struct Answer {
  bool fair = false;  ///< some demand is not carried whole
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;
  std::vector<BrokenRule> broken;
  std::vector<controller::LevelCertificate> levels;  ///< unless fair
  std::vector<controller::FairRound> rounds;         ///< fair
  std::vector<controller::PriorityLevel> priorities;
  std::vector<double> admitted;  ///< by demand of the plan
  std::size_t unproven = 0;      ///< fair: demands that the number of rounds stopped
  double utilization = 0.0;      ///< by what is admitted
  ClassProof proof;
  double seconds = 0.0;
};

Answer by_classes(controller::ClassRoutes&& routes, double gap) {
  Answer answer;
  answer.proof = class_proof(routes, gap);
  for (const controller::LevelCertificate& level : routes.levels) answer.priorities.push_back(level.level);
  answer.utilization = routes.levels.back().utilization;
  answer.admitted.assign(routes.plan.demand_count(), 1.0);
  answer.plan = std::move(routes.plan);
  answer.certificate = std::move(routes.certificate);
  answer.unrouted = std::move(routes.unrouted);
  answer.broken = std::move(routes.broken);
  answer.levels = std::move(routes.levels);
  return answer;
}

Answer by_shares(controller::FairRoutes&& routes, double fill_to) {
  Answer answer;
  answer.fair = true;
  answer.proof = class_proof(routes, fill_to);
  answer.unproven = routes.unproven;
  answer.priorities = std::move(routes.levels);
  answer.utilization = routes.utilization;
  answer.admitted = std::move(routes.admitted);
  answer.plan = std::move(routes.plan);
  answer.certificate = std::move(routes.offered);
  answer.unrouted = std::move(routes.unrouted);
  answer.broken = std::move(routes.broken);
  answer.rounds = std::move(routes.rounds);
  return answer;
}

/// By priority; where shares are wanted and not everything fits, fair shares.
Result<Answer> answer_of(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                         const ClassSolveOptions& options, double gap) {
  const SteadyClock clock;
  const Duration started = clock.now();
  auto routes = controller::plan_classes(topology, traffic, policies, {.gap = gap, .least_delay = true});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  Answer answer;
  if (options.objective == "fair" && routes->levels.back().utilization > options.fill_to) {
    auto shares = controller::plan_fair_shares(topology, traffic, policies,
                                               {.utilization_max = options.fill_to, .rounds_max = options.rounds_max});
    if (!shares) return tl::unexpected<Error>{shares.error()};
    answer = by_shares(*std::move(shares), options.fill_to);
  } else {
    answer = by_classes(*std::move(routes), gap);
  }
  answer.seconds = to_seconds(clock.now() - started);
  return answer;
}

struct Amounts {
  double offered_bps = 0.0, carried_bps = 0.0;
};

std::vector<Amounts> amounts_by_class(const TrafficMatrix& traffic, const Answer& answer) {
  std::vector<Amounts> amounts(traffic.class_count());
  for (std::size_t d = 0; d < answer.plan.demand_count(); ++d) {
    const Demand& demand = answer.plan.demands()[d];
    const double bps = traffic.at(demand.cls, demand.from, demand.to).bps();
    amounts[demand.cls.index()].offered_bps += bps;
    amounts[demand.cls.index()].carried_bps += answer.admitted[d] * bps;
  }
  for (const Demand& demand : answer.unrouted) {
    amounts[demand.cls.index()].offered_bps += traffic.at(demand.cls, demand.from, demand.to).bps();
  }
  return amounts;
}

/// A demand that is not carried whole, and full links on its paths: those that bind it.
struct Shed {
  Demand demand;
  double offered_bps = 0.0;
  double admitted = 0.0;
  std::vector<LinkId> full_links;
};

std::vector<Shed> shed_demands(const Topology& topology, const TrafficMatrix& traffic, const Answer& answer,
                               double fill_to) {
  std::vector<double> load(topology.link_count(), 0.0);
  for (std::size_t d = 0; d < answer.plan.demand_count(); ++d) {
    const Demand& demand = answer.plan.demands()[d];
    const double bps = answer.admitted[d] * traffic.at(demand.cls, demand.from, demand.to).bps();
    for (std::size_t p = 0; p < answer.plan.path_count(d); ++p) {
      const WeightedPath path = answer.plan.path(d, p);
      for (const LinkId link : path.links) load[link.index()] += bps * path.fraction;
    }
  }
  std::vector<Shed> shed;
  for (std::size_t d = 0; d < answer.plan.demand_count(); ++d) {
    if (answer.admitted[d] >= kWhole) continue;
    const Demand& demand = answer.plan.demands()[d];
    Shed entry{.demand = demand,
               .offered_bps = traffic.at(demand.cls, demand.from, demand.to).bps(),
               .admitted = answer.admitted[d],
               .full_links = {}};
    for (std::size_t p = 0; p < answer.plan.path_count(d); ++p) {
      for (const LinkId link : answer.plan.path(d, p).links) {
        const bool full = load[link.index()] >= fill_to * topology.link(link).capacity.bps() * (1.0 - kFull);
        const bool named = std::find(entry.full_links.begin(), entry.full_links.end(), link) != entry.full_links.end();
        if (full && !named && entry.full_links.size() < kLinksNamed) entry.full_links.push_back(link);
      }
    }
    shed.push_back(std::move(entry));
  }
  std::stable_sort(shed.begin(), shed.end(), [](const Shed& a, const Shed& b) {
    return (1.0 - a.admitted) * a.offered_bps > (1.0 - b.admitted) * b.offered_bps;
  });
  return shed;
}

struct Story {
  const Topology& topology;
  const TrafficMatrix& traffic;
  const PolicySet& policies;
  const Answer& answer;
  std::vector<Amounts> amounts;  // by class
  std::vector<Shed> shed;        // most traffic lost first

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

Json to_json(const Story& story, const ClassSolveOptions& options) {
  const Answer& answer = story.answer;
  Json classes = Json::array(), rounds = Json::array(), shed = Json::array(), unrouted = Json::array();
  Amounts total;
  for (std::size_t c = 0; c < story.amounts.size(); ++c) {
    const Amounts& amounts = story.amounts[c];
    total.offered_bps += amounts.offered_bps;
    total.carried_bps += amounts.carried_bps;
    classes.push_back({{"class", story.policies.classes[c].name},
                       {"priority", story.policies.classes[c].priority},
                       {"offered_mbps", amounts.offered_bps / 1e6},
                       {"carried_mbps", amounts.carried_bps / 1e6}});
  }
  for (const controller::FairRound& round : answer.rounds) {
    rounds.push_back({{"priority", answer.priorities[round.level].priority},
                      {"fraction", round.fraction},
                      {"stopped", round.stopped}});
  }
  double lowest = 1.0;
  for (const double fraction : answer.admitted) lowest = std::min(lowest, fraction);
  for (const Shed& entry : story.shed) {
    Json links = Json::array();
    for (const LinkId link : entry.full_links) links.push_back(story.topology.link(link).name);
    shed.push_back({{"demand", story.ends(entry.demand)},
                    {"class", story.policies.classes[entry.demand.cls.index()].name},
                    {"offered_mbps", entry.offered_bps / 1e6},
                    {"carried_mbps", entry.admitted * entry.offered_bps / 1e6},
                    {"admitted", entry.admitted},
                    {"full_links", std::move(links)}});
  }
  for (const Demand& demand : answer.unrouted) unrouted.push_back(demand_name(story.topology, demand));
  return {{"nodes", story.topology.node_count()},
          {"links", story.topology.link_count()},
          {"objective", options.objective == "fair" ? "fair" : "classes"},
          {"fits", !answer.fair},
          {"mlu", answer.utilization},
          {"offered_mlu", answer.certificate.utilization},
          {"lower_bound", answer.certificate.lower_bound},
          {"seconds", answer.seconds},
          {"verified", true},
          {"overload", answer.certificate.utilization > 1.0},
          {"paths", answer.plan.path_count()},
          {"offered_mbps", total.offered_bps / 1e6},
          {"carried_mbps", total.carried_bps / 1e6},
          {"classes", std::move(classes)},
          {"levels", levels_json(story)},
          {"rounds", std::move(rounds)},
          {"lowest_fraction", lowest},
          {"fair_within", answer.proof.within},
          {"unproven", answer.unproven},
          {"shed", std::move(shed)},
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

void tell_shares(std::ostream& talk, const Story& story) {
  talk << "  class                 priority   offered Mbit/s   carried Mbit/s   carried %\n" << std::fixed;
  for (std::size_t c = 0; c < story.amounts.size(); ++c) {
    const Amounts& amounts = story.amounts[c];
    const double share = amounts.offered_bps > 0.0 ? amounts.carried_bps / amounts.offered_bps : 1.0;
    talk << "  " << std::left << std::setw(20) << story.policies.classes[c].name << std::right << std::setw(10)
         << story.policies.classes[c].priority << std::setprecision(1) << std::setw(17) << amounts.offered_bps / 1e6
         << std::setw(17) << amounts.carried_bps / 1e6 << std::setprecision(2) << std::setw(12) << 100.0 * share
         << '\n';
  }
  if (story.shed.empty()) {
    talk << std::defaultfloat;
    return;
  }
  talk << "  " << story.shed.size() << " demands are carried in part or not at all; those that lose most:\n";
  for (std::size_t i = 0; i < std::min(kShedShown, story.shed.size()); ++i) {
    const Shed& entry = story.shed[i];
    talk << "  " << std::setprecision(2) << std::setw(7) << 100.0 * entry.admitted << " % of " << std::setprecision(1)
         << entry.offered_bps / 1e6 << " Mbit/s  " << story.ends(entry.demand) << "  "
         << story.policies.classes[entry.demand.cls.index()].name << "  full:";
    for (const LinkId link : entry.full_links) talk << ' ' << story.topology.link(link).name;
    talk << '\n';
  }
  talk << std::defaultfloat;
}

void tell_fairness(std::ostream& talk, const Story& story) {
  const Answer& answer = story.answer;
  talk << "max-min fair after " << answer.rounds.size() << " rounds, within " << std::setprecision(2)
       << answer.proof.within << ": no share could be larger by more, unless one of the same priority that is\n"
       << "no larger got less";
  if (answer.unproven == 0) talk << "; nor could more be carried in total with nobody getting less";
  talk << std::setprecision(6) << '\n';
  if (answer.unproven > 0) {
    talk << "note: --rounds stopped " << answer.unproven << " demands, which might get more by as much as that\n";
  }
}

void tell(std::ostream& talk, const io::TopologyFile& network, const Story& story, const ClassSolveOptions& options,
          double gap_wanted) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  const Answer& answer = story.answer;
  talk << story.topology.node_count() << " nodes, " << story.topology.link_count() << " links, "
       << story.policies.classes.size() << " classes over " << answer.plan.path_count() << " paths; " << std::fixed
       << std::setprecision(1) << 1e3 * answer.seconds << " ms" << std::defaultfloat << ", verified\n";
  if (answer.fair) {
    talk << std::setprecision(6) << "more is offered than fits: largest utilisation " << answer.utilization
         << " by what is admitted, " << answer.certificate.utilization << " if all were sent\n";
    tell_shares(talk, story);
    tell_fairness(talk, story);
  } else {
    if (options.objective == "fair") talk << "all that is offered fits\n";
    tell_levels(talk, story, gap_wanted);
    if (answer.utilization > 1.0) {
      talk << "ALARM: overload; --objective fair says how much of each demand can be carried\n";
    }
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
  const auto answer = answer_of(topology, *traffic, policies, options, request.gap);
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
                    .amounts = amounts_by_class(*traffic, *answer),
                    .shed = shed_demands(topology, *traffic, *answer, options.fill_to)};
  if (const auto written = json.write(to_json(story, options).dump(2)); !written) return report(written.error());
  tell(json.talk(), network, story, options, request.gap);
  return 0;
}

}  // namespace wan::simulator
