#include "controller/control_loop.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <deque>
#include <utility>

#include "controller/congestion_risk.h"
#include "controller/dual_bound.h"
#include "controller/few_paths.h"
#include "controller/plan_step.h"
#include "controller/planner.h"
#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"
#include "models/trajectories.h"

namespace wan::controller {
namespace {

constexpr std::size_t kHistoryMax = 96;  // matrices kept, if the forecaster does not ask for more
constexpr double kSafePlanGap = 0.005;   // of the plan on the newest matrix alone
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

/// What is expected of the next interval, and where that comes from.
struct Forecast {
  TrafficMatrix matrix;
  std::string by;      ///< name of the forecaster
  std::string remark;  ///< why it is not the model's; empty if it is
};

std::span<const TrafficMatrix> newest(std::span<const TrafficMatrix> past, std::size_t count) {
  return past.last(std::min(count, past.size()));
}

/// The forecast brought near where demands have jumped far above it: a jump tells of a new level, and only for a part
/// of how forecasts err, or every scenario of the next hour would double what has doubled.
TrafficMatrix near_jumps(TrafficMatrix forecast, const TrafficMatrix& measured) {
  constexpr double kErrorMax = 1.25;  // of a measure over its forecast
  for (std::size_t e = 0; e < forecast.bps().size(); ++e) {
    forecast.bps()[e] = std::max(forecast.bps()[e], measured.bps()[e] / kErrorMax);
  }
  return forecast;
}

std::size_t count_connected_pairs(const Topology& topology) {
  const std::vector<double> hops = hop_costs(topology);
  std::size_t pairs = 0;
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, hops);
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      if (s != t && tree.reaches(NodeId{t})) ++pairs;
    }
  }
  return pairs;
}

/// A plan that needs no forecast, and what to call it.
struct SafePlan {
  std::string name;
  PathPlan plan;
  PlanOutlook outlook;
};

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kInstall:
      return "install";
    case Action::kKeep:
      return "keep";
    case Action::kHold:
      return "hold";
    case Action::kFallback:
      return "fallback";
  }
  return "unknown";
}

struct ControlLoop::Impl {
  void adopt_topology(const Topology& network);
  void take_in(const TrafficMatrix& matrix);
  void remember_miss(const TrafficMatrix& forecast_matrix, const TrafficMatrix& measured);
  /// The matrix with head-room for demands whose senders have slowed down.
  [[nodiscard]] TrafficMatrix with_headroom(const TrafficMatrix& measured, std::span<const Demand> censored);
  /// Demands that were measured above their forecast are expected to stay there.
  void follow_jumps(TrafficMatrix& forecast_matrix, const TrafficMatrix& latest) const;
  /// The forecast for the interval after `past`, by the model if it is plausible, else by EWMA.
  [[nodiscard]] Forecast forecast(std::span<const TrafficMatrix> past) const;
  [[nodiscard]] std::size_t intervals_wanted() const;
  /// Whether the plan in force has a way for every pair that is connected, over links that are up.
  [[nodiscard]] bool serves_network() const;
  /// Whether it does what the policies ask.
  [[nodiscard]] bool complies() const;
  [[nodiscard]] PathPlan constrained(PathPlan plan) const;
  /// Puts the plan in force or proposes it, no more of it at once than may be moved. Whether that is all of it.
  bool put_forward(Decision& decision, PathPlan plan, bool usable);
  [[nodiscard]] const PathPlan& chosen(const Decision& decision) const;
  [[nodiscard]] Decision hold(const TrafficMatrix& latest, Timestamp now, const std::string& fault);
  void plan_next(Decision& decision);
  [[nodiscard]] PlanOutlook outlook(const PathPlan& plan) const {
    return outlook_of_plan(topology, plan, set.scenarios, options.scenario.tail, options.constraints.levels);
  }
  [[nodiscard]] std::vector<SafePlan> safe_plans();
  /// @param usable    whether `start` is in force and may stay: leaving it has its price
  /// @param why_none  receives why there is no plan
  [[nodiscard]] std::optional<ScenarioRoutes> scenario_routes(Decision& decision, const PathPlan& start, bool usable,
                                                              std::string& why_none);
  [[nodiscard]] std::string outlook_text(const PlanOutlook& its) const;
  void choose(Decision& decision, const PlanOutlook& in_force, bool usable);
  void describe_outlook(Decision& decision, const TrafficMatrix& forecast_matrix,
                        const PlanOutlook& now_in_force) const;

