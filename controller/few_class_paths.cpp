#include "controller/few_class_paths.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "controller/path_reducer.h"
#include "controller/plan_constraints.h"

namespace wan::controller {
namespace {

constexpr double kBoundLost = 0.1;  // of the gap: what bounds may lose to higher limits before better ones are sought

/// The number of a group, a new one if it is not there yet.
std::uint32_t number_of(std::vector<RowGroup>& groups, const RowGroup& wanted) {
  const auto number = static_cast<std::uint32_t>(std::find(groups.begin(), groups.end(), wanted) - groups.begin());
  if (number == groups.size()) groups.push_back(wanted);
  return number;
}

/// Demands of one level and one rule are a group; those that pins or broken rules bind to a path are another.
DemandGroups demand_groups(const Topology& topology, const PolicySet& policies, const PathPlan& plan,
                           const std::vector<std::size_t>& level_of) {
  const RuledDemands ruled = ruled_demands(topology, constraints_of(policies));
  const std::size_t n = topology.node_count();
  std::vector<std::size_t> pair_at(n * n, 0);
  for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
    const RuledDemand& demand = ruled.demands[ruled.demand_of[pair]];
    pair_at[demand.from.index() * n + demand.to.index()] = pair;
  }
  DemandGroups found{.groups = {}, .of_demand = {}, .merged = false};
  found.of_demand.reserve(plan.demand_count());
  for (const Demand& demand : plan.demands()) {
    const std::size_t pair = pair_at[demand.from.index() * n + demand.to.index()];
    const RuledDemand& bound = ruled.demands[ruled.demand_of[ruled.row_of(demand.cls) * ruled.pair_count + pair]];
    found.of_demand.push_back(
        number_of(found.groups, {.level = level_of[demand.cls.index()], .rule = bound.rule, .fixed = bound.fixed}));
  }
  return found;
}

/// What a higher limit of level j, above, lowers the bound of level k by, for each part of utilisation.
double worth_of_limit(const Topology& topology, const LevelCertificate& level, std::size_t j) {
  double worth = 0.0;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    if (link.up) worth += level.duals[j][l] * link.capacity.bps();
  }
  return worth;
}

/// The same prices prove another bound under other limits.
/// @param level  number k of `levels`; its bound is for their limits
double bound_under(const Topology& topology, const std::vector<LevelCertificate>& levels, std::size_t k,
                   const std::vector<double>& limits) {
  double bound = levels[k].lower_bound;
  for (std::size_t j = 0; j < k; ++j) bound -= (limits[j] - levels[j].limit) * worth_of_limit(topology, levels[k], j);
  return std::max(0.0, bound);
}

std::vector<LevelGoal> goals_of(const Topology& topology, const std::vector<LevelCertificate>& levels, double gap) {
  std::vector<LevelGoal> goals;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const LevelCertificate& level = levels[k];
    LevelGoal goal{.target = std::max(level.lower_bound * (1.0 + gap), level.limit),
                   .limit = level.limit,
                   .target_min = level.level.utilization_target.value_or(0.0)};
    for (std::size_t j = 0; j < k; ++j) {
      goal.worth_of_limits.push_back((1.0 + gap) * worth_of_limit(topology, level, j));
    }
    goals.push_back(std::move(goal));
  }
  return goals;
}

/// Takes over what a plan of any number of paths under limits like these proves, where it is more.
void take_better_bounds(const Topology& topology, const std::vector<LevelCertificate>& proven,
                        const std::vector<double>& limits, std::vector<LevelCertificate>& levels) {
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const double bound = bound_under(topology, proven, k, limits);
    if (bound <= levels[k].lower_bound) continue;
    levels[k].lower_bound = bound;
    levels[k].duals = proven[k].duals;
  }
}

/// Limits up to what the levels reach now, and bounds that hold under them.
/// @return  whether better bounds are worth seeking: one lost something to higher limits, or a level misses the gap
bool settle_limits(const Topology& topology, const std::vector<double>& reached, double gap,
                   std::vector<LevelCertificate>& levels) {
  std::vector<double> limits, bounds;
  for (std::size_t k = 0; k < levels.size(); ++k) limits.push_back(std::max(levels[k].limit, reached[k]));
  for (std::size_t k = 0; k < levels.size(); ++k) bounds.push_back(bound_under(topology, levels, k, limits));
  bool weak = false;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const double wanted = std::max(bounds[k], levels[k].level.utilization_target.value_or(0.0)) * (1.0 + gap);
    weak = weak || bounds[k] < levels[k].lower_bound * (1.0 - kBoundLost * gap) || reached[k] > wanted;
    levels[k].lower_bound = bounds[k];
    levels[k].utilization = reached[k];
    levels[k].limit = limits[k];
  }
  return weak;
}

}  // namespace

Result<FewClassRoutes> reduce_class_paths(const Topology& topology, const TrafficMatrix& traffic,
                                          const PolicySet& policies, ClassRoutes routes,
                                          const FewPathsOptions& options) {
  if (traffic.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(traffic.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  FewClassRoutes few;
  for (const LevelCertificate& level : routes.levels) few.all_paths_utilization.push_back(level.utilization);
  few.routes = std::move(routes);
  if (!options.sid_depth && most_paths(few.routes.plan) <= options.paths_max) {
    settle_limits(topology, few.all_paths_utilization, options.gap, few.routes.levels);  // lest rounding be above one
    return few;
  }

  std::vector<PriorityLevel> levels;
  for (const LevelCertificate& level : few.routes.levels) levels.push_back(level.level);
  const std::vector<std::size_t> level_of = level_of_class(levels, traffic.class_count());
  PathReduction what{.plan = few.routes.plan,
                     .demand = traffic,
                     .groups = demand_groups(topology, policies, few.routes.plan, level_of),
                     .levels = goals_of(topology, few.routes.levels, options.gap)};
  for (const ClassPolicy& policy : policies.classes) what.class_names.push_back(policy.name);
  PathReducer reducer{topology, what, options};
  if (const auto reduced = reducer.run(); !reduced) return tl::unexpected<Error>{reduced.error()};
  few.routes.plan = reducer.to_plan();
  const std::vector<double> reached = level_utilizations(topology, few.routes.plan, traffic, level_of, levels.size());
  if (settle_limits(topology, reached, options.gap, few.routes.levels)) {
    ClassPlanOptions again{.gap = options.gap, .least_delay = false};
    for (const LevelCertificate& level : few.routes.levels) again.limits_min.push_back(level.limit);
    const auto proven = plan_classes(topology, traffic, policies, again);
    if (!proven) return tl::unexpected<Error>{proven.error()};
    take_better_bounds(topology, proven->levels, again.limits_min, few.routes.levels);
  }
  few.routes.certificate.utilization = few.routes.levels.back().utilization;
  if (options.sid_depth) few.segments = segment_lists_of(topology, few.routes.plan, *options.sid_depth);
  return few;
}

}  // namespace wan::controller
