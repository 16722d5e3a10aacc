#include "controller/program/aiwand/explanation.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "controller/plan_step.h"
#include "core/io/quantity_text.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

using nlohmann::json;

constexpr double kBinds = 0.01;  // part of the bound from which a link is named
constexpr std::size_t kBindingMax = 20;
constexpr std::size_t kComparedAlwaysMax = 2000;  // nodes x links: beyond, decisions that move nothing compare nothing
constexpr double kMatters = 0.01;  // part of the expected utilisation: plans nearer than that are about as good
constexpr double kMoved = 1e-6;    // part of a demand: less is no change

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

double rate_of(const TrafficMatrix& traffic, const Demand& demand) {
  return demand.cls.index() < traffic.class_count() ? traffic.at(demand.cls, demand.from, demand.to).bps() : 0.0;
}

/// By link: the share of one demand that crosses it.
std::vector<double> link_shares(const Topology& topology, const PathPlan& plan, const Demand& demand) {
  std::vector<double> shares(topology.link_count(), 0.0);
  const auto at = plan.find(demand);
  for (std::size_t p = 0; at && p < plan.path_count(*at); ++p) {
    const WeightedPath path = plan.path(*at, p);
    for (const LinkId link : path.links) shares[link.index()] += path.fraction;
  }
  return shares;
}

struct Change {
  Demand demand;
  double rate_bps = 0.0;
  double moved = 0.0;                 // part of the demand
  std::vector<double> before, after;  // by link
};

std::vector<Change> changes_between(const Topology& topology, const PathPlan& before, const PathPlan& after,
                                    const TrafficMatrix& traffic) {
  std::vector<Change> changes;
  for (const Demand& demand : after.demands()) {
    Change change{.demand = demand,
                  .rate_bps = rate_of(traffic, demand),
                  .moved = 0.0,
                  .before = link_shares(topology, before, demand),
                  .after = link_shares(topology, after, demand)};
    for (std::size_t l = 0; l < change.before.size(); ++l) {
      change.moved = std::max(change.moved, std::abs(change.after[l] - change.before[l]));
    }
    if (change.moved > kMoved) changes.push_back(std::move(change));
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.rate_bps * a.moved > b.rate_bps * b.moved; });
  if (changes.size() > kChangesMax) changes.resize(kChangesMax);
  return changes;
}

/// The link that the demand leaves for, and why: the one that binds most.
std::string why_moved(const Topology& topology, const Change& change, const std::vector<double>& prices) {
  std::size_t most = topology.link_count();
  double weight = -1.0;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const double off = change.before[l] - change.after[l];
    if (off <= kMoved) continue;
    const bool down = !topology.links()[l].up;
    const double its = down ? 1e9 : off * (prices.empty() ? 1.0 : prices[l] + 1e-9);
    if (its > weight) {
      weight = its;
      most = l;
    }
  }
  if (most == topology.link_count()) return "newly routed";
  const Link& link = topology.links()[most];
  const BitRate off = BitRate::bps((change.before[most] - change.after[most]) * change.rate_bps);
  std::string why = io::format_bit_rate(off).append(" off ").append(link.name);
  if (!link.up) return why.append(", which is down or drained");
  if (!prices.empty() && prices[most] >= kBinds) return why.append(", which limits the network");
  return why.append(", to make room for others or for a shorter way");
}

json binding_json(const Topology& topology, const std::vector<double>& loads_before,
                  const std::vector<double>& loads_after, const std::vector<double>& prices) {
  std::vector<std::size_t> order;
  for (std::size_t l = 0; l < prices.size(); ++l) {
    if (prices[l] >= kBinds) order.push_back(l);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return prices[a] > prices[b]; });
  if (order.size() > kBindingMax) order.resize(kBindingMax);
  json links = json::array();
  for (const std::size_t l : order) {
    const double capacity = topology.links()[l].capacity.bps();
    links.push_back({{"link", topology.links()[l].name},
                     {"utilization_before", loads_before[l] / capacity},
                     {"utilization_after", loads_after[l] / capacity},
                     {"price", prices[l]}});
  }
  return links;
}

