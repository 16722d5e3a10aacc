#include "controller/planner.h"

#include <string>
#include <utility>

#include "controller/flow_decomposition.h"
#include "controller/source_flow_solver.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr double kFractionMin = 2e-3;   // smaller shares are not worth a path, if the gap allows leaving them out
constexpr double kFractionCost = 1e-3;  // and the utilisation grows by no larger part than this

}  // namespace

struct RoutePlanner::Impl {
  Topology topology;
  PlannerOptions options;
  SourceFlowSolver solver;

  /// In order of class, source and destination.
  [[nodiscard]] std::vector<Demand> unrouted(const TrafficMatrix& demand) const {
    std::vector<Demand> found;
    const std::size_t n = topology.node_count();
    for (std::size_t e = 0; e < demand.bps().size(); ++e) {
      if (demand.bps()[e] <= 0.0) continue;
      const NodeId from{e / n % n};
      const NodeId to{e % n};
      if (from != to && !solver.connected(from, to)) found.push_back({TrafficClass{e / (n * n)}, from, to});
    }
    return found;
  }

  [[nodiscard]] PlannedRoutes solve(const TrafficMatrix& demand) {
    const TrafficMatrix summed = demand.class_count() == 1 ? TrafficMatrix{} : demand.classes_summed();
    const TrafficMatrix& planned = demand.class_count() == 1 ? demand : summed;
    solver.solve(planned, {.gap = options.gap, .least_delay = options.least_delay});

    PlannedRoutes routes;
    routes.unrouted = unrouted(demand);
    routes.certificate.lower_bound = solver.lower_bound();
    routes.certificate.duals = solver.duals();
    const auto flow_of = [this](NodeId source, std::span<double> by_link) { return solver.flow_of(source, by_link); };
    // Small shares are dropped only where the plan keeps its promise and its utilisation without them.
    for (const double fraction_min : {kFractionMin, 0.0}) {
      routes.plan = decompose_flows(
          topology, planned, flow_of,
          {.class_count = demand.class_count(), .fraction_min = fraction_min, .threads = options.threads});
      routes.certificate.utilization = max_utilization(topology, routes.plan, demand);
      if (routes.certificate.gap() <= options.gap &&
          routes.certificate.utilization <= solver.utilization() * (1.0 + kFractionCost)) {
        break;
      }
    }
    return routes;
  }
};

RoutePlanner::RoutePlanner(const Topology& topology, const PlannerOptions& options)
    : impl_{new Impl{topology, options, SourceFlowSolver{topology, options.threads}}} {}
RoutePlanner::RoutePlanner(const Topology& topology, const RoutePlanner& before)
    : impl_{new Impl{topology, before.impl_->options,
                     SourceFlowSolver{topology, before.impl_->solver, before.impl_->options.threads}}} {}
RoutePlanner::~RoutePlanner() = default;
RoutePlanner::RoutePlanner(RoutePlanner&&) noexcept = default;
RoutePlanner& RoutePlanner::operator=(RoutePlanner&&) noexcept = default;

Result<PlannedRoutes> RoutePlanner::plan(const TrafficMatrix& demand) {
  if (demand.node_count() != impl_->topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(demand.node_count()) +
                                               " nodes, the topology " + std::to_string(impl_->topology.node_count()));
  }
  return impl_->solve(demand);
}

Result<PlannedRoutes> plan_paths(const Topology& topology, const TrafficMatrix& demand, const PlannerOptions& options) {
  return RoutePlanner{topology, options}.plan(demand);
}

}  // namespace wan::controller
