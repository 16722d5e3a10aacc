#include "controller/scenario_planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "controller/bounded_path_search.h"
#include "controller/candidate_paths.h"
#include "controller/scenario_kernel.h"
#include "controller/tree_search.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kShareMin = 5e-3;     // smaller shares are folded into the others when a plan is made
constexpr std::size_t kPathsMax = 24;  // candidates a demand keeps
constexpr double kBoundGoodEnough = 0.95;
constexpr double kSettled = 0.98;            // a round that leaves more of the utilisation than this is the last
constexpr double kWorthAMove = 0.1;          // part of what a sweep must gain that a move must be able to
constexpr int kRestMax = 7;                  // sweeps that pass over a demand that had nothing to move, again and again
constexpr double kWorthAPath = 1e-3;         // a new path must be cheaper by this part, or as cheap and shorter by it
constexpr double kTie = 1e-6;                // part of all prices that a path's delay counts for where paths are found
constexpr double kHop = 1e-6;                // seconds: among equal delays, fewer hops
constexpr double kDelayInOverload = 0.1;     // of its weight: what is not lost may go a longer way
constexpr double kOverloadPrice = 0.1;       // of change where links are overloaded, beside the price elsewhere
constexpr double kOverloadTolerance = 1e-3;  // and how much worse it may make the plan there, at most
constexpr double kBluntWeight = 0.3;  // there, of all links a twentieth as sharply, beside the fullest in each scenario
constexpr double kFilledMore = 1e-3;  // by how much the price may raise what that weight is on
constexpr int kPricesTried = 4;       // of change, each half the one before
constexpr int kSweepsAPrice = 12;
constexpr double kLevelSlack = 0.01;  // part by which lower priorities may raise what the higher ones reach alone

void sharpen(ScenarioLoads& loads, double eta) {
  loads.eta = eta;
  loads.refresh();
}

/// What the traffic of one priority level and of those above may make of the largest utilisation, whatever comes below.
struct LevelLimit {
  std::size_t level;
  std::vector<double> utilization;  // by scenario
};

/// What a shortest-path run for every demand brought.
struct PathSearch {
  double bound = 0.0;     ///< dual bound on the expected utilisation of any plan
  std::size_t added = 0;  ///< new candidate paths
};

}  // namespace

struct ScenarioPlanner::Impl {
  Impl(const Topology& network, const ScenarioOptions& wanted, const PlanConstraints& constraints);

  void take_start(const PathPlan& start);
  /// Only paths that a demand's constraint allows, whole again; the one that it may take at least where none is left.
  void constrain_start(std::size_t d);
  /// Starts where the newest plan to which change was free left off, not from the one in force.
  void take_newest_free();
  [[nodiscard]] ScenarioLoads make_loads(std::size_t count, std::span<const LevelLimit> limits,
                                         double blunt = 0.0) const;
  /// Of all demands down to a level; in limited columns, of those down to the limit's.
  void set_rates(std::span<const TrafficMatrix> scenarios, std::span<const LevelLimit> limits, std::size_t level);
  /// Limited columns in units in which their limits are as high as the utilisation is now: one sharpness suits all.
  void scale_limits(ScenarioLoads& loads, std::span<const LevelLimit> limits);
  /// By levels that have traffic, but for the last of them: the best that can be had when those below stand back.
  [[nodiscard]] std::vector<LevelLimit> find_limits(std::span<const TrafficMatrix> scenarios, bool in_force);
  /// What delay and change cost, in units of utilisation.
  void price_paths(double utilization, double change_price);
  void load_links(ScenarioLoads& loads);
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
  /// By column of the loads: scenarios, then limited groups, of which only some demands are.
  [[nodiscard]] std::span<const double> rate_of(std::size_t d);

  Topology topology;
  ScenarioOptions options;
  TreeSearchGraph graph;
  TreeSearch search;
  std::vector<double> delay;            // by link, seconds
  std::vector<double> length;           // by link: delay and a little for the hop, 1 in all
  std::vector<double> shortest_delay;   // by demand, seconds
  std::vector<PriorityLevel> levels;    // most important first; one at least
  RuledDemands ruled;                   // every connected pair: one demand, or several under constraints
  std::vector<CandidatePaths> demands;  // of `ruled`, in its order
  std::vector<std::uint32_t> found_links;
  std::size_t scenario_count = 0;
  std::size_t rate_stride = 0;
  std::vector<double> rate;  // [demand][scenario, padded], bits per second
  struct LimitedGroup {
    std::size_t level;
    double scale;
  };
  std::vector<LimitedGroup> groups;      // of columns beside the scenarios
  std::vector<double> rate_with_groups;  // of one demand, by column
  std::vector<bool> active;              // by demand: above zero in some scenario
  struct Rest {
    int length = 0;  // sweeps that the demand is passed over after its last visit
    int left = 0;
  };
  std::vector<Rest> rests;  // by demand
  bool searched = false;    // for paths, at least once
  std::vector<double> scratch;
};

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

