#include "controller/control_loop.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "controller/congestion_risk.h"
#include "controller/control_loop_state.h"
#include "controller/dual_bound.h"
#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kHistoryMax = 96;  // matrices kept, if the forecaster does not ask for more

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

}  // namespace wan::controller
