#include "controller/few_class_paths.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "controller/path_reducer.h"
#include "controller/plan_constraints.h"

namespace wan::controller {
namespace {

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
  DemandGroups found{.groups = {}, .of_demand = {}};
  found.of_demand.reserve(plan.demand_count());
  for (const Demand& demand : plan.demands()) {
    const std::size_t pair = pair_at[demand.from.index() * n + demand.to.index()];
    const RuledDemand& bound = ruled.demands[ruled.demand_of[ruled.row_of(demand.cls) * ruled.pair_count + pair]];
    found.of_demand.push_back(
        number_of(found.groups, {.level = level_of[demand.cls.index()], .rule = bound.rule, .fixed = bound.fixed}));
  }
  return found;
}

/// Limits up to what the levels reach now; bounds down by what that is worth to the levels below.
void settle_limits(const Topology& topology, const std::vector<double>& reached,
                   std::vector<LevelCertificate>& levels) {
  std::vector<double> rise;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    LevelCertificate& level = levels[k];
    for (std::size_t j = 0; j < k; ++j) {
      double worth = 0.0;
      for (std::size_t l = 0; l < topology.link_count(); ++l) {
        const Link& link = topology.links()[l];
        if (link.up) worth += level.duals[j][l] * link.capacity.bps();
      }
      level.lower_bound -= rise[j] * worth;
    }
    level.lower_bound = std::max(0.0, level.lower_bound);
    level.utilization = reached[k];
    rise.push_back(std::max(0.0, reached[k] - level.limit));
    level.limit = std::max(level.limit, reached[k]);
  }
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
  if (!options.sid_depth && most_paths(few.routes.plan) <= options.paths_max) return few;

  std::vector<PriorityLevel> levels;
  for (const LevelCertificate& level : few.routes.levels) levels.push_back(level.level);
  const std::vector<std::size_t> level_of = level_of_class(levels, traffic.class_count());
  PathReduction what{.plan = few.routes.plan,
                     .demand = traffic,
                     .groups = demand_groups(topology, policies, few.routes.plan, level_of)};
  for (const LevelCertificate& level : few.routes.levels) {
    const double target = std::max(level.lower_bound * (1.0 + options.gap), level.limit);
    what.levels.push_back({.target = target, .limit = level.limit});
  }
  for (const ClassPolicy& policy : policies.classes) what.class_names.push_back(policy.name);
  PathReducer reducer{topology, what, options};
  if (const auto reduced = reducer.run(); !reduced) return tl::unexpected<Error>{reduced.error()};
  few.routes.plan = reducer.to_plan();
  settle_limits(topology, level_utilizations(topology, few.routes.plan, traffic, level_of, levels.size()),
                few.routes.levels);
  few.routes.certificate.utilization = few.routes.levels.back().utilization;
  if (options.sid_depth) few.segments = segment_lists_of(topology, few.routes.plan, *options.sid_depth);
  return few;
}

}  // namespace wan::controller
