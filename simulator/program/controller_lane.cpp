#include "simulator/program/controller_lane.h"

#include <algorithm>
#include <utility>

#include "controller/control_loop.h"
#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/igp_routing.h"
#include "core/shortest_paths.h"

namespace wan::simulator {
namespace {

constexpr std::size_t kExactMax = 12000;  // nodes x links
constexpr double kNearExactGap = 1e-4;
constexpr std::size_t kEwmaWindow = 96;  // intervals

/// `ospf` and `ecmp`: shortest paths by one metric, whatever the traffic.
class IgpLane final : public ControllerLane {
 public:
  using Costs = std::vector<double> (*)(const Topology&);
  IgpLane(Costs costs, std::size_t class_count) : costs_{costs}, class_count_{class_count} {}

  Result<LaneDecision> decide(std::span<const TrafficMatrix>, Timestamp) override {
    LaneDecision decision{.action = std::exchange(changed_, false) ? "install" : "keep",
                          .reason = "shortest paths; traffic plays no part",
                          .lower_bound = {},
                          .alarms = {}};
    return decision;
  }
  Result<void> set_topology(const Topology& topology) override {
    auto plan = igp_plan(topology, costs_(topology), class_count_);
    if (!plan) return tl::unexpected<Error>{plan.error()};
    plan_ = *std::move(plan);
    changed_ = true;
    return {};
  }
  const PathPlan& plan() const override { return plan_; }
  bool reconverges_at_once() const override { return true; }

 private:
  Costs costs_;
  std::size_t class_count_;
  PathPlan plan_;
  bool changed_ = false;
};

/// `last` and `forecast`: the best plan for one matrix, taken at its word.
class SingleMatrixLane final : public ControllerLane {
 public:
  /// @param forecaster  null: plan on the last matrix. Owned or not, it outlives the lane.
  SingleMatrixLane(const models::Forecaster* forecaster, std::unique_ptr<models::Forecaster> owned, int threads)
      : owned_{std::move(owned)}, forecaster_{owned_ ? owned_.get() : forecaster}, threads_{threads} {}

  Result<LaneDecision> decide(std::span<const TrafficMatrix> before, Timestamp) override {
    const std::size_t window =
        forecaster_ != nullptr ? std::max(forecaster_->history_intervals(), kEwmaWindow) : std::size_t{1};
    const auto recent = before.last(std::min(before.size(), window));
    TrafficMatrix matrix = recent.back();
    if (forecaster_ != nullptr) {
      auto forecast = forecaster_->next(recent);
      if (!forecast) return tl::unexpected<Error>{forecast.error()};
      matrix = *std::move(forecast);
    }
    auto planned = routing_->plan(matrix);
    if (!planned) return tl::unexpected<Error>{planned.error()};
    plan_ = std::move(planned->plan);
    LaneDecision decision{.action = "install",
                          .reason = forecaster_ != nullptr
                                        ? "optimum for the forecast of " + std::string{forecaster_->name()}
                                        : std::string{"optimum for the last matrix"},
                          .lower_bound = planned->lower_bound,
                          .alarms = {}};
    return decision;
  }
  Result<void> set_topology(const Topology& topology) override {
    routing_.emplace(topology, threads_);
    return {};
  }
  const PathPlan& plan() const override { return plan_; }

 private:
  std::unique_ptr<models::Forecaster> owned_;
  const models::Forecaster* forecaster_;
  int threads_;
  std::optional<OptimalRouting> routing_;
  PathPlan plan_;
};

/// `scenario`: the control loop of the daemon.
class ControlLoopLane final : public ControllerLane {
 public:
  explicit ControlLoopLane(controller::ControlLoop loop) : loop_{std::move(loop)} {}

