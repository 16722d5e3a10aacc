#include "controller/scenario_planner.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "controller/scenario_planner_state.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kShareMin = 5e-3;  // smaller shares are folded into the others when a plan is made
constexpr double kBoundGoodEnough = 0.95;
constexpr double kSettled = 0.98;            // a round that leaves more of the utilisation than this is the last
constexpr double kOverloadPrice = 0.08;      // of change where links are overloaded, beside the price elsewhere
constexpr double kOverloadTolerance = 1e-3;  // and how much worse it may make the plan there, at most
constexpr double kBluntWeight = 0.3;  // there, of all links a twentieth as sharply, beside the fullest in each scenario
constexpr double kFilledMore = 1e-3;  // by how much the price may raise what that weight is on
constexpr int kPricesTried = 4;       // of change, each half the one before
constexpr int kSweepsAPrice = 12;
constexpr int kMixturesTried = 10;    // of the plan under the last price with the free one
constexpr double kPartKept = 0.75;    // of the former, each time
constexpr double kLevelSlack = 0.01;  // part by which lower priorities may raise what the higher ones reach alone

void sharpen(ScenarioLoads& loads, double eta) {
  loads.eta = eta;
  loads.refresh();
}

}  // namespace

ScenarioPlanner::Impl::Impl(const Topology& network, const ScenarioOptions& wanted, const PlanConstraints& constraints)
    : topology{network},
      options{wanted},
      graph{topology},
      search{graph},
      delay{delay_costs(topology)},
      levels{constraints.levels},
      ruled{ruled_demands(topology, constraints)} {
  if (levels.empty()) levels.emplace_back();
  const double total = std::accumulate(delay.begin(), delay.end(), kHop * static_cast<double>(delay.size()));
  for (const double seconds : delay) length.push_back((seconds + kHop) / total);
  std::size_t source = topology.node_count();
  for (const RuledDemand& demand : ruled.demands) {
    if (demand.from.index() != source) {
      source = demand.from.index();
      search.run(source, delay);
    }
    CandidatePaths candidates;
    candidates.alone.resize(levels.size() - 1);
    candidates.demand = {TrafficClass{demand.rows[0]}, demand.from, demand.to};
    demands.push_back(std::move(candidates));
    shortest_delay.push_back(search.cost()[demand.to.index()]);
  }
}

void ScenarioPlanner::Impl::take_start(const PathPlan& start) {
  std::vector<std::uint32_t> links;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    CandidatePaths& candidates = demands[d];
    for (std::size_t p = candidates.size(); p-- > 0;) {
      if (++candidates.idle[p] > 50 && candidates.size() > kPathsMax / 2) candidates.remove(p);
    }
    std::fill(candidates.share.begin(), candidates.share.end(), 0.0);
    const auto at = start.find(candidates.demand);
    const bool constrained = !ruled.demands[d].path.empty();
    for (std::size_t p = 0; at && p < start.path_count(*at); ++p) {
      const auto [fraction, path] = start.path(*at, p);
      if (constrained && !ruled.demands[d].allows(topology, path)) continue;
      links.clear();
      double path_delay = 0.0;
      for (const LinkId id : path) {
        links.push_back(static_cast<std::uint32_t>(id.index()));
        path_delay += delay[id.index()];
      }
      const std::size_t held = candidates.find(links);
      if (held == candidates.size()) candidates.add(links, path_delay);
      candidates.share[held] += fraction;
      candidates.idle[held] = 0;
    }
    if (constrained) constrain_start(d);
  }
}

void ScenarioPlanner::Impl::constrain_start(std::size_t d) {
  CandidatePaths& candidates = demands[d];
  const double sum = std::accumulate(candidates.share.begin(), candidates.share.end(), 0.0);
  if (sum > 0.0) {
    for (double& share : candidates.share) share /= sum;
    return;
  }
  std::vector<std::uint32_t> links;
  double path_delay = 0.0;
  for (const LinkId id : ruled.demands[d].path) {
    links.push_back(static_cast<std::uint32_t>(id.index()));
    path_delay += delay[id.index()];
  }
  const std::size_t held = candidates.find(links);
  if (held == candidates.size()) candidates.add(links, path_delay);
  candidates.share[held] = 1.0;
  candidates.idle[held] = 0;
}

void ScenarioPlanner::Impl::take_newest_free() {
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (active[d]) demands[d].start_from(demands[d].free);
  }
}

std::vector<BrokenRule> ScenarioPlanner::Impl::broken_rules(std::size_t class_count) const {
  std::vector<BrokenRule> broken;
  for (std::size_t c = 0; c < class_count; ++c) {
    const std::size_t first = ruled.row_of(TrafficClass{c}) * ruled.pair_count;
    for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
      const std::size_t d = ruled.demand_of[first + pair];
      const RuledDemand& demand = ruled.demands[d];
      if (demand.broken && active[d]) broken.push_back({{TrafficClass{c}, demand.from, demand.to}, *demand.broken});
    }
  }
  return broken;
}

