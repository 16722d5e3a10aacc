#include <cstdio>
#include <utility>

#include "controller/control_loop_state.h"
#include "controller/dual_bound.h"
#include "controller/few_paths.h"
#include "controller/plan_step.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr double kWorseThanSafe = 1e-3;  // part by which the scenario plan may be above the best safe plan

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * part);
  return text;
}

}  // namespace

std::vector<Alternative> ControlLoop::alternatives() {
  std::vector<Alternative> found;
  for (const SafePlan& plan : impl_->safe_plans()) {
    const bool igp = plan.name == "IGP";
    found.push_back(
        {.name = igp ? "shortest paths (IGP)" : "plan on the newest matrix alone", .outlook = plan.outlook});
  }
  auto on_forecast =
      plan_paths(impl_->topology, impl_->set.forecast, {.gap = Impl::kSafePlanGap, .threads = impl_->options.threads});
  if (on_forecast) {
    const PathPlan plan = impl_->constrained(std::move(on_forecast->plan));
    found.push_back({.name = "plan on the forecast alone", .outlook = outlook_of(plan)});
  }
  return found;
}

bool ControlLoop::Impl::complies() const {
  if (options.paths_max > 0 && most_paths(in_force) > options.paths_max) return false;
  return !options.constrain || options.constrain(topology, in_force) == in_force;
}

PathPlan ControlLoop::Impl::constrained(PathPlan plan) const {
  if (options.constrain) plan = options.constrain(topology, plan);
  if (options.paths_max == 0) return plan;
  return keep_few_paths(topology, set.forecast, std::move(plan), options.paths_max, options.constraints.levels);
}

void ControlLoop::Impl::plan_next(Decision& decision) {
  decision.forecaster = expected_next.by;
  set = residuals.around(expected_next.matrix);
  decision.unrouted = unconnected_demands(topology, set.forecast);
  const bool usable = serves_network() && complies();
  const PlanOutlook now_in_force = usable ? outlook(in_force) : PlanOutlook{};
  if (usable) decision.if_kept = now_in_force;
  if (usable && now_in_force.p95 < options.utilization_target) {
    decision.action = Action::kKeep;
    decision.reason = "p95 utilisation " + number(now_in_force.p95) + " on the paths in force is below the target " +
                      number(options.utilization_target);
    describe_outlook(decision, set.forecast, now_in_force);
  } else {
    choose(decision, now_in_force, usable);
  }
  if (!expected_next.remark.empty()) decision.reason += "; forecast by EWMA: " + expected_next.remark;
}

std::vector<SafePlan> ControlLoop::Impl::safe_plans() {
  std::vector<SafePlan> plans;
  if (igp) {
    PathPlan plan = constrained(*igp);
    const PlanOutlook its = outlook(plan);
    plans.push_back({.name = "IGP", .plan = std::move(plan), .outlook = its});
  }
  if (auto routes = on_last->plan(history.back())) {
    PathPlan plan = constrained(std::move(routes->plan));
    const PlanOutlook its = outlook(plan);
    plans.push_back({.name = "newest matrix alone", .plan = std::move(plan), .outlook = its});
  }
  return plans;
}

const PathPlan& ControlLoop::Impl::chosen(const Decision& decision) const {
  return decision.proposed ? *decision.proposed : in_force;
}

bool ControlLoop::Impl::put_forward(Decision& decision, PathPlan plan, bool usable) {
  bool whole = true;
  if (!options.adopts || options.max_moved_share < 1.0) {
    decision.moved_share = wan::controller::moved_share(in_force, plan, set.forecast);
    if (usable && decision.moved_share > options.max_moved_share) {
      whole = false;
      const double share = options.max_moved_share / decision.moved_share;
      plan = options.paths_max > 0 ? blended(in_force, plan, share, set.forecast, options.paths_max)
                                   : blended(in_force, plan, share);
      decision.reason += "; moves " + number(options.max_moved_share) + " of the " + number(decision.moved_share) +
                         " of all traffic that it would, as much as one step may";
      decision.moved_share = wan::controller::moved_share(in_force, plan, set.forecast);
    }
  }
  (options.adopts ? in_force : decision.proposed.emplace()) = std::move(plan);
  return whole;
}

std::optional<ScenarioRoutes> ControlLoop::Impl::scenario_routes(Decision& decision, const PathPlan& start, bool usable,
                                                                 std::string& why_none) {
  auto routes = planner->plan(set.scenarios, start, usable);
  if (!routes) {
    why_none = routes.error().message;
    return std::nullopt;
  }
  decision.lower_bound = routes->lower_bound;
  decision.broken_rules = routes->broken;
  if (options.constrain || options.paths_max > 0) routes->plan = constrained(std::move(routes->plan));
  return *std::move(routes);
}

