#include "controller/scenario_planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "controller/bounded_path_search.h"
#include "controller/scenario_kernel.h"
#include "controller/tree_search.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kShareMin = 5e-3;     // smaller shares are folded into the others when a plan is made
constexpr std::size_t kPathsMax = 24;  // candidates a demand keeps
constexpr double kBoundGoodEnough = 0.95;
constexpr double kSettled = 0.98;         // a round that leaves more of the utilisation than this is the last
constexpr double kWorthAMove = 0.1;       // part of what a sweep must gain that a move must be able to
constexpr double kWorthAPath = 1e-3;      // a new path must be cheaper by this part
constexpr double kDelayInOverload = 0.1;  // of its weight: what is not lost may go a longer way
constexpr int kPricesTried = 4;           // of change, each half the one before
constexpr int kSweepsAPrice = 12;
constexpr double kFreeKept = 0.5;  // of a demand's free shares: with less on paths still held they are no start

void sharpen(ScenarioLoads& loads, double eta) {
  loads.eta = eta;
  loads.refresh();
}

/// What a shortest-path run for every demand brought.
struct PathSearch {
  double bound = 0.0;     ///< dual bound on the expected utilisation of any plan
  std::size_t added = 0;  ///< new candidate paths
};

/// One demand with its candidate paths, in flat arrays.
struct Candidates {
  Demand demand;
  std::vector<std::uint32_t> first{0};
  std::vector<std::uint32_t> links;
  std::vector<double> delay;        // by path, seconds
  std::vector<double> delay_price;  // by path
  std::vector<double> share;        // by path
  std::vector<double> anchor;       // by path: its share in the plan in force
  std::vector<double> free;         // by path: its share in the newest plan to which change was free
  double change_price = 0.0;        // of moving all of it away from that plan
  std::vector<int> idle;            // by path: decisions since it last carried anything

  [[nodiscard]] std::size_t size() const { return share.size(); }
  [[nodiscard]] std::span<const std::uint32_t> path(std::size_t p) const {
    return std::span{links}.subspan(first[p], first[p + 1] - first[p]);
  }
  [[nodiscard]] std::size_t find(std::span<const std::uint32_t> wanted) const {
    for (std::size_t p = 0; p < size(); ++p) {
      const auto held = path(p);
      if (std::equal(held.begin(), held.end(), wanted.begin(), wanted.end())) return p;
    }
    return size();
  }
  void add(std::span<const std::uint32_t> path_links, double path_delay) {
    links.insert(links.end(), path_links.begin(), path_links.end());
    first.push_back(static_cast<std::uint32_t>(links.size()));
    delay.push_back(path_delay);
    delay_price.push_back(0.0);
    share.push_back(0.0);
    anchor.push_back(0.0);
    free.push_back(0.0);
    idle.push_back(0);
  }
  void remove(std::size_t p) {
    const std::uint32_t removed = first[p + 1] - first[p];
    links.erase(links.begin() + first[p], links.begin() + first[p + 1]);
    first.erase(first.begin() + static_cast<std::ptrdiff_t>(p));
    for (std::size_t i = p; i < first.size(); ++i) first[i] -= removed;
    const auto at = static_cast<std::ptrdiff_t>(p);
    delay.erase(delay.begin() + at);
    delay_price.erase(delay_price.begin() + at);
    share.erase(share.begin() + at);
    anchor.erase(anchor.begin() + at);
    free.erase(free.begin() + at);
    idle.erase(idle.begin() + at);
  }
};

}  // namespace

struct ScenarioPlanner::Impl {
  Impl(const Topology& network, const ScenarioOptions& wanted, const PlanConstraints& constraints);

  void take_start(const PathPlan& start);
  /// Only paths that a demand's constraint allows, whole again; the one that it may take at least where none is left.
  void constrain_start(std::size_t d);
  /// Starts where the newest plan to which change was free left off, not from the one in force.
  void take_newest_free();
  void set_rates(std::span<const TrafficMatrix> scenarios, ScenarioLoads& loads);
  /// What delay and change cost, in units of utilisation.
  void price_paths(double utilization, double change_price);
  void load_links(ScenarioLoads& loads) const;
  /// Adds each demand's cheapest path where it is worth having.
  PathSearch generate_paths(const ScenarioLoads& loads);
  /// The cheapest path that demand `d` may take, into `found_links`; what it costs at least.
  double search_path(std::size_t d, std::span<double> price);
  double search_path_in_time(std::size_t d, std::span<const double> price, double cheapest);
  [[nodiscard]] std::vector<BrokenRule> broken_rules(std::size_t class_count) const;
  /// Sweeps and searches for paths, until settled or at the end of the work that is allowed. Change is free.
  void improve(ScenarioLoads& loads, bool in_force, ScenarioRoutes& routes);
  /// From the plan to which change is free towards the one in force.
  void move_less(ScenarioLoads& loads, ScenarioRoutes& routes);
  int sweep_until_settled(ScenarioLoads& loads, int sweeps_max);
  /// What the shares cost beside the change from the plan in force: soft utilisation and delay.
  [[nodiscard]] double cost(const ScenarioLoads& loads) const;
  [[nodiscard]] double cost_of_change() const;
  [[nodiscard]] PathPlan make_plan(std::size_t class_count);
  [[nodiscard]] std::span<const double> rate_of(std::size_t d) const {
    return std::span{rate}.subspan(d * stride, stride);
  }

