#include "controller/few_paths.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "controller/link_potential.h"
#include "controller/path_reducer.h"
#include "controller/segment_lists.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr double kAsGood = 2e-3;  // of the utilisation: what is left of a plan's own paths may cost, unbalanced

/// A group a level.
DemandGroups groups_by_level(const PathPlan& plan, std::span<const PriorityLevel> levels) {
  DemandGroups found{.groups = {}, .of_demand = {}};
  for (std::size_t k = 0; k < levels.size(); ++k) found.groups.push_back({.level = k});
  for (const Demand& demand : plan.demands()) {
    const auto at = std::find_if(levels.begin(), levels.end() - 1, [&](const PriorityLevel& level) {
      return std::find(level.classes.begin(), level.classes.end(), demand.cls) != level.classes.end();
    });
    found.of_demand.push_back(static_cast<std::uint32_t>(at - levels.begin()));
  }
  return found;
}

PathPlan keep_few_by_level(const Topology& topology, const TrafficMatrix& traffic, const PathPlan& plan,
                           const FewPathsOptions& options, std::span<const PriorityLevel> levels) {
  PathReduction what{.plan = plan, .demand = traffic, .groups = groups_by_level(plan, levels)};
  LinkPotential loads{topology, levels.size()};
  loads.set(SplitRows{topology, plan, traffic, what.groups}.loads_bps(topology.link_count(), levels.size()), 1.0);
  for (std::size_t k = 0; k < levels.size(); ++k) {
    const bool last = k + 1 == levels.size();
    const double target = std::max(loads.column_utilization(k) * (1.0 + options.gap),
                                   last ? 0.0 : levels[k].utilization_target.value_or(0.0));
    what.levels.push_back({.target = target, .limit = target});
  }
  PathReducer reducer{topology, what, options};
  static_cast<void>(reducer.run());  // without a segment depth nothing can fail
  return reducer.to_plan();
}

}  // namespace

std::size_t most_paths(const PathPlan& plan) {
  std::size_t most = 0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) most = std::max(most, plan.path_count(d));
  return most;
}

PathPlan keep_few_paths(const Topology& topology, const TrafficMatrix& expected, PathPlan plan, std::size_t paths_max,
                        std::span<const PriorityLevel> levels) {
  if (most_paths(plan) <= paths_max) return plan;
  const bool known = expected.node_count() == topology.node_count();
  const TrafficMatrix traffic = known ? expected : TrafficMatrix{topology.node_count()};
  FewPathsOptions options;
  options.paths_max = paths_max;
  options.new_paths = false;
  options.gap = kAsGood;
  if (levels.size() > 1) return keep_few_by_level(topology, traffic, plan, options, levels);
  Certificate as_it_is;
  as_it_is.lower_bound = max_utilization(topology, plan, traffic);
  return reduce_paths(topology, traffic, plan, as_it_is, options).value().plan;  // asks for nothing that can fail
}

SegmentLists segment_lists_of(const Topology& topology, const PathPlan& plan, std::size_t depth) {
  SegmentLists lists;
  IgpTable igp{topology};
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      lists.add(path_segments(igp, topology, plan.path(d, p).links, depth).value());
    }
  }
  return lists;
}

Result<FewPathsPlan> reduce_paths(const Topology& topology, const TrafficMatrix& demand, const PathPlan& plan,
                                  const Certificate& certificate, const FewPathsOptions& options) {
  if (demand.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(demand.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  const double target = certificate.lower_bound * (1.0 + options.gap);
  const PathReduction what{.plan = plan, .demand = demand, .levels = {{.target = target, .limit = target}}};
  PathReducer reducer{topology, what, options};
  if (const auto reduced = reducer.run(); !reduced) return tl::unexpected<Error>{reduced.error()};
  FewPathsPlan few{.plan = reducer.to_plan(), .certificate = certificate, .segments = {}, .rounds = reducer.rounds()};
  few.certificate.utilization = max_utilization(topology, few.plan, demand);
  if (!options.sid_depth && few.certificate.utilization > certificate.utilization &&
      most_paths(plan) <= options.paths_max) {
    few.plan = plan;  // it kept the limit already, and nothing was found that is better
    few.certificate.utilization = max_utilization(topology, few.plan, demand);
  }
  if (options.sid_depth) few.segments = segment_lists_of(topology, few.plan, *options.sid_depth);
  return few;
}

}  // namespace wan::controller
