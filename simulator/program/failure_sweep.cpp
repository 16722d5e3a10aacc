#include "simulator/program/failure_sweep.h"

#include <utility>

#include "controller/planner.h"
#include "controller/protection_planner.h"
#include "controller/reference_lp.h"
#include "core/link_load.h"
#include "simulator/program/failure_verifier.h"
#include "simulator/program/plan_verifier.h"

namespace wan::simulator {
namespace {

constexpr std::size_t kExactMax = 12000;  // nodes x links that Clp takes in reasonable time
constexpr double kExactGap = 1e-4;        // of our own solver beyond

/// The optimum of a network after a failure, from below.
Result<double> optimum_of(const Topology& topology, const TrafficMatrix& traffic, int threads) {
  if (topology.node_count() * topology.link_count() <= kExactMax) {
    return controller::ReferenceLp{topology}.best_utilization(traffic);
  }
  const auto routes =
      controller::plan_paths(topology, traffic, {.gap = kExactGap, .threads = threads, .least_delay = false});
  if (!routes) return tl::unexpected{routes.error()};
  return routes->certificate.lower_bound;
}

}  // namespace

double FailureOutcome::lost_bps() const {
  double sum = 0.0;
  for (const LostDemand& demand : lost) sum += demand.bps;
  return sum;
}

struct FailureSweep::State {
  const Topology& topology;
  const TrafficMatrix& traffic;
  FailureSweepOptions options;
  const Clock& clock;
  BasePlan base;
  io::PlanFile routes;
  controller::RoutePlanner planner;  // stays at the base plan, from which each failure starts
  controller::ProtectionPlanner protection;

  [[nodiscard]] double since(Duration started) const { return to_milliseconds(clock.now() - started); }

  /// The one place where a network after a failure is planned.
  Result<controller::PlannedRoutes> replan(const Topology& failed) const {
    return controller::RoutePlanner{failed, planner}.plan(traffic);
  }
};

FailureSweep::FailureSweep(std::unique_ptr<State> state) : state_{std::move(state)} {}
FailureSweep::FailureSweep(FailureSweep&&) noexcept = default;
FailureSweep& FailureSweep::operator=(FailureSweep&&) noexcept = default;
FailureSweep::~FailureSweep() = default;

const BasePlan& FailureSweep::base() const { return state_->base; }
const io::PlanFile& FailureSweep::base_routes() const { return state_->routes; }

Result<FailureSweep> FailureSweep::prepare(const Topology& topology, const TrafficMatrix& traffic,
                                           const FailureSweepOptions& options, const Clock& clock) {
  const Duration started = clock.now();
  controller::RoutePlanner planner{topology, {.gap = options.gap, .threads = options.threads, .least_delay = false}};
  auto routes = planner.plan(traffic);
  if (!routes) return tl::unexpected{routes.error()};
  BasePlan base{.utilization = routes->certificate.utilization,
                .lower_bound = routes->certificate.lower_bound,
                .paths = routes->plan.path_count(),
                .plan_ms = to_milliseconds(clock.now() - started),
                .unrouted = routes->unrouted};
  io::PlanFile file{.topology_digest = topology.digest(),
                    .plan = routes->plan,
                    .certificate = std::move(routes->certificate),
                    .unrouted = std::move(routes->unrouted)};
  const auto held = verify_plan(topology, traffic, file);
  if (!held) return fail(ErrorCode::kInternal, "the verifier refuses our own base plan: " + held.error().message);
  return FailureSweep{std::make_unique<State>(
      State{.topology = topology,
            .traffic = traffic,
            .options = options,
            .clock = clock,
            .base = std::move(base),
            .routes = std::move(file),
            .planner = std::move(planner),
            .protection = controller::ProtectionPlanner{topology, traffic, std::move(routes->plan)}})};
}

Result<FailureSweep::Answer> FailureSweep::answer(const controller::Failure& failure, std::size_t number) {
  const State& at = *state_;
  const Topology failed = controller::after_failure(at.topology, failure);
  FailureOutcome outcome;
  outcome.failure = number;

  Duration started = at.clock.now();
  auto routes = at.replan(failed);
  outcome.plan_ms = at.since(started);
  if (!routes) return tl::unexpected{routes.error()};
  outcome.utilization = routes->certificate.utilization;
  outcome.lower_bound = routes->certificate.lower_bound;
  for (const Demand& demand : routes->unrouted) {
    outcome.lost.push_back({demand, at.traffic.at(demand.cls, demand.from, demand.to).bps()});
  }

  started = at.clock.now();
  controller::Protection protection = at.protection.protect(failure);
  outcome.protect_ms = at.since(started);
  outcome.protected_utilization = protection.utilization;
  outcome.backup_demands = protection.backups.demand_count();
  outcome.backup_paths = protection.backups.path_count();
  outcome.moved_share = protection.moved_share;

  PathPlan rescaled = controller::rescaled(failed, at.protection.base());
  outcome.rescaled_utilization = max_utilization(failed, rescaled, at.traffic);

  if (at.options.exact) {
    started = at.clock.now();
    const auto optimum = optimum_of(failed, at.traffic, at.options.threads);
    if (!optimum) return tl::unexpected{optimum.error()};
    outcome.optimum = *optimum;
    outcome.optimum_ms = at.since(started);
  }

  std::vector<Demand> lost = routes->unrouted;
  FailureClaim claim{.failure = failure,
                     .replanned = {.topology_digest = at.topology.digest(),
                                   .plan = std::move(routes->plan),
                                   .certificate = std::move(routes->certificate),
                                   .unrouted = std::move(routes->unrouted)},
                     .backups = std::move(protection.backups),
                     .protected_utilization = protection.utilization,
                     .rescaled = std::move(rescaled),
                     .rescaled_utilization = outcome.rescaled_utilization,
                     .lost = std::move(lost)};
  const auto held = verify_failure(at.topology, at.traffic, at.protection.base(), claim);
  if (!held) return fail(ErrorCode::kInternal, "the verifier refuses our own answer: " + held.error().message);
  return Answer{
      .outcome = std::move(outcome),
      .replanned = std::move(claim.replanned),
      .backups = {.topology_digest = at.topology.digest(),
                  .plan = std::move(claim.backups),
                  .certificate = {.utilization = claim.protected_utilization, .lower_bound = 0.0, .duals = {}},
                  .unrouted = std::move(claim.lost)}};
}

}  // namespace wan::simulator