json inputs_json(const DaemonState& state, const models::ScenarioSet& set) {
  json censored = json::array(), missing = json::array();
  json inputs{{"matrix_time", nullptr},
              {"total_bps", nullptr},
              {"scenarios", set.scenarios.size()},
              {"forecast_total_bps", set.forecast.total().bps()}};
  if (state.last) {
    const telemetry::MeasuredInterval& measured = state.last->measured;
    inputs["matrix_time"] = format_timestamp(measured.matrix.measured_at());
    inputs["total_bps"] = state.last->total_bps;
    for (const Demand& demand : measured.censored) {
      censored.push_back(std::string{state.policies.classes[demand.cls.index()].name}
                             .append(" ")
                             .append(state.topology().node(demand.from).name)
                             .append(" > ")
                             .append(state.topology().node(demand.to).name));
    }
    for (const std::string& node : measured.missing) missing.push_back(node);
  }
  inputs["censored"] = std::move(censored);
  inputs["missing"] = std::move(missing);
  return inputs;
}

json rejected_json(ControlLoop& loop, const Decision& decision, std::size_t nodes, std::size_t links) {
  json rejected = json::array();
  const PlanOutlook chosen = loop.outlook_of(decision.proposed ? *decision.proposed : loop.plan_in_force());
  const auto add = [&](const std::string& name, const PlanOutlook& outlook) {
    const double worse = outlook.mean - decision.expected_utilization;
    const double matters = kMatters * decision.expected_utilization;
    PlanOutlook as_good_in_all = outlook;  // leaves the more important traffic to decide
    as_good_in_all.risk = chosen.risk;
    const double overflows = outlook.overflow - chosen.overflow;
    const std::string why = better_by(0.0, chosen, as_good_in_all) ? "it is worse for more important traffic"
                            : worse > matters      ? "its expected utilisation is higher by " + number(worse)
                            : overflows > kMatters ? "it offers links more beyond what they carry, by " +
                                                         number(overflows) + " of all traffic"
                            : worse > -matters ? std::string{"it is about as good, and no better"}
                                               : "better by " + number(-worse) + ", but more than may move in one step";
    rejected.push_back({{"alternative", name},
                        {"expected_utilization", outlook.mean},
                        {"p95_utilization", outlook.p95},
                        {"why", why}});
  };
  const bool moves = decision.proposed.has_value();
  if (moves && decision.if_kept) add("keep the plan in force", *decision.if_kept);
  if (moves && !decision.if_kept) {
    rejected.push_back({{"alternative", "keep the plan in force"},
                        {"expected_utilization", nullptr},
                        {"p95_utilization", nullptr},
                        {"why", "it does not serve the network, or the policies, as they are now"}});
  }
  if (!moves && nodes * links > kComparedAlwaysMax) return rejected;
  for (const Alternative& other : loop.alternatives()) add(other.name, other.outlook);
  return rejected;
}

}  // namespace

json demand_paths_json(const Topology& topology, const PathPlan& plan, const Demand& demand) {
  json paths = json::array();
  const auto at = plan.find(demand);
  for (std::size_t p = 0; at && p < plan.path_count(*at); ++p) {
    const WeightedPath path = plan.path(*at, p);
    json links = json::array();
    for (const LinkId link : path.links) links.push_back(topology.link(link).name);
    paths.push_back({{"links", std::move(links)}, {"fraction", path.fraction}});
  }
  return paths;
}

json changes_json(const Topology& topology, const PolicySet& policies, const PathPlan& before, const PathPlan& after,
                  const TrafficMatrix& traffic, const std::vector<double>& prices) {
  json list = json::array();
  for (const Change& change : changes_between(topology, before, after, traffic)) {
    const std::size_t cls = change.demand.cls.index();
    list.push_back({{"class", cls < policies.classes.size() ? policies.classes[cls].name : std::to_string(cls)},
                    {"from", topology.node(change.demand.from).name},
                    {"to", topology.node(change.demand.to).name},
                    {"before", demand_paths_json(topology, before, change.demand)},
                    {"after", demand_paths_json(topology, after, change.demand)},
                    {"why", why_moved(topology, change, prices)}});
  }
  return list;
}

json explain(const DaemonState& state, ControlLoop& loop, const Decision& decision, const PathPlan& before) {
  const Topology& topology = state.links.planning();
  const models::ScenarioSet& set = loop.scenarios();
  const PathPlan& after = decision.proposed ? *decision.proposed : before;
  const std::vector<double> prices_before = loop.binding_shares(before);
  return {
      {"inputs", inputs_json(state, set)},
      {"binding_links", binding_json(topology, link_loads_bps(topology, before, set.forecast),
                                     link_loads_bps(topology, after, set.forecast), loop.binding_shares(after))},
      {"changes", decision.proposed ? changes_json(topology, state.policies, before, after, set.forecast, prices_before)
                                    : json::array()},
      {"rejected", rejected_json(loop, decision, topology.node_count(), topology.link_count())}};
}

}  // namespace wan::controller
