#include "simulator/program/closed_loop.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/igp_routing.h"
#include "core/shortest_paths.h"
#include "simulator/fluid_network.h"
#include "simulator/program/controller_lane.h"

namespace wan::simulator {
namespace {

constexpr std::string_view kForeteller = "scenario";
constexpr std::size_t kHistoryMin = 2;  // rows before the first scored one

/// Half the L1 distance between two plans' splits, averaged over demands by what they carry.
double split_churn(const PathPlan& before, const PathPlan& after, const TrafficMatrix& traffic) {
  double moved = 0.0;
  double total = 0.0;
  for (std::size_t d = 0; d < after.demand_count(); ++d) {
    const Demand& demand = after.demands()[d];
    const double rate = traffic.at(demand.cls, demand.from, demand.to).bps();
    total += rate;
    const auto old = before.find(demand);
    if (rate == 0.0 || !old) continue;
    double kept = 0.0;  // sum over paths of min(before, after)
    for (std::size_t p = 0; p < after.path_count(d); ++p) {
      const auto path = after.path(d, p);
      for (std::size_t q = 0; q < before.path_count(*old); ++q) {
        const auto other = before.path(*old, q);
        if (!std::equal(path.links.begin(), path.links.end(), other.links.begin(), other.links.end())) continue;
        kept += std::min(path.fraction, other.fraction);
      }
    }
    moved += rate * std::max(0.0, 1.0 - kept);
  }
  return total > 0.0 ? moved / total : 0.0;
}

std::size_t most_paths(const PathPlan& plan) {
  std::size_t most = 0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) most = std::max(most, plan.path_count(d));
  return most;
}

/// What a network does with a plan while links are down: shares move to surviving paths, and a demand left without any
/// follows the IGP, as an SR policy without a valid candidate path does (RFC 9256, section 8.1).
PathPlan protected_plan(const Topology& topology, const PathPlan& plan, const PathPlan& igp) {
  const PathPlan surviving = surviving_plan(topology, plan);
  PathPlanBuilder builder;
  for (const Demand& demand : plan.demands()) {
    const PathPlan* const source = surviving.find(demand) ? &surviving : &igp;
    const auto at = source->find(demand);
    if (!at) continue;
    builder.begin_demand(demand);
    for (std::size_t p = 0; p < source->path_count(*at); ++p) {
      const auto [fraction, links] = source->path(*at, p);
      builder.add_path(fraction, links);
    }
  }
  return std::move(builder).build();
}

Result<void> check_options(const TrafficSeries& series, const ClosedLoopOptions& options) {
  if (options.score_from >= options.score_to || options.score_to > series.intervals.size()) {
    return fail(ErrorCode::kBadInput, "cannot score rows " + std::to_string(options.score_from) + " to " +
                                          std::to_string(options.score_to) + ": the traffic has rows 0 to " +
                                          std::to_string(series.intervals.size()));
  }
  if (options.score_from < kHistoryMin) {
    return fail(ErrorCode::kBadInput, "the first scored row needs at least " + std::to_string(kHistoryMin) +
                                          " rows before it; score from row " + std::to_string(kHistoryMin) + " on");
  }
  const auto& names = options.controllers;
  if (options.congestion && std::find(names.begin(), names.end(), kForeteller) == names.end()) {
    return fail(ErrorCode::kBadInput,
                "congestion events are foretold by the controller scenario; add it to the others");
  }
  if (options.controllers.empty()) return fail(ErrorCode::kBadInput, "no controller is named");
  const std::set<std::string> distinct(options.controllers.begin(), options.controllers.end());
  if (distinct.size() != options.controllers.size()) return fail(ErrorCode::kBadInput, "a controller is named twice");
  return {};
}

/// Which links are down while the events play.
class LinkState {
 public:
  explicit LinkState(const std::vector<LinkEvent>& events) : events_{events} {}

  /// Applies events up to the end of an interval; true when something changed.
  bool advance(Timestamp interval_end) {
    const std::set<LinkId> before = down_;
    for (; next_ < events_.size() && events_[next_].at < interval_end; ++next_) {
      for (const LinkId link : events_[next_].links) {
        if (events_[next_].up) {
          down_.erase(link);
        } else {
          down_.insert(link);
        }
      }
    }
    return down_ != before;
  }
  [[nodiscard]] std::vector<LinkId> down() const { return {down_.begin(), down_.end()}; }

