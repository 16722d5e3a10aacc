#include "controller/class_planner.h"

#include <algorithm>
#include <string>

#include "controller/block_routing.h"
#include "controller/column_solver.h"
#include "controller/dual_bound.h"

namespace wan::controller {
namespace {

constexpr double kFractionMin = 2e-3;  // smaller shares are not worth a path, where the limits allow leaving them out
constexpr double kRounding = 1e-9;     // relative, between loads added up in one order and in another

/// The plan without small shares, or with them where a level needs them to keep its limit.
void write_plan(const Topology& topology, const TrafficMatrix& traffic, const std::vector<std::size_t>& level_of,
                const BlockRouting& routing, ClassRoutes& routes) {
  for (const double fraction_min : {kFractionMin, 0.0}) {
    routes.plan = routing.make_plan(fraction_min);
    const std::vector<double> reached =
        level_utilizations(topology, routes.plan, traffic, level_of, routes.levels.size());
    bool holds = true;
    for (std::size_t k = 0; k < reached.size(); ++k) {
      routes.levels[k].utilization = reached[k];
      holds = holds && reached[k] <= routes.levels[k].limit;
    }
    if (holds) break;
  }
}

}  // namespace

std::vector<double> level_utilizations(const Topology& topology, const PathPlan& plan, const TrafficMatrix& traffic,
                                       const std::vector<std::size_t>& level_of_class, std::size_t level_count) {
  std::vector<std::vector<double>> load(level_count, std::vector<double>(topology.link_count(), 0.0));
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    const double bps = traffic.at(demand.cls, demand.from, demand.to).bps();
    if (bps <= 0.0) continue;
    std::vector<double>& of_level = load[level_of_class[demand.cls.index()]];
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const WeightedPath path = plan.path(d, p);
      for (const LinkId link : path.links) of_level[link.index()] += bps * path.fraction;
    }
  }
  std::vector<double> highest(level_count, 0.0);
  for (std::size_t k = 0; k < level_count; ++k) {
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (k > 0) load[k][l] += load[k - 1][l];
      if (topology.links()[l].up) highest[k] = std::max(highest[k], load[k][l] / topology.links()[l].capacity.bps());
    }
  }
  return highest;
}

Result<ClassRoutes> plan_classes(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                                 const ClassPlanOptions& options) {
  if (traffic.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(traffic.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  const std::vector<PriorityLevel> levels = priority_levels(policies, traffic.class_count());
  const std::vector<std::size_t> level_of = level_of_class(levels, traffic.class_count());
  BlockRouting routing{topology, traffic, level_of, constraints_of(policies), false};
  ColumnSolver solver{routing};
  ClassRoutes routes;
  ColumnGoal goal{.gap = options.gap};
  for (std::size_t k = 0; k < levels.size(); ++k) {
    goal.column = k;
    goal.good_enough = levels[k].utilization_target.value_or(0.0);
    ColumnBound bound = solver.minimize(goal);
    const double reached = solver.utilization(k);
    const double least = k < options.limits_min.size() ? options.limits_min[k] : 0.0;
    const double limit =
        std::max(least, std::max({reached, bound.value * (1.0 + options.gap), goal.good_enough}) * (1.0 + kRounding));
    goal.limit.push_back(limit);
    routes.levels.push_back({.level = levels[k],
                             .utilization = reached,
                             .lower_bound = bound.value,
                             .limit = limit,
                             .duals = std::move(bound.duals)});
  }
  if (options.least_delay) solver.shorten(goal.limit);
  write_plan(topology, traffic, level_of, routing, routes);

  routes.broken = routing.broken_rules();
  routes.unrouted = unconnected_demands(topology, traffic);
  std::vector<double> prices = routes.levels.back().duals.back();
  if (std::all_of(prices.begin(), prices.end(), [](double price) { return price == 0.0; })) {
    std::fill(prices.begin(), prices.end(), 1.0);  // the last level has no bound: any prices prove something
  }
  routes.certificate = {.utilization = routes.levels.back().utilization,
                        .lower_bound = dual_bound(topology, traffic.classes_summed(), prices),
                        .duals = prices};
  return routes;
}

}  // namespace wan::controller
