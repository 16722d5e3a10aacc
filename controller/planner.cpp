#include "controller/planner.h"

#include <algorithm>
#include <cmath>

#include "controller/dual_bound.h"
#include "controller/source_tree_solver.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kFractionMin = 2e-3;  // smaller shares are not worth a path, if the gap allows leaving them out

/// A demand's share on each distinct path; paths are found in tree order, so equal inputs give equal output.
struct Split {
  std::vector<double> fraction;
  std::vector<std::vector<LinkId>> path;

  void add(double share, const std::vector<LinkId>& links) {
    for (std::size_t p = 0; p < path.size(); ++p) {
      if (path[p] == links) {
        fraction[p] += share;
        return;
      }
    }
    fraction.push_back(share);
    path.push_back(links);
  }
};

void trace(const Topology& topology, const std::vector<std::uint32_t>& parent_link, NodeId to,
           std::vector<LinkId>& links) {
  links.clear();
  for (NodeId at = to; parent_link[at.index()] != ShortestPathTree::kNoLink;) {
    links.push_back(LinkId{parent_link[at.index()]});
    at = topology.link(links.back()).from;
  }
  std::reverse(links.begin(), links.end());
}

void add_split(PathPlanBuilder& builder, const Split& split, double fraction_min) {
  const double largest = *std::max_element(split.fraction.begin(), split.fraction.end());
  for (std::size_t p = 0; p < split.path.size(); ++p) {
    if (split.fraction[p] >= std::min(fraction_min, largest)) builder.add_path(split.fraction[p], split.path[p]);
  }
}

PathPlan to_plan(const Topology& topology, const TrafficMatrix& demand, const SourceTreeSolution& solution,
                 std::size_t class_count, double fraction_min) {
  const std::vector<double> delay = delay_costs(topology);
  PathPlanBuilder builder;
  std::vector<LinkId> links;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    auto routing = solution.sources.begin();
    for (std::size_t s = 0; s < topology.node_count(); ++s) {
      while (routing != solution.sources.end() && routing->source.index() < s) ++routing;
      const bool planned = routing != solution.sources.end() && routing->source.index() == s;
      const ShortestPathTree shortest = shortest_path_tree(topology, NodeId{s}, delay);
      for (std::size_t t = 0; t < topology.node_count(); ++t) {
        if (s == t || !shortest.reaches(NodeId{t})) continue;
        builder.begin_demand({TrafficClass{cls}, NodeId{s}, NodeId{t}});
        if (!planned || demand.at(NodeId{s}, NodeId{t}).bps() == 0.0) {
          builder.add_path(1.0, shortest.path_to(topology, NodeId{t}));
          continue;
        }
        Split split;
        for (std::size_t k = 0; k < routing->trees.size(); ++k) {
          trace(topology, routing->trees[k], NodeId{t}, links);
          split.add(routing->share[k], links);
        }
        add_split(builder, split, fraction_min);
      }
    }
  }
  return std::move(builder).build();
}

}  // namespace

Result<PlannedRoutes> plan_paths(const Topology& topology, const TrafficMatrix& demand, const PlannerOptions& options) {
  if (demand.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(demand.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  const TrafficMatrix summed = demand.classes_summed();
  SourceTreeOptions solver_options;
  solver_options.gap = options.gap;
  solver_options.threads = options.threads;
  solver_options.least_delay = options.least_delay;
  const SourceTreeSolution solution = solve_source_trees(topology, summed, solver_options);

  PlannedRoutes routes;
  routes.unrouted = unconnected_demands(topology, demand);
  routes.certificate.lower_bound = solution.lower_bound;
  routes.certificate.duals = solution.duals;
  // Small shares are dropped only where the plan keeps its promise without them.
  for (const double fraction_min : {kFractionMin, 0.0}) {
    routes.plan = to_plan(topology, summed, solution, demand.class_count(), fraction_min);
    routes.certificate.utilization = max_utilization(topology, routes.plan, demand);
    if (routes.certificate.gap() <= options.gap) break;
  }
  return routes;
}

}  // namespace wan::controller