  Topology topology;
  ScenarioOptions options;
  TreeSearchGraph graph;
  TreeSearch search;
  std::vector<double> delay;           // by link, seconds
  std::vector<double> shortest_delay;  // by demand, seconds
  RuledDemands ruled;                  // every connected pair: one demand, or several under constraints
  std::vector<Candidates> demands;     // of `ruled`, in its order
  std::vector<std::uint32_t> found_links;
  std::size_t stride = 0;
  std::vector<double> rate;  // [demand][scenario], bits per second
  std::vector<bool> active;  // by demand: above zero in some scenario
  bool searched = false;     // for paths, at least once
  std::vector<double> scratch;
};

ScenarioPlanner::Impl::Impl(const Topology& network, const ScenarioOptions& wanted, const PlanConstraints& constraints)
    : topology{network},
      options{wanted},
      graph{topology},
      search{graph},
      delay{delay_costs(topology)},
      ruled{ruled_demands(topology, constraints)} {
  std::size_t source = topology.node_count();
  for (const RuledDemand& demand : ruled.demands) {
    if (demand.from.index() != source) {
      source = demand.from.index();
      search.run(source, delay);
    }
    Candidates candidates;
    candidates.demand = {TrafficClass{demand.rows[0]}, demand.from, demand.to};
    demands.push_back(std::move(candidates));
    shortest_delay.push_back(search.cost()[demand.to.index()]);
  }
}

void ScenarioPlanner::Impl::take_start(const PathPlan& start) {
  std::vector<std::uint32_t> links;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    Candidates& candidates = demands[d];
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
  Candidates& candidates = demands[d];
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
    Candidates& candidates = demands[d];
    const double sum = std::accumulate(candidates.free.begin(), candidates.free.end(), 0.0);
    if (!active[d] || sum < kFreeKept) continue;
    for (std::size_t p = 0; p < candidates.size(); ++p) candidates.share[p] = candidates.free[p] / sum;
  }
}

void ScenarioPlanner::Impl::set_rates(std::span<const TrafficMatrix> scenarios, ScenarioLoads& loads) {
  stride = loads.stride;
  rate.assign(demands.size() * stride, 0.0);
  active.assign(demands.size(), false);
  for (std::size_t k = 0; k < scenarios.size(); ++k) {
    for (std::size_t c = 0; c < scenarios[k].class_count(); ++c) {
      const std::size_t first = ruled.row_of(TrafficClass{c}) * ruled.pair_count;
      for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
        const std::size_t d = ruled.demand_of[first + pair];
        const double bps = scenarios[k].at(TrafficClass{c}, demands[d].demand.from, demands[d].demand.to).bps();
        rate[d * stride + k] += bps;
        if (bps > 0.0) active[d] = true;
      }
    }
  }
}

void ScenarioPlanner::Impl::load_links(ScenarioLoads& loads) const {
  std::fill(loads.utilization.begin(), loads.utilization.end(), 0.0);
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    const Candidates& candidates = demands[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      if (candidates.share[p] == 0.0) continue;
      for (const std::uint32_t link : candidates.path(p)) {
        const double factor = candidates.share[p] * loads.inverse_capacity[link];
        for (std::size_t k = 0; k < stride; ++k) loads.utilization[link * stride + k] += factor * rate[d * stride + k];
      }
    }
  }
}