ScenarioLoads ScenarioPlanner::Impl::make_loads(std::size_t count, std::span<const LevelLimit> limits,
                                                double blunt) const {
  ScenarioLoads loads{topology.link_count(), count, options.tail, limits.size(), blunt};
  for (std::size_t l = 0; l < loads.links; ++l) {
    const Link& link = topology.links()[l];
    loads.inverse_capacity[l] = link.up ? 1.0 / link.capacity.bps() : 0.0;
  }
  return loads;
}

void ScenarioPlanner::Impl::set_rates(std::span<const TrafficMatrix> scenarios, std::span<const LevelLimit> limits,
                                      std::size_t level) {
  scenario_count = scenarios.size();
  rate_stride = ScenarioLoads::padded(scenario_count + 1);
  rate.assign(demands.size() * rate_stride, 0.0);
  active.assign(demands.size(), false);
  for (std::size_t k = 0; k < scenarios.size(); ++k) {
    for (std::size_t c = 0; c < scenarios[k].class_count(); ++c) {
      const std::size_t first = ruled.row_of(TrafficClass{c}) * ruled.pair_count;
      for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
        const std::size_t d = ruled.demand_of[first + pair];
        const double bps = scenarios[k].at(TrafficClass{c}, demands[d].demand.from, demands[d].demand.to).bps();
        if (bps <= 0.0 || ruled.demands[d].level > level) continue;
        rate[d * rate_stride + k] += bps;
        active[d] = true;
      }
    }
  }
  for (std::size_t d = 0; d < demands.size(); ++d) {
    const auto its = std::span{rate}.subspan(d * rate_stride, scenario_count);
    rate[d * rate_stride + scenario_count] =
        ScenarioLoads::kBluntScale * std::accumulate(its.begin(), its.end(), 0.0) / static_cast<double>(scenario_count);
  }
  groups.clear();
  for (const LevelLimit& limit : limits) groups.push_back({.level = limit.level, .scale = 1.0});
  rate_with_groups.assign(ScenarioLoads::padded(scenario_count * (groups.size() + 1) + 1), 0.0);
}

std::span<const double> ScenarioPlanner::Impl::rate_of(std::size_t d) {
  const auto its = std::span{rate}.subspan(d * rate_stride, rate_stride);
  if (groups.empty()) return its;
  double* out = std::copy_n(its.begin(), scenario_count, rate_with_groups.data());
  for (const LimitedGroup& group : groups) {
    const double scale = ruled.demands[d].level <= group.level ? group.scale : 0.0;
    out = std::transform(its.begin(), its.begin() + static_cast<std::ptrdiff_t>(scenario_count), out,
                         [scale](double bps) { return scale * bps; });
  }
  *out = its[scenario_count];
  return rate_with_groups;
}

void ScenarioPlanner::Impl::scale_limits(ScenarioLoads& loads, std::span<const LevelLimit> limits) {
  const double utilization = loads.risk_utilization();
  for (std::size_t g = 0; g < limits.size(); ++g) {
    const std::vector<double>& limit = limits[g].utilization;
    const double mean = std::accumulate(limit.begin(), limit.end(), 0.0) / static_cast<double>(limit.size());
    const double scale = mean > 0.0 ? utilization / mean : 1.0;
    groups[g].scale = scale;
    const std::size_t first = (g + 1) * loads.scenarios;
    for (std::size_t k = 0; k < limit.size(); ++k) loads.limit[first - loads.scenarios + k] = scale * limit[k];
    for (std::size_t row = 0; row < loads.links; ++row) {
      double* its = loads.utilization.data() + row * loads.stride + first;
      std::transform(its, its + loads.scenarios, its, [scale](double value) { return scale * value; });
    }
  }
}

void ScenarioPlanner::Impl::load_links(ScenarioLoads& loads) {
  std::fill(loads.utilization.begin(), loads.utilization.end(), 0.0);
  const std::size_t stride = loads.stride;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    const CandidatePaths& candidates = demands[d];
    const auto bps = rate_of(d);
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      if (candidates.share[p] == 0.0) continue;
      for (const std::uint32_t link : candidates.path(p)) {
        const double factor = candidates.share[p] * loads.inverse_capacity[link];
        double* row = loads.utilization.data() + link * stride;
        for (std::size_t k = 0; k < stride; ++k) row[k] += factor * bps[k];
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
    for (std::size_t k = 0; k < scenario_count; ++k) mean[d] += rate[d * rate_stride + k];
    shortest += mean[d] * shortest_delay[d];
    total += mean[d];
  }
  const double delay_weight = options.delay_weight * (utilization > 1.0 ? kDelayInOverload : 1.0);
  const double delay_unit = shortest > 0.0 ? delay_weight * utilization / shortest : 0.0;
  const double change_unit = total > 0.0 ? change_price / total : 0.0;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    CandidatePaths& candidates = demands[d];
    candidates.change_price = change_unit * mean[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      candidates.delay_price[p] = delay_unit * mean[d] * candidates.delay[p];
    }
  }
}