  LoopOptions options;
  const models::Forecaster* model = nullptr;  // outlives the loop; may be null
  std::unique_ptr<models::Forecaster> ewma;
  Topology topology;
  InputGuard guard;
  std::vector<TrafficMatrix> history;  // oldest first, cleaned
  models::ScenarioSource residuals{{}};
  models::TrajectorySource trajectories{{}};
  Forecast expected_next;                 // for the interval after the history
  std::size_t holds = 0;                  // matrices in a row that might be a new level
  models::ScenarioSet set;                // behind the newest decision
  std::vector<double> uncensored_bps;     // by entry: what it measured before its packets were dropped
  std::vector<std::size_t> censored_for;  // by entry: intervals in a row

  std::optional<ScenarioPlanner> planner;  // of the present topology
  std::optional<RoutePlanner> on_last;     // plans the newest matrix alone, each time from the plan before
  std::optional<PathPlan> igp;             // of the present topology
  std::size_t connected_pairs = 0;         // of the present topology
  PathPlan in_force;
};

ControlLoop::ControlLoop(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
ControlLoop::~ControlLoop() = default;
ControlLoop::ControlLoop(ControlLoop&&) noexcept = default;
ControlLoop& ControlLoop::operator=(ControlLoop&&) noexcept = default;

Result<ControlLoop> ControlLoop::make(const Topology& topology, const models::Forecaster* forecaster,
                                      std::span<const TrafficMatrix> training, Duration interval,
                                      const LoopOptions& options) {
  if (training.empty()) return fail(ErrorCode::kBadInput, "the control loop needs at least one matrix of history");
  for (const TrafficMatrix& matrix : training) {
    if (matrix.node_count() != topology.node_count() || matrix.class_count() != training.front().class_count()) {
      return fail(ErrorCode::kShapeMismatch, "the history is not of the control loop's network");
    }
  }
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->model = forecaster;
  impl->ewma = models::fit_ewma_forecaster(training);
  impl->guard = InputGuard::fit(topology, training, interval, options.guard);
  impl->residuals = models::ScenarioSource{options.scenarios};
  const models::TrajectoryOptions ahead{.leads = std::max(options.risk_horizon, std::size_t{1})};
  impl->trajectories = models::TrajectorySource{ahead};

  // Residuals of the last training intervals, each forecast from what came before it.
  const std::size_t wanted =
      std::max(options.scenarios.count, options.risk_horizon > 0 ? ahead.count + ahead.leads : 0);
  for (std::size_t row = training.size() - std::min(wanted, training.size() - 1); row < training.size(); ++row) {
    impl->remember_miss(impl->forecast(training.first(row)).matrix, training[row]);
  }
  const auto kept = newest(training, impl->intervals_wanted());
  impl->history.assign(kept.begin(), kept.end());
  impl->adopt_topology(topology);
  impl->expected_next = impl->forecast(impl->history);
  impl->set = impl->residuals.around(impl->expected_next.matrix);

  auto first_plan =
      plan_paths(topology, training.back(), {.gap = 0.01, .threads = options.threads, .least_delay = true});
  if (!first_plan) return tl::unexpected<Error>{first_plan.error()};
  impl->in_force = std::move(first_plan->plan);
  return ControlLoop{std::move(impl)};
}

void ControlLoop::warm_up() {
  (void)impl_->planner->plan(impl_->set.scenarios, impl_->in_force, true);
  (void)impl_->safe_plans();
}

void ControlLoop::set_topology(const Topology& topology) { impl_->adopt_topology(topology); }

const PathPlan& ControlLoop::plan_in_force() const { return impl_->in_force; }

void ControlLoop::adopt(PathPlan plan) { impl_->in_force = std::move(plan); }

const models::ScenarioSet& ControlLoop::scenarios() const { return impl_->set; }

std::span<const TrafficMatrix> ControlLoop::history() const { return impl_->history; }

PlanOutlook ControlLoop::outlook_of(const PathPlan& plan) const { return impl_->outlook(plan); }

std::vector<Alternative> ControlLoop::alternatives() {
  std::vector<Alternative> found;
  for (const SafePlan& plan : impl_->safe_plans()) {
    const bool igp = plan.name == "IGP";
    found.push_back(
        {.name = igp ? "shortest paths (IGP)" : "plan on the newest matrix alone", .outlook = plan.outlook});
  }
  auto on_forecast =
      plan_paths(impl_->topology, impl_->set.forecast, {.gap = kSafePlanGap, .threads = impl_->options.threads});
  if (on_forecast) {
    const PathPlan plan = impl_->constrained(std::move(on_forecast->plan));
    found.push_back({.name = "plan on the forecast alone", .outlook = outlook_of(plan)});
  }
  return found;
}

std::vector<double> ControlLoop::congestion_probability(const PathPlan& plan, std::span<const double> threshold) const {
  assert(impl_->options.risk_horizon > 0);
  const std::vector<models::Trajectory> ways = impl_->trajectories.around(impl_->expected_next.matrix);
  return wan::controller::congestion_probability(impl_->topology, plan, ways, threshold);
}

std::vector<double> ControlLoop::binding_shares(const PathPlan& plan) const {
  const Topology& topology = impl_->topology;
  std::vector<double> share(topology.link_count(), 0.0);
  for (const TrafficMatrix& scenario : impl_->set.scenarios) {
    std::vector<double> weight = link_loads_bps(topology, plan, scenario);
    double highest = 0.0;
    for (std::size_t l = 0; l < weight.size(); ++l) {
      weight[l] = topology.links()[l].up ? weight[l] / topology.links()[l].capacity.bps() : 0.0;
      highest = std::max(highest, weight[l]);
    }
    if (highest <= 0.0) continue;
    double sum = 0.0;
    for (double& entry : weight) {
      entry = entry > 0.0 ? std::exp(impl_->options.scenario.sharpness * (entry / highest - 1.0)) : 0.0;
      sum += entry;
    }
    for (std::size_t l = 0; l < weight.size(); ++l) share[l] += weight[l] / sum;
  }
  const auto count = static_cast<double>(impl_->set.scenarios.size());
  for (double& entry : share) entry /= count;
  return share;
}

void ControlLoop::Impl::adopt_topology(const Topology& network) {
  topology = network;
  planner.emplace(topology, options.scenario, options.constraints);
  on_last.emplace(topology, PlannerOptions{.gap = kSafePlanGap, .threads = options.threads});
  connected_pairs = count_connected_pairs(topology);
  auto shortest = igp_plan(topology, weight_costs(topology), history.front().class_count());
  igp.reset();
  if (shortest) igp = *std::move(shortest);
}

void ControlLoop::Impl::remember_miss(const TrafficMatrix& forecast_matrix, const TrafficMatrix& measured) {
  residuals.record(forecast_matrix, measured);
  if (options.risk_horizon > 0) trajectories.record(forecast_matrix, measured);
}

std::size_t ControlLoop::Impl::intervals_wanted() const {
  return std::max(model != nullptr ? model->history_intervals() : 0, kHistoryMax);
}

void ControlLoop::Impl::take_in(const TrafficMatrix& matrix) {
  history.push_back(matrix);
  const std::size_t wanted = intervals_wanted();
  if (history.size() > 2 * wanted) {
    history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(wanted));
  }
}

