#include "simulator/program/class_report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "simulator/fluid_network.h"
#include "simulator/program/path_limits.h"

namespace wan::simulator {
namespace {

using Json = nlohmann::ordered_json;
using controller::BrokenRule;

constexpr double kWhole = 1.0 - 1e-9;
constexpr double kFull = 1e-4;          // a link this near to what it may carry is full
constexpr std::size_t kShedShown = 20;  // demands in the table; JSON has all
constexpr std::size_t kLinksNamed = 3;  // that bind one demand

std::vector<CarriedAmounts> amounts_by_class(const TrafficMatrix& traffic, const ClassAnswer& answer) {
  std::vector<CarriedAmounts> amounts(traffic.class_count());
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

std::vector<ShedDemand> shed_demands(const Topology& topology, const TrafficMatrix& traffic, const ClassAnswer& answer,
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
  std::vector<ShedDemand> shed;
  for (std::size_t d = 0; d < answer.plan.demand_count(); ++d) {
    if (answer.admitted[d] >= kWhole) continue;
    const Demand& demand = answer.plan.demands()[d];
    ShedDemand entry{.demand = demand,
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
  std::stable_sort(shed.begin(), shed.end(), [](const ShedDemand& a, const ShedDemand& b) {
    return (1.0 - a.admitted) * a.offered_bps > (1.0 - b.admitted) * b.offered_bps;
  });
  return shed;
}

double gap_of(const controller::LevelCertificate& level) {
  const double beyond = std::max(level.lower_bound, level.level.utilization_target.value_or(0.0));
  return beyond > 0.0 ? std::max(0.0, level.utilization / beyond - 1.0) : 0.0;
}

Json broken_json(const ClassStory& story) {
  Json out = Json::array();
  for (const BrokenRule& broken : story.answer.broken) {
    out.push_back({{"demand", story.ends(broken.demand)},
                   {"class", story.policies.classes[broken.demand.cls.index()].name},
                   {"rule", broken.what == BrokenRule::What::kLatency ? "latency_max" : "avoid"}});
  }
  return out;
}

Json levels_json(const ClassStory& story) {
  Json out = Json::array();
  for (std::size_t k = 0; k < story.answer.levels.size(); ++k) {
    const controller::LevelCertificate& level = story.answer.levels[k];
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
    if (!story.answer.all_paths_utilization.empty()) {
      entry["all_paths_utilization"] = story.answer.all_paths_utilization[k];
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void tell_levels(std::ostream& talk, const ClassStory& story, double gap_wanted) {
  const std::vector<double>& over_all_paths = story.answer.all_paths_utilization;
  talk << "  priority  utilisation  no plan below    gap %   target"
       << (over_all_paths.empty() ? "" : "  over all paths") << "  classes\n"
       << std::fixed;
  for (std::size_t k = 0; k < story.answer.levels.size(); ++k) {
    const controller::LevelCertificate& level = story.answer.levels[k];
    talk << std::setw(10) << level.level.priority << std::setprecision(6) << std::setw(13) << level.utilization
         << std::setw(15) << level.lower_bound << std::setprecision(3) << std::setw(9) << 100.0 * gap_of(level)
         << std::setw(9);
    if (level.level.utilization_target) {
      talk << *level.level.utilization_target;
    } else {
      talk << "-";
    }
    if (!over_all_paths.empty()) talk << std::setprecision(6) << std::setw(16) << over_all_paths[k];
    talk << "  " << story.class_names(level.level) << '\n';
    if (gap_of(level) > gap_wanted * (1.0 + 1e-6)) talk << "            note: the gap asked for was not reached\n";
  }
  talk << std::defaultfloat;
  if (!over_all_paths.empty()) talk << "limited to " << limits_text(story.answer.limits) << '\n';
}

void tell_shares(std::ostream& talk, const ClassStory& story) {
  talk << "  class                 priority   offered Mbit/s   carried Mbit/s   carried %\n" << std::fixed;
  for (std::size_t c = 0; c < story.amounts.size(); ++c) {
    const CarriedAmounts& amounts = story.amounts[c];
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
    const ShedDemand& entry = story.shed[i];
    talk << "  " << std::setprecision(2) << std::setw(7) << 100.0 * entry.admitted << " % of " << std::setprecision(1)
         << entry.offered_bps / 1e6 << " Mbit/s  " << story.ends(entry.demand) << "  "
         << story.policies.classes[entry.demand.cls.index()].name << "  full:";
    for (const LinkId link : entry.full_links) talk << ' ' << story.topology.link(link).name;
    talk << '\n';
  }
  talk << std::defaultfloat;
}

void tell_fairness(std::ostream& talk, const ClassStory& story) {
  const ClassAnswer& answer = story.answer;
  talk << "max-min fair after " << answer.rounds.size() << " rounds, within " << std::setprecision(2)
       << answer.proof.within << ": no share could be larger by more, unless one of the same priority that is\n"
       << "no larger got less";
  if (answer.unproven == 0) talk << "; nor could more be carried in total with nobody getting less";
  talk << std::setprecision(6) << '\n';
  if (answer.unproven > 0) {
    talk << "note: --rounds stopped " << answer.unproven << " demands, which might get more by as much as that\n";
  }
}

}  // namespace

ClassStory class_story(const Topology& topology, const TrafficMatrix& traffic, const controller::PolicySet& policies,
                       const ClassAnswer& answer, double fill_to) {
  return {.topology = topology,
          .traffic = traffic,
          .policies = policies,
          .answer = answer,
          .amounts = amounts_by_class(traffic, answer),
          .shed = shed_demands(topology, traffic, answer, fill_to)};
}

nlohmann::ordered_json to_json(const ClassStory& story, const ClassSolveOptions& options) {
  const ClassAnswer& answer = story.answer;
  Json classes = Json::array(), rounds = Json::array(), shed = Json::array(), unrouted = Json::array();
  CarriedAmounts total;
  for (std::size_t c = 0; c < story.amounts.size(); ++c) {
    const CarriedAmounts& amounts = story.amounts[c];
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
  for (const ShedDemand& entry : story.shed) {
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
  Json document{{"nodes", story.topology.node_count()},
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
  if (answer.limits != io::PlanLimits{}) {
    document["all_paths_mlu"] = answer.all_paths_utilization.back();
    add_limits(document, answer.limits);
  }
  return document;
}

void tell(std::ostream& talk, const io::TopologyFile& network, const ClassStory& story,
          const ClassSolveOptions& options, double gap_wanted) {
  for (const std::string& assumption : network.assumptions) talk << "note: " << assumption << '\n';
  const ClassAnswer& answer = story.answer;
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

}  // namespace wan::simulator
