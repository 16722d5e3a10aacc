#include "controller/scenario_planner_state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "controller/bounded_path_search.h"

namespace wan::controller {
namespace {

constexpr double kWorthAPath = 1e-3;  // a new path must be cheaper by this part, or as cheap and shorter by it
constexpr double kTie = 1e-6;         // part of all prices that a path's delay counts for where paths are found

}  // namespace

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

}  // namespace wan::controller
