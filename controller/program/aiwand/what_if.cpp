#include "controller/program/aiwand/what_if.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "controller/few_paths.h"
#include "controller/plan_constraints.h"
#include "controller/plan_outlook.h"
#include "controller/plan_step.h"
#include "controller/planner.h"
#include "controller/policy_paths.h"
#include "controller/program/aiwand/explanation.h"
#include "controller/program/aiwand/planning.h"
#include "controller/scenario_planner.h"
#include "core/link_load.h"
#include "simulator/fluid_network.h"

namespace wan::controller {
namespace {

using nlohmann::json;

std::vector<LinkId> links_down(const Topology& topology) {
  std::vector<LinkId> down;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (!topology.links()[l].up) down.push_back(LinkId{l});
  }
  return down;
}

Topology without(const Topology& topology, std::span<const LinkId> more) {
  std::vector<LinkId> down = links_down(topology);
  down.insert(down.end(), more.begin(), more.end());
  return topology.with_links_down(down);
}

std::vector<LinkId> empty_links(const LiveCopy& live, const PolicySet& policies) {
  std::vector<LinkId> links = policies.links_kept_empty(live.now);
  links.insert(links.end(), live.operator_drains.begin(), live.operator_drains.end());
  return links;
}

struct Peak {
  double utilization = 0.0;
  std::string link;
};

Peak peak_of(const Topology& topology, const std::vector<double>& utilization) {
  Peak peak;
  for (std::size_t l = 0; l < utilization.size(); ++l) {
    if (utilization[l] > peak.utilization) peak = {.utilization = utilization[l], .link = topology.links()[l].name};
  }
  return peak;
}

TrafficMatrix changed(const TrafficMatrix& from, const Rehearsal& what, std::size_t classes) {
  TrafficMatrix matrix{from.node_count(), std::max(from.class_count(), classes)};
  for (std::size_t e = 0; e < from.bps().size(); ++e) matrix.bps()[e] = from.bps()[e] * what.scale;
  for (const Rehearsal::Rate& rate : what.demands) {
    matrix.set(rate.demand.cls, rate.demand.from, rate.demand.to, rate.rate);
  }
  for (const NodeId gone : what.nodes_down) {
    for (std::size_t cls = 0; cls < matrix.class_count(); ++cls) {
      for (std::size_t n = 0; n < matrix.node_count(); ++n) {
        matrix.set(TrafficClass{cls}, gone, NodeId{n}, {});
        matrix.set(TrafficClass{cls}, NodeId{n}, gone, {});
      }
    }
  }
  return matrix;
}

/// The plan that the loop would come to: on scenarios, bent to the policies.
PathPlan planned(const Topology& topology, const std::vector<TrafficMatrix>& scenarios, const PathPlan& in_force,
                 const PolicySet& policies) {
  PathPlan start = with_class_count(in_force, scenarios.front().class_count());
  auto fresh = plan_paths(topology, scenarios.front(), {.gap = 0.01, .threads = 1, .least_delay = true});
  if (fresh && (fresh->plan.demand_count() != start.demand_count() || !start.check(topology))) {
    start = std::move(fresh->plan);
  }
  const PlanConstraints constraints = constraints_of(policies);
  ScenarioPlanner planner{topology, LoopOptions{}.scenario, constraints};
  auto routes = planner.plan(scenarios, start);
  PathPlan plan = follow_policies(topology, policies, routes ? routes->plan : start);
  return keep_few_paths(topology, scenarios.front(), std::move(plan), policies.installed_paths_max(),
                        constraints.levels);
}

json outcome_json(const Topology& topology, const simulator::FluidOutcome& outcome) {
  const Peak peak = peak_of(topology, outcome.offered_utilization);
  json overloaded = json::array(), lost = json::array();
  for (const LinkId link : outcome.overloaded) {
    overloaded.push_back(
        {{"link", topology.link(link).name}, {"utilization", outcome.offered_utilization[link.index()]}});
  }
  std::vector<std::pair<NodeId, NodeId>> pairs;
  for (const Demand& demand : outcome.lost) pairs.emplace_back(demand.from, demand.to);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const auto& [from, to] : pairs) {
    lost.push_back({{"from", topology.node(from).name}, {"to", topology.node(to).name}});
  }
  return {{"max_utilization", peak.utilization},
          {"max_utilization_link", peak.link},
          {"overloaded_links", std::move(overloaded)},
          {"disconnected", std::move(lost)}};
}

}  // namespace