  Result<LaneDecision> decide(std::span<const TrafficMatrix> before, Timestamp now) override {
    const controller::Decision decision = loop_.step(before.back(), now);
    LaneDecision result{.action = std::string{controller::to_string(decision.action)},
                        .reason = decision.reason,
                        .lower_bound = {},
                        .alarms = decision.alarms};
    if (decision.lower_bound > 0.0) result.lower_bound = decision.lower_bound;
    return result;
  }
  Result<void> set_topology(const Topology& topology) override {
    loop_.set_topology(topology);
    return {};
  }
  const PathPlan& plan() const override { return loop_.plan_in_force(); }
  std::vector<double> congestion_probability(std::span<const double> threshold) const override {
    return loop_.congestion_probability(loop_.plan_in_force(), threshold);
  }

 private:
  controller::ControlLoop loop_;
};

}  // namespace

struct OptimalRouting::Impl {
  Topology topology;
  int threads;
  std::optional<controller::ReferenceLp> exact;
};

OptimalRouting::OptimalRouting(const Topology& topology, int threads)
    : impl_{std::make_unique<Impl>(Impl{.topology = topology, .threads = threads, .exact = {}})} {
  if (topology.node_count() * topology.link_count() <= kExactMax) impl_->exact.emplace(topology);
}
OptimalRouting::~OptimalRouting() = default;
OptimalRouting::OptimalRouting(OptimalRouting&&) noexcept = default;
OptimalRouting& OptimalRouting::operator=(OptimalRouting&&) noexcept = default;

Result<double> OptimalRouting::utilization(const TrafficMatrix& demand) {
  if (impl_->exact) return impl_->exact->best_utilization(demand);
  auto routes = controller::plan_paths(impl_->topology, demand,
                                       {.gap = kNearExactGap, .threads = impl_->threads, .least_delay = false});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  return routes->certificate.utilization;
}

Result<OptimalRouting::Planned> OptimalRouting::plan(const TrafficMatrix& demand) {
  auto routes = impl_->exact
                    ? impl_->exact->plan(demand)
                    : controller::plan_paths(impl_->topology, demand,
                                             {.gap = kNearExactGap, .threads = impl_->threads, .least_delay = false});
  if (!routes) return tl::unexpected<Error>{routes.error()};
  return Planned{.plan = std::move(routes->plan), .lower_bound = routes->certificate.lower_bound};
}

Result<std::unique_ptr<ControllerLane>> make_lane(std::string_view name, const Topology& topology,
                                                  const models::Forecaster* forecaster,
                                                  std::span<const TrafficMatrix> training, const LaneOptions& options) {
  const std::size_t classes = training.back().class_count();
  std::unique_ptr<ControllerLane> lane;
  if (name == "ospf") {
    lane = std::make_unique<IgpLane>(&weight_costs, classes);
  } else if (name == "ecmp") {
    lane = std::make_unique<IgpLane>(&hop_costs, classes);
  } else if (name == "last") {
    lane = std::make_unique<SingleMatrixLane>(nullptr, nullptr, options.threads);
  } else if (name == "forecast") {
    auto fitted = forecaster == nullptr ? models::fit_ewma_forecaster(training) : nullptr;
    lane = std::make_unique<SingleMatrixLane>(forecaster, std::move(fitted), options.threads);
  } else if (name == "scenario") {
    controller::LoopOptions loop_options;
    loop_options.utilization_target = options.utilization_target;
    loop_options.scenario.tail = options.tail;
    loop_options.scenario.change_weight = options.change_weight.value_or(loop_options.scenario.change_weight);
    loop_options.risk_horizon = options.risk_horizon;
    loop_options.threads = options.threads;
    auto loop = controller::ControlLoop::make(topology, forecaster, training, options.interval, loop_options);
    if (!loop) return tl::unexpected<Error>{loop.error()};
    loop->warm_up();
    return std::unique_ptr<ControllerLane>{std::make_unique<ControlLoopLane>(*std::move(loop))};
  } else {
    return fail(ErrorCode::kBadInput,
                "unknown controller \"" + std::string{name} + "\"; there are ospf, ecmp, last, forecast and scenario");
  }
  if (auto set = lane->set_topology(topology); !set) return tl::unexpected<Error>{set.error()};
  return lane;
}

}  // namespace wan::simulator