/// A path's delay costs its mean rate x delay, in units in which all demands on their shortest paths cost
/// `delay_weight` x utilisation; a demand's change costs its part of all traffic x `change_price`.
void ScenarioPlanner::Impl::price_paths(double utilization, double change_price) {
  std::vector<double> mean(demands.size(), 0.0);
  double shortest = 0.0;
  double total = 0.0;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    for (std::size_t k = 0; k < stride; ++k) mean[d] += rate[d * stride + k];
    shortest += mean[d] * shortest_delay[d];
    total += mean[d];
  }
  const double delay_weight = options.delay_weight * (utilization > 1.0 ? kDelayInOverload : 1.0);
  const double delay_unit = shortest > 0.0 ? delay_weight * utilization / shortest : 0.0;
  const double change_unit = total > 0.0 ? change_price / total : 0.0;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    Candidates& candidates = demands[d];
    candidates.change_price = change_unit * mean[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      candidates.delay_price[p] = delay_unit * mean[d] * candidates.delay[p];
    }
  }
}

PathSearch ScenarioPlanner::Impl::generate_paths(const ScenarioLoads& loads) {
  std::vector<double> price(topology.link_count());
  PathSearch found;
  // Prices x capacities sum to the weights' part above the level, which is 1 but for rounding.
  double counted = 0.0;
  for (std::size_t k = 0; k < stride; ++k) {
    const double idle = loads.rows > loads.links ? loads.exponential[loads.links * stride + k] / loads.sum[k] : 0.0;
    counted += loads.weight[k] * (1.0 - idle);
  }
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    Candidates& candidates = demands[d];
    demand_link_prices(loads, rate_of(d), price);
    const double cheapest = search_path(d, price);
    found.bound += cheapest / counted;

    double held = std::numeric_limits<double>::infinity();
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      double cost = 0.0;
      for (const std::uint32_t link : candidates.path(p)) cost += price[link];
      held = std::min(held, cost);
    }
    if (cheapest >= held * (1.0 - kWorthAPath) || candidates.size() >= kPathsMax) continue;
    double path_delay = 0.0;
    for (std::size_t i = found_links.size(); i-- > 0;) path_delay += delay[found_links[i]];
    if (!found_links.empty() && candidates.find(found_links) == candidates.size()) {
      candidates.add(found_links, path_delay);
      ++found.added;
    }
  }
  return found;
}

double ScenarioPlanner::Impl::search_path(std::size_t d, std::span<double> price) {
  const RuledDemand& demand = ruled.demands[d];
  found_links.clear();
  if (demand.fixed) {
    double cost = 0.0;
    for (const LinkId link : demand.path) cost += price[link.index()];
    return cost;
  }
  for (const LinkId link : demand.rule.avoid) price[link.index()] = std::numeric_limits<double>::infinity();
  search.run(demand.from.index(), price, demand.to.index());
  const double cheapest = search.cost()[demand.to.index()];
  if (std::isinf(cheapest)) return cheapest;
  for (std::size_t at = demand.to.index(); at != demand.from.index(); at = graph.link_from[found_links.back()]) {
    found_links.push_back(search.parent_link()[at]);
  }
  std::reverse(found_links.begin(), found_links.end());
  if (!demand.rule.latency_max) return cheapest;
  return search_path_in_time(d, price, cheapest);
}

/// A path without regard to delay is in `found_links`: it stays when it is in time.
double ScenarioPlanner::Impl::search_path_in_time(std::size_t d, std::span<const double> price, double cheapest) {
  const RuledDemand& demand = ruled.demands[d];
  Duration found_delay{0};
  for (const std::uint32_t link : found_links) found_delay += topology.links()[link].delay;
  if (found_delay <= *demand.rule.latency_max) return cheapest;
  const BoundedPath in_time = cheapest_path_within(topology, demand.from, demand.to, price, *demand.rule.latency_max);
  found_links.clear();
  if (in_time.gave_up) return cheapest;  // still a bound
  double cost = 0.0;
  for (const LinkId link : in_time.links) {
    found_links.push_back(static_cast<std::uint32_t>(link.index()));
    cost += price[link.index()];
  }
  return cost;
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

double ScenarioPlanner::Impl::cost(const ScenarioLoads& loads) const {
  double value = loads.soft_utilization();
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    const Candidates& candidates = demands[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) value += candidates.share[p] * candidates.delay_price[p];
  }
  return value;
}

double ScenarioPlanner::Impl::cost_of_change() const {
  double value = 0.0;
  for (const Candidates& candidates : demands) {
    double moved = 0.0;
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      moved += 0.5 * std::abs(candidates.share[p] - candidates.anchor[p]);
    }
    value += moved * candidates.change_price;
  }
  return value;
}