std::vector<LevelLimit> ScenarioPlanner::Impl::find_limits(std::span<const TrafficMatrix> scenarios, bool in_force) {
  std::vector<bool> busy(levels.size(), false);
  for (std::size_t d = 0; d < demands.size(); ++d)
    busy[ruled.demands[d].level] = busy[ruled.demands[d].level] || active[d];
  const auto last = std::find(busy.rbegin(), busy.rend(), true);
  const auto lowest = static_cast<std::size_t>(busy.rend() - last);
  std::vector<LevelLimit> limits;
  if (std::count(busy.begin(), busy.end(), true) < 2) return limits;
  std::vector<std::vector<double>> before;
  for (const CandidatePaths& candidates : demands) before.push_back(candidates.share);
  for (std::size_t level = 0; level + 1 < lowest; ++level) {
    if (!busy[level]) continue;
    ScenarioLoads loads = make_loads(scenarios.size(), limits);
    set_rates(scenarios, limits, level);
    for (std::size_t d = 0; d < demands.size(); ++d) {
      if (active[d]) demands[d].start_from(demands[d].alone[level]);
    }
    load_links(loads);
    scale_limits(loads, limits);
    ScenarioRoutes routes;
    improve(loads, in_force, routes);
    for (CandidatePaths& candidates : demands) candidates.alone[level] = candidates.share;
    LevelLimit limit{.level = level, .utilization = loads.largest_utilizations()};
    const double target = levels[level].utilization_target.value_or(0.0);
    for (double& entry : limit.utilization) entry = std::max(target, entry * (1.0 + kLevelSlack));
    limits.push_back(std::move(limit));
  }
  for (std::size_t d = 0; d < demands.size(); ++d) {
    std::fill(demands[d].share.begin(), demands[d].share.end(), 0.0);
    std::copy(before[d].begin(), before[d].end(), demands[d].share.begin());
  }
  return limits;
}

void ScenarioPlanner::Impl::improve(ScenarioLoads& loads, bool in_force, ScenarioRoutes& routes) {
  double utilization = loads.risk_utilization();
  if (utilization <= 0.0) return;
  double reached = utilization + loads.excess();
  sharpen(loads, options.sharpness / utilization);
  // Where the start is in force, the paths worth having beside it were found with the decision before.
  if (!searched || !in_force) generate_paths(loads);
  for (int round = 0; round < options.rounds_max; ++round) {
    price_paths(utilization, 0.0);
    routes.sweeps += sweep_until_settled(loads, options.sweeps_max);
    // A soft maximum that was sharp enough for a bad start is too soft for what became of it.
    utilization = loads.risk_utilization();
    if (utilization <= 1.0 && loads.blunt_weight() > 0.0) {  // the overload is over: its rules no longer hold
      loads.drop_blunt();
      routes.sweeps += sweep_until_settled(loads, options.sweeps_max);
      utilization = loads.risk_utilization();
    }
    const double before = std::exchange(reached, utilization + loads.excess());
    sharpen(loads, options.sharpness / utilization);
    const PathSearch found = generate_paths(loads);  // also remembers paths worth having next time
    routes.lower_bound = std::max(routes.lower_bound, found.bound);
    if (routes.lower_bound >= kBoundGoodEnough * reached) break;
    if (found.added == 0 && reached > kSettled * before) break;
  }
}

/// The highest price of change is tried first, and less of it where it would cost too much elsewhere: each time on from
/// where the price before ended. Coming from the free plan, not from the one in force, the sweeps need not find the way
/// to a good plan under a price that hides it: they only bring back what was not worth moving. Where the last price
/// costs too much as well, the plan goes from there towards the free one until it is bearable, which a mixture of both
/// mostly is at some point: what a plan costs is convex.
void ScenarioPlanner::Impl::move_less(ScenarioLoads& loads, ScenarioRoutes& routes) {
  const double utilization = loads.risk_utilization();
  // Traffic is lost whatever is planned: the least of it counts, and change that brings next to nothing.
  const bool overload = utilization > 1.0;
  price_paths(utilization, 0.0);
  const double bearable =
      1.0 + (overload ? std::min(options.change_tolerance, kOverloadTolerance) : options.change_tolerance);
  const double cost_max = cost(loads) * bearable;
  // Nor may the price make an overload that is not there without it.
  const double utilization_max = overload ? utilization * bearable : std::min(1.0, utilization * bearable);
  // In overload links below the fullest must stay as empty as well: what no scenario shows may go there.
  const double filled_max = loads.blunt_utilization() * (1.0 + kFilledMore);
  const auto is_bearable = [&] {
    return cost(loads) <= cost_max && loads.risk_utilization() <= utilization_max &&
           loads.blunt_utilization() <= filled_max;
  };
  for (CandidatePaths& candidates : demands) candidates.free = candidates.share;
  const std::vector<double> free_utilization = loads.utilization;
  double weight = options.change_weight * (overload ? kOverloadPrice : 1.0);
  for (int tried = 0; tried < kPricesTried; ++tried, weight *= 0.5) {
    price_paths(utilization, weight * utilization);
    routes.sweeps += sweep_until_settled(loads, kSweepsAPrice);
    if (is_bearable()) return;
  }
  for (int tried = 0; tried < kMixturesTried; ++tried) {
    mix_with_free(loads, free_utilization);
    if (is_bearable()) return;
  }
  for (CandidatePaths& candidates : demands) candidates.share = candidates.free;
}