Forecast ControlLoop::Impl::forecast(std::span<const TrafficMatrix> past) const {
  std::string remark = "no model given";
  if (model != nullptr) {
    auto made = model->next(newest(past, std::max(model->history_intervals(), std::size_t{1})));
    std::optional<InputFault> fault;
    if (made) fault = guard.demand_fault(*made);
    if (made && !fault) return {.matrix = *std::move(made), .by = std::string{model->name()}, .remark = {}};
    remark = "model forecast not used (" + (made ? fault->text : made.error().message) + ")";
  }
  auto made = ewma->next(newest(past, kHistoryMax));
  return {.matrix = made ? *std::move(made) : past.back(), .by = "ewma", .remark = std::move(remark)};
}

bool ControlLoop::Impl::serves_network() const {
  return in_force.demand_count() == connected_pairs * history.front().class_count() && in_force.check(topology);
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

TrafficMatrix ControlLoop::Impl::with_headroom(const TrafficMatrix& measured, std::span<const Demand> censored) {
  TrafficMatrix planned = measured;
  uncensored_bps.resize(measured.bps().size(), 0.0);
  censored_for.resize(measured.bps().size(), 0);
  const std::size_t n = measured.node_count();
  std::vector<bool> is_censored(measured.bps().size(), false);
  for (const Demand& demand : censored) {
    if (demand.cls.index() >= measured.class_count()) continue;
    is_censored[(demand.cls.index() * n + demand.from.index()) * n + demand.to.index()] = true;
  }
  for (std::size_t e = 0; e < is_censored.size(); ++e) {
    if (!is_censored[e]) {
      uncensored_bps[e] = measured.bps()[e];
      censored_for[e] = 0;
      continue;
    }
    ++censored_for[e];
    planned.bps()[e] *= options.censored_headroom;
    if (censored_for[e] <= options.censored_memory) planned.bps()[e] = std::max(planned.bps()[e], uncensored_bps[e]);
  }
  return planned;
}

void ControlLoop::Impl::follow_jumps(TrafficMatrix& forecast_matrix, const TrafficMatrix& latest) const {
  for (std::size_t e = 0; e < forecast_matrix.bps().size(); ++e) {
    forecast_matrix.bps()[e] = std::max(forecast_matrix.bps()[e], latest.bps()[e]);
  }
}

Decision ControlLoop::replan() {
  Decision decision;
  impl_->plan_next(decision);
  return decision;
}

Decision ControlLoop::step(const TrafficMatrix& measured, Timestamp now, const Measurement& beside) {
  Impl& loop = *impl_;
  std::string believed_note;
  if (const auto fault = loop.guard.fault(measured, now)) {
    const bool real = fault->may_be_real() || (loop.options.reacts && fault->kind == InputFault::Kind::kStandstill);
    if (real) ++loop.holds;
    const bool confirmed = real && beside.confirmed;
    if (!confirmed && (!real || loop.holds <= loop.options.holds_max)) return loop.hold(measured, now, fault->text);
    believed_note = confirmed ? "believed, link counters agree: " + fault->text
                              : "believed after " + std::to_string(loop.holds) + " intervals: " + fault->text;
  }
  loop.holds = 0;
  const TrafficMatrix latest = loop.with_headroom(measured, beside.censored);
  loop.remember_miss(loop.options.reacts ? near_jumps(loop.expected_next.matrix, latest) : loop.expected_next.matrix,
                     latest);
  if (believed_note.empty()) {
    loop.guard.learn(latest);
  } else {
    loop.guard.accept_level(latest);  // not its jump: as large a one is to be doubted again
  }
  loop.guard.record(latest, latest);
  loop.take_in(latest);
  loop.expected_next = loop.forecast(loop.history);
  if (loop.options.reacts) loop.follow_jumps(loop.expected_next.matrix, latest);

  Decision decision;
  if (!believed_note.empty()) decision.alarms.push_back(believed_note);
  loop.plan_next(decision);
  return decision;
}

/// The forecast stands in for the matrix that is not believed; the plan stays, unless it no longer serves the network.
Decision ControlLoop::Impl::hold(const TrafficMatrix& latest, Timestamp now, const std::string& fault) {
  Decision decision;
  decision.alarms.push_back("input held: " + fault);
  const bool new_interval = latest.node_count() == topology.node_count() && guard.in_time(latest, now) &&
                            latest.measured_at() > history.back().measured_at();
  if (new_interval) {
    TrafficMatrix stand_in = expected_next.matrix;
    stand_in.set_measured_at(latest.measured_at());
    guard.record(latest, stand_in);
    take_in(stand_in);
    if (options.risk_horizon > 0) trajectories.record(expected_next.matrix, stand_in);
    expected_next = forecast(history);
  }
  if (!serves_network()) {
    plan_next(decision);
    decision.reason += "; the newest matrix is not believed (" + fault + "), its forecast stood in";
    return decision;
  }
  decision.action = Action::kHold;
  decision.forecaster = expected_next.by;
  decision.reason = "held the last good plan: " + fault;
  set = residuals.around(expected_next.matrix);
  decision.unrouted = unconnected_demands(topology, set.forecast);
  decision.if_kept = outlook(in_force);
  describe_outlook(decision, set.forecast, *decision.if_kept);
  return decision;
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