PathSearch ScenarioPlanner::Impl::generate_paths(const ScenarioLoads& loads) {
  std::vector<double> price(topology.link_count());
  std::vector<double> searched_price(topology.link_count());
  PathSearch found;
  // Prices x capacities sum to the weights' part above level and limits: for the scenarios 1 but for rounding.
  double counted = 0.0;
  double within_limits = 0.0;  // what a plan pays at most in limited columns, if it stays at their limits
  for (std::size_t k = 0; k < loads.scenarios + loads.limited; ++k) {
    const double idle =
        loads.rows > loads.links ? loads.exponential[loads.links * loads.stride + k] / loads.sum[k] : 0.0;
    const double priced = loads.weight[k] * (1.0 - idle);
    k < loads.scenarios ? counted += priced : within_limits += priced * loads.limit[k - loads.scenarios];
  }
  counted += loads.blunt_weight();  // the largest utilisation of the mean is at most the mean of the largest
  found.bound = -within_limits / counted;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    CandidatePaths& candidates = demands[d];
    demand_link_prices(loads, rate_of(d), price);
    // Links without a price are as good as each other: the shorter way over them is the better path.
    const double tie = kTie * std::accumulate(price.begin(), price.end(), 0.0);
    for (std::size_t l = 0; l < price.size(); ++l) searched_price[l] = price[l] + tie * length[l];
    found.bound += std::max(0.0, search_path(d, searched_price) - tie) / counted;
    if (found_links.empty() || candidates.size() >= kPathsMax || candidates.find(found_links) < candidates.size())
      continue;

    const auto cost_of = [&](std::span<const std::uint32_t> path) {
      double cost = 0.0;
      for (const std::uint32_t link : path) cost += price[link];
      return cost;
    };
    const double cheapest = cost_of(found_links);
    double path_delay = 0.0;
    for (std::size_t i = found_links.size(); i-- > 0;) path_delay += delay[found_links[i]];
    double held = std::numeric_limits<double>::infinity();
    double held_delay = std::numeric_limits<double>::infinity();  // of those as cheap
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      const double cost = cost_of(candidates.path(p));
      held = std::min(held, cost);
      if (cost * (1.0 - kWorthAPath) <= cheapest + tie) held_delay = std::min(held_delay, candidates.delay[p]);
    }
    if (cheapest >= held * (1.0 - kWorthAPath) && path_delay >= held_delay * (1.0 - kWorthAPath)) continue;
    candidates.add(found_links, path_delay);
    ++found.added;
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
    const CandidatePaths& candidates = demands[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) value += candidates.share[p] * candidates.delay_price[p];
  }
  return value;
}

double ScenarioPlanner::Impl::cost_of_change() const {
  double value = 0.0;
  for (const CandidatePaths& candidates : demands) {
    double moved = 0.0;
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      moved += 0.5 * std::abs(candidates.share[p] - candidates.anchor[p]);
    }
    value += moved * candidates.change_price;
  }
  return value;
}

/// Nine of ten visits find nothing to move: a demand rests after such a visit, twice as long each time. Only a sweep
/// over all demands may find that nothing is left to win.
int ScenarioPlanner::Impl::sweep_until_settled(ScenarioLoads& loads, int sweeps_max) {
  double before = cost(loads) + cost_of_change();
  const double gain_min = kWorthAMove * options.tolerance * before;
  rests.assign(demands.size(), {});
  bool whole = true;
  for (int sweep = 1; sweep <= sweeps_max; ++sweep) {
    bool skipped = false;
    for (std::size_t d = 0; d < demands.size(); ++d) {
      if (!active[d] || ruled.demands[d].fixed) continue;
      Rest& rest = rests[d];
      if (!whole && rest.left > 0) {
        --rest.left;
        skipped = true;
        continue;
      }
      CandidatePaths& candidates = demands[d];
      const SplitView view{.rate = rate_of(d),
                           .first = candidates.first,
                           .links = candidates.links,
                           .delay_price = candidates.delay_price,
                           .share = candidates.share,
                           .anchor = candidates.anchor,
                           .change_price = candidates.change_price,
                           .gain_min = gain_min};
      const bool moved = improve_split(loads, view, scratch) > 0.0;
      rest.length = moved ? 0 : std::min(kRestMax, 2 * rest.length + 1);
      rest.left = rest.length;
    }
    loads.refresh();
    const double after = cost(loads) + cost_of_change();
    const bool settled = before - after < options.tolerance * after;
    if (settled && !skipped) return sweep;
    whole = settled;
    before = after;
  }
  return sweeps_max;
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
/// to a good plan under a price that hides it: they only bring back what was not worth moving.
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
  for (CandidatePaths& candidates : demands) candidates.free = candidates.share;
  double weight = options.change_weight * (overload ? kOverloadPrice : 1.0);
  for (int tried = 0; tried < kPricesTried; ++tried, weight *= 0.5) {
    price_paths(utilization, weight * utilization);
    routes.sweeps += sweep_until_settled(loads, kSweepsAPrice);
    const bool bearable_now = cost(loads) <= cost_max && loads.risk_utilization() <= utilization_max;
    if (bearable_now && loads.blunt_utilization() <= filled_max) return;
  }
  for (CandidatePaths& candidates : demands) candidates.share = candidates.free;
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