int ScenarioPlanner::Impl::sweep_until_settled(ScenarioLoads& loads, int sweeps_max) {
  double before = cost(loads) + cost_of_change();
  const double gain_min = kWorthAMove * options.tolerance * before;
  for (int sweep = 1; sweep <= sweeps_max; ++sweep) {
    for (std::size_t d = 0; d < demands.size(); ++d) {
      if (!active[d] || ruled.demands[d].fixed) continue;
      Candidates& candidates = demands[d];
      const SplitView view{.rate = rate_of(d),
                           .first = candidates.first,
                           .links = candidates.links,
                           .delay_price = candidates.delay_price,
                           .share = candidates.share,
                           .anchor = candidates.anchor,
                           .change_price = candidates.change_price,
                           .gain_min = gain_min};
      improve_split(loads, view, scratch);
    }
    loads.refresh();
    const double after = cost(loads) + cost_of_change();
    if (before - after < options.tolerance * after) return sweep;
    before = after;
  }
  return sweeps_max;
}

void ScenarioPlanner::Impl::improve(ScenarioLoads& loads, bool in_force, ScenarioRoutes& routes) {
  double utilization = loads.risk_utilization();
  if (utilization <= 0.0) return;
  sharpen(loads, options.sharpness / utilization);
  // Where the start is in force, the paths worth having beside it were found with the decision before.
  if (!std::exchange(searched, true) || !in_force) generate_paths(loads);
  for (int round = 0; round < options.rounds_max; ++round) {
    price_paths(utilization, 0.0);
    routes.sweeps += sweep_until_settled(loads, options.sweeps_max);
    // A soft maximum that was sharp enough for a bad start is too soft for what became of it.
    const double before = std::exchange(utilization, loads.risk_utilization());
    sharpen(loads, options.sharpness / utilization);
    const PathSearch found = generate_paths(loads);  // also remembers paths worth having next time
    routes.lower_bound = std::max(routes.lower_bound, found.bound);
    if (routes.lower_bound >= kBoundGoodEnough * utilization) break;
    if (found.added == 0 && utilization > kSettled * before) break;
  }
}

/// The highest price of change is tried first, and less of it where it would cost too much elsewhere: each time on from
/// where the price before ended. Coming from the free plan, not from the one in force, the sweeps need not find the way
/// to a good plan under a price that hides it: they only bring back what was not worth moving.
void ScenarioPlanner::Impl::move_less(ScenarioLoads& loads, ScenarioRoutes& routes) {
  const double utilization = loads.risk_utilization();
  if (utilization > 1.0) return;  // traffic is lost whatever is planned: the least of it counts, not the change
  price_paths(utilization, 0.0);
  const double bearable = 1.0 + options.change_tolerance;
  const double cost_max = cost(loads) * bearable;
  // Nor may the price make an overload that is not there without it.
  const double utilization_max = std::min(1.0, utilization * bearable);
  for (Candidates& candidates : demands) candidates.free = candidates.share;
  double weight = options.change_weight;
  for (int tried = 0; tried < kPricesTried; ++tried, weight *= 0.5) {
    price_paths(utilization, weight * utilization);
    routes.sweeps += sweep_until_settled(loads, kSweepsAPrice);
    if (cost(loads) <= cost_max && loads.risk_utilization() <= utilization_max) return;
  }
  for (Candidates& candidates : demands) candidates.share = candidates.free;
}

PathPlan ScenarioPlanner::Impl::make_plan(std::size_t class_count) {
  PathPlanBuilder builder;
  std::vector<LinkId> links;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    const std::size_t first = ruled.row_of(TrafficClass{cls}) * ruled.pair_count;
    for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
      Candidates& candidates = demands[ruled.demand_of[first + pair]];
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
  ScenarioLoads loads{impl.topology.link_count(), scenarios.size(), impl.options.tail};
  for (std::size_t l = 0; l < loads.links; ++l) {
    const Link& link = impl.topology.links()[l];
    loads.inverse_capacity[l] = link.up ? 1.0 / link.capacity.bps() : 0.0;
  }
  impl.take_start(start);
  const bool priced = in_force && impl.options.change_weight > 0.0;
  impl.set_rates(scenarios, loads);
  for (Candidates& candidates : impl.demands) candidates.anchor = candidates.share;
  if (priced) impl.take_newest_free();
  impl.load_links(loads);

  ScenarioRoutes routes;
  impl.improve(loads, in_force, routes);
  if (priced) impl.move_less(loads, routes);
  routes.plan = impl.make_plan(scenarios.front().class_count());
  routes.broken = impl.broken_rules(scenarios.front().class_count());
  impl.take_start(routes.plan);
  impl.load_links(loads);
  routes.expected_utilization = loads.expected_utilization();
  routes.risk_utilization = loads.risk_utilization();
  return routes;
}

}  // namespace wan::controller