void ScenarioPlanner::Impl::mix_with_free(ScenarioLoads& loads, std::span<const double> free_utilization) {
  for (CandidatePaths& candidates : demands) {
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      candidates.share[p] = candidates.free[p] + kPartKept * (candidates.share[p] - candidates.free[p]);
    }
  }
  for (std::size_t i = 0; i < loads.utilization.size(); ++i) {
    loads.utilization[i] = free_utilization[i] + kPartKept * (loads.utilization[i] - free_utilization[i]);
  }
  loads.refresh();
}

PathPlan ScenarioPlanner::Impl::make_plan(std::size_t class_count) {
  PathPlanBuilder builder;
  std::vector<LinkId> links;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    const std::size_t first = ruled.row_of(TrafficClass{cls}) * ruled.pair_count;
    for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
      CandidatePaths& candidates = demands[ruled.demand_of[first + pair]];
      builder.begin_demand({TrafficClass{cls}, candidates.demand.from, candidates.demand.to});
      for (std::size_t p = 0; p < candidates.size(); ++p) {
        if (candidates.share[p] < kShareMin) continue;
        candidates.idle[p] = 0;
        links.clear();
        for (const std::uint32_t link : candidates.path(p)) links.push_back(LinkId{link});
        builder.add_path(candidates.share[p], links);
      }
    }
  }
  return std::move(builder).build();
}

ScenarioPlanner::ScenarioPlanner(const Topology& topology, const ScenarioOptions& options,
                                 const PlanConstraints& constraints)
    : impl_{std::make_unique<Impl>(topology, options, constraints)} {}
ScenarioPlanner::~ScenarioPlanner() = default;
ScenarioPlanner::ScenarioPlanner(ScenarioPlanner&&) noexcept = default;
ScenarioPlanner& ScenarioPlanner::operator=(ScenarioPlanner&&) noexcept = default;

Result<ScenarioRoutes> ScenarioPlanner::plan(std::span<const TrafficMatrix> scenarios, const PathPlan& start,
                                             bool in_force) {
  Impl& impl = *impl_;
  for (const TrafficMatrix& scenario : scenarios) {
    if (scenario.node_count() != impl.topology.node_count()) {
      return fail(ErrorCode::kShapeMismatch, "a scenario has " + std::to_string(scenario.node_count()) +
                                                 " nodes, the topology " + std::to_string(impl.topology.node_count()));
    }
  }
  impl.take_start(start);
  const bool priced = in_force && impl.options.change_weight > 0.0;
  const std::size_t lowest = impl.levels.size() - 1;
  ScenarioLoads loads = impl.make_loads(scenarios.size(), {});
  impl.set_rates(scenarios, {}, lowest);
  for (CandidatePaths& candidates : impl.demands) candidates.anchor = candidates.share;
  if (priced) impl.take_newest_free();
  const std::vector<LevelLimit> limits = impl.find_limits(scenarios, in_force);
  if (!limits.empty()) {
    loads = impl.make_loads(scenarios.size(), limits);
    impl.set_rates(scenarios, limits, lowest);
  }
  impl.load_links(loads);
  if (loads.risk_utilization() > 1.0) {
    loads = impl.make_loads(scenarios.size(), limits, kBluntWeight);
    impl.load_links(loads);
  }
  impl.scale_limits(loads, limits);

  ScenarioRoutes routes;
  impl.improve(loads, in_force, routes);
  if (priced) impl.move_less(loads, routes);
  impl.searched = true;
  routes.plan = impl.make_plan(scenarios.front().class_count());
  routes.broken = impl.broken_rules(scenarios.front().class_count());
  impl.take_start(routes.plan);
  impl.load_links(loads);
  routes.expected_utilization = loads.expected_utilization();
  routes.risk_utilization = loads.risk_utilization();
  return routes;
}

}  // namespace wan::controller