 private:
  const std::vector<LinkEvent>& events_;  // outlives this
  std::size_t next_ = 0;
  std::set<LinkId> down_;
};

struct Lane {
  std::string name;
  std::unique_ptr<ControllerLane> controller;
  PathPlan last_plan;
  bool decided_before = false;
  bool topology_is_news = false;  // the network changed since this controller last looked
};

/// The network of an interval.
struct Surroundings {
  FluidNetwork network;
  OptimalRouting optimum;
  PathPlan igp;  ///< by IGP weights over the links that are up; empty while all are
};

Result<ControllerInterval> play(Lane& lane, std::span<const TrafficMatrix> before, const TrafficMatrix& truth,
                                const Surroundings& around, const Clock& clock) {
  ControllerInterval interval;
  interval.name = lane.name;
  const Duration started = clock.now();
  auto decision = lane.controller->decide(before, truth.measured_at());
  interval.decide_ms = to_milliseconds(clock.now() - started);
  if (!decision) return tl::unexpected<Error>{decision.error()};
  interval.action = decision->action;
  interval.reason = decision->reason;
  interval.lower_bound = decision->lower_bound;
  interval.alarms = decision->alarms;

  const PathPlan& plan = lane.controller->plan();
  if (lane.decided_before && !(plan == lane.last_plan)) interval.churn = split_churn(lane.last_plan, plan, truth);
  lane.last_plan = plan;
  lane.decided_before = true;
  interval.paths_per_demand_max = most_paths(plan);

  const FluidNetwork& network = around.network;
  FluidOutcome outcome = around.igp.demand_count() == 0
                             ? network.carry(plan, truth)
                             : network.carry(protected_plan(network.topology(), plan, around.igp), truth);
  interval.mlu = outcome.max_utilization;
  interval.delivered_share = outcome.offered.bps() > 0.0 ? outcome.delivered / outcome.offered : 1.0;
  interval.delay_stretch = outcome.delay_stretch;
  interval.overloaded_links = outcome.overloaded.size();
  interval.link_utilization = std::move(outcome.offered_utilization);
  for (const Demand& demand : outcome.lost) {
    const Topology& topology = network.topology();
    interval.lost_demands.push_back(topology.node(demand.from).name + " > " + topology.node(demand.to).name);
  }
  return interval;
}

}  // namespace

Result<ClosedLoopResult> run_closed_loop(const Topology& topology, const TrafficSeries& series,
                                         const models::Forecaster* forecaster, const ClosedLoopOptions& options,
                                         const Clock& clock,
                                         const std::function<void(std::size_t, std::size_t)>& progress) {
  if (auto ok = check_options(series, options); !ok) return tl::unexpected<Error>{ok.error()};
  ClosedLoopResult result;
  result.interval = series.interval();
  result.forecaster = forecaster != nullptr ? std::string{forecaster->name()} : "ewma";

  // The last row before the first scored one is what the first step takes in as new.
  const std::span<const TrafficMatrix> all{series.intervals};
  const auto training = all.first(options.score_from - 1);
  std::vector<Lane> lanes;
  for (const std::string& name : options.controllers) {
    auto controller = make_lane(name, topology, forecaster, training,
                                {.utilization_target = options.utilization_target,
                                 .tail = options.tail,
                                 .change_weight = options.change_weight,
                                 .risk_horizon = options.congestion ? options.congestion->horizon : 0,
                                 .threads = options.threads,
                                 .interval = result.interval});
    if (!controller) return tl::unexpected<Error>{controller.error()};
    Lane lane;
    lane.name = name;
    lane.controller = *std::move(controller);
    lanes.push_back(std::move(lane));
  }

  std::optional<CongestionBook> book;
  if (options.congestion) book.emplace(all, options.score_from, *options.congestion);
  LinkState links{options.events};
  Surroundings around{
      .network = FluidNetwork{topology}, .optimum = OptimalRouting{topology, options.threads}, .igp = {}};
  for (std::size_t row = options.score_from; row < options.score_to; ++row) {
    const TrafficMatrix& truth = all[row];
    for (Lane& lane : lanes) {
      if (!std::exchange(lane.topology_is_news, false)) continue;
      if (auto set = lane.controller->set_topology(around.network.topology()); !set)
        return tl::unexpected<Error>{set.error()};
    }
    if (links.advance(truth.measured_at() + std::chrono::duration_cast<std::chrono::seconds>(result.interval))) {
      const Topology changed = topology.with_links_down(links.down());
      Result<PathPlan> igp = PathPlan{};
      if (!links.down().empty()) igp = igp_plan(changed, weight_costs(changed), truth.class_count());
      if (!igp) return tl::unexpected<Error>{igp.error()};
      around = {.network = FluidNetwork{changed},
                .optimum = OptimalRouting{changed, options.threads},
                .igp = *std::move(igp)};
      for (Lane& lane : lanes) {
        lane.topology_is_news = !lane.controller->reconverges_at_once();
        if (lane.topology_is_news) continue;
        if (auto set = lane.controller->set_topology(changed); !set) return tl::unexpected<Error>{set.error()};
      }
    }

    IntervalRecord record;
    record.row = row;
    record.time = truth.measured_at();
    record.total_bps = truth.total().bps();
    record.links_down = links.down();
    auto best = around.optimum.utilization(truth);
    if (!best) return tl::unexpected<Error>{best.error()};
    record.optimal_mlu = *best;
    for (Lane& lane : lanes) {
      auto interval = play(lane, all.first(row), truth, around, clock);
      if (!interval) return tl::unexpected<Error>{interval.error()};
      if (book && lane.name == kForeteller) {
        interval->congestion_probability = book->enter(
            around.network.topology(), lane.controller->plan(), row,
            [&](std::span<const double> threshold) { return lane.controller->congestion_probability(threshold); });
      }
      record.controllers.push_back(*std::move(interval));
    }
    result.intervals.push_back(std::move(record));
    if (progress) progress(row + 1 - options.score_from, options.score_to - options.score_from);
  }
  if (book) result.congestion = book->score();
  result.summary = summarize(result.intervals, result.interval);
  return result;
}

}  // namespace wan::simulator