json rehearse(const LiveCopy& live, const Rehearsal& what) {
  const PolicySet& policies = what.policies ? *what.policies : live.policies;
  const std::size_t classes = policies.classes.size();
  const Topology after_physical = without(live.physical, what.down);
  const Topology after_planning = without(after_physical, empty_links(live, policies));
  const PathPlan now_in_force = with_class_count(live.in_force, std::max(classes, live.policies.classes.size()));

  const TrafficMatrix expected_now = changed(live.outlook.forecast, {}, classes);
  const TrafficMatrix expected_then = changed(live.outlook.forecast, what, classes);
  std::vector<TrafficMatrix> scenarios;
  for (const TrafficMatrix& scenario : live.outlook.scenarios) scenarios.push_back(changed(scenario, what, classes));
  const PathPlan plan = planned(after_planning, scenarios, now_in_force, policies);

  const simulator::FluidOutcome before = simulator::FluidNetwork{live.physical}.carry(now_in_force, expected_now);
  const simulator::FluidNetwork then{after_physical};
  const simulator::FluidOutcome unchanged =
      then.carry(simulator::surviving_plan(after_physical, now_in_force), expected_then);
  const simulator::FluidOutcome after = then.carry(plan, expected_then);

  json result = outcome_json(after_physical, after);
  const Peak peak = peak_of(live.physical, before.offered_utilization);
  result["before"] = {{"max_utilization", peak.utilization}, {"max_utilization_link", peak.link}};
  result["without_reaction"] = outcome_json(after_physical, unchanged);
  result["moved_share"] = moved_share(now_in_force, plan, expected_then);
  json links = json::array();
  for (std::size_t l = 0; l < after_physical.link_count(); ++l) {
    links.push_back({{"link", after_physical.links()[l].name},
                     {"utilization_before", before.offered_utilization[l]},
                     {"utilization_after", after.offered_utilization[l]}});
  }
  result["links"] = std::move(links);
  return result;
}

json preview(const LiveCopy& live, const PolicySet& policies) {
  const std::size_t classes = policies.classes.size();
  const Topology planning_now = without(live.physical, live.kept_empty);
  const Topology planning_then = without(live.physical, empty_links(live, policies));
  const PathPlan now_in_force = with_class_count(live.in_force, std::max(classes, live.policies.classes.size()));
  std::vector<TrafficMatrix> scenarios;
  for (const TrafficMatrix& scenario : live.outlook.scenarios) scenarios.push_back(changed(scenario, {}, classes));
  const TrafficMatrix forecast = changed(live.outlook.forecast, {}, classes);

  const bool usable = now_in_force.check(planning_then) && most_paths(now_in_force) <= policies.installed_paths_max() &&
                      follow_policies(planning_then, policies, now_in_force) == now_in_force;
  const auto outlook = [&, levels = constraints_of(policies).levels](const PathPlan& plan) {
    return outlook_of_plan(live.physical, plan, scenarios, 1.0, levels);
  };
  const PlanOutlook before = outlook(now_in_force);
  PathPlan plan = now_in_force;
  if (!usable || before.mean >= policies.utilization_target.value_or(0.0)) {
    PathPlan better = planned(planning_then, scenarios, now_in_force, policies);
    const PlanOutlook after = outlook(better);
    if (!usable || better_by(kWorthInstalling, after, before) || relieves(after, before)) plan = std::move(better);
  }
  const double share = policies.max_moved_share.value_or(live.max_moved_share);
  double moved = moved_share(now_in_force, plan, forecast);
  if (usable && moved > share) {
    plan = blended(now_in_force, plan, share / moved, forecast, policies.installed_paths_max());
    moved = moved_share(now_in_force, plan, forecast);
  }
  return {{"changes", changes_json(planning_then, policies, now_in_force, plan, forecast, {})},
          {"max_utilization_before", before.mean},
          {"max_utilization_after", outlook(plan).mean},
          {"moved_share", moved}};
}

}  // namespace wan::controller