/// `0.8000`; with what the more important traffic comes to, and overload: `1.3000 (priority 5 and above 0.3000, links
/// offered 2.1 % of all traffic too much)`.
std::string ControlLoop::Impl::outlook_text(const PlanOutlook& its) const {
  std::vector<std::string> beside;
  for (std::size_t i = 0; i < its.important.size(); ++i) {
    beside.push_back("priority " + std::to_string(options.constraints.levels[i].priority) + " and above " +
                     number(its.important[i]));
  }
  if (its.overflow > 0.0) beside.push_back("links offered " + percent(its.overflow) + " of all traffic too much");
  std::string text = number(its.risk);
  for (std::size_t i = 0; i < beside.size(); ++i) text += (i == 0 ? " (" : ", ") + beside[i];
  return beside.empty() ? text : text + ")";
}

void ControlLoop::Impl::choose(Decision& decision, const PlanOutlook& now_in_force, bool usable) {
  PathPlan start = in_force;
  if (!usable) {
    auto fresh = plan_paths(topology, set.forecast, {.gap = 0.01, .threads = options.threads, .least_delay = true});
    if (fresh) start = std::move(fresh->plan);
  }
  std::string why_none;
  auto routes = scenario_routes(decision, start, usable, why_none);
  const PlanOutlook planned = routes ? outlook(routes->plan) : PlanOutlook{};
  std::vector<SafePlan> safe = safe_plans();
  std::string rivals;
  SafePlan* safest = nullptr;
  for (SafePlan& plan : safe) {
    rivals += ", " + plan.name + " " + outlook_text(plan.outlook);
    if (safest == nullptr || better_by(0.0, plan.outlook, safest->outlook)) safest = &plan;
  }
  const std::string in_force_text = usable             ? ", in force " + outlook_text(now_in_force)
                                    : serves_network() ? ", the plan in force does not follow the policies"
                                                       : ", the plan in force does not serve the network as it is now";

  // The scenario plan may be above the safest one by what it may be above the best one, to move less.
  const ScenarioOptions& wanted = options.scenario;
  const double tolerance = kWorseThanSafe + (wanted.change_weight > 0.0 ? wanted.change_tolerance : 0.0);
  const bool falls_back =
      !routes || (safest != nullptr && better_by(1.0 - 1.0 / (1.0 + tolerance), safest->outlook, planned));
  const PlanOutlook* candidate = !falls_back ? &planned : (safest != nullptr ? &safest->outlook : nullptr);
  const bool worth_it = candidate != nullptr && (better_by(options.worth_installing, *candidate, now_in_force) ||
                                                 relieves(*candidate, now_in_force));
  if (usable && !worth_it) {
    decision.action = Action::kKeep;
    decision.reason = "no plan found that is worth a change: scenario plan " +
                      (routes ? outlook_text(planned) : "none (" + why_none + ")") + in_force_text + rivals;
    describe_outlook(decision, set.forecast, now_in_force);
    return;
  }
  PlanOutlook its = planned;
  bool whole = false;
  if (falls_back) {
    decision.action = Action::kFallback;
    const std::string scenario_text =
        routes ? ", scenario plan " + outlook_text(planned) : ", no scenario plan: " + why_none;
    const std::string name = safest != nullptr ? safest->name : "forecast alone";
    PathPlan safest_plan = safest != nullptr ? std::move(safest->plan) : constrained(std::move(start));
    its = safest != nullptr ? safest->outlook : outlook(safest_plan);
    decision.reason =
        name + " is the safest: expected utilisation " + outlook_text(its) + scenario_text + in_force_text + rivals;
    whole = put_forward(decision, std::move(safest_plan), usable);
  } else {
    decision.action = Action::kInstall;
    const char* any = planned.important.empty() ? " by any plan" : " by any plan that keeps the priorities";
    decision.reason = "scenario plan: expected utilisation " + outlook_text(planned) + ", at least " +
                      number(decision.lower_bound) + any + in_force_text + rivals;
    whole = put_forward(decision, std::move(routes->plan), usable);
  }
  describe_outlook(decision, set.forecast, whole ? its : outlook(chosen(decision)));
}

void ControlLoop::Impl::describe_outlook(Decision& decision, const TrafficMatrix& forecast_matrix,
                                         const PlanOutlook& now_in_force) const {
  decision.expected_utilization = now_in_force.mean;
  decision.risk_utilization = now_in_force.risk;
  decision.p95_utilization = now_in_force.p95;
  const std::vector<double> loads = link_loads_bps(topology, chosen(decision), forecast_matrix);
  for (std::size_t l = 0; l < loads.size(); ++l) {
    const Link& link = topology.links()[l];
    if (link.up && loads[l] > link.capacity.bps()) {
      decision.alarms.push_back("overload expected: link " + link.name + " at utilisation " +
                                number(loads[l] / link.capacity.bps()));
    }
  }
  for (const Demand& demand : decision.unrouted) {
    decision.alarms.push_back("cut off: " + topology.node(demand.from).name + " > " + topology.node(demand.to).name);
  }
}

}  // namespace wan::controller
