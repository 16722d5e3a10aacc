#include "controller/reference_lp.h"

#include <algorithm>
#include <cmath>
#include <coin/ClpSimplex.hpp>
#include <coin/ClpSolve.hpp>
#include <coin/CoinPackedMatrix.hpp>
#include <coin/CoinPackedVector.hpp>
#include <limits>
#include <span>
#include <vector>

#include "controller/dual_bound.h"
#include "controller/flow_decomposition.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kTolerance = 1e-9;

}  // namespace

/// Columns: U, then flow [source][link]. Rows: capacity by link, then conservation [source][node].
/// Demands are scaled to at most 1 and capacities to at most 1, so that Clp's tolerances mean the same on every
/// network.
struct ReferenceLp::Impl {
  explicit Impl(const Topology& network);
  [[nodiscard]] Result<void> solve(const TrafficMatrix& demand);
  [[nodiscard]] std::size_t flow_column(std::size_t source, std::size_t link) const {
    return 1 + source * topology.link_count() + link;
  }
  [[nodiscard]] std::size_t conservation_row(std::size_t source, std::size_t node) const {
    return topology.link_count() + source * topology.node_count() + node;
  }

  Topology topology;
  std::vector<std::vector<bool>> reachable;  // [source][node]
  double capacity_unit = 1.0;
  double demand_unit = 1.0;
  double utilization = 0.0;
  bool solved_before = false;
  ClpSimplex lp;
};

ReferenceLp::Impl::Impl(const Topology& network) : topology{network} {
  const std::size_t n = topology.node_count();
  const std::size_t links = topology.link_count();
  const std::vector<double> hops = hop_costs(topology);
  for (std::size_t s = 0; s < n; ++s) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{s}, hops);
    std::vector<bool> reached(n);
    for (std::size_t t = 0; t < n; ++t) reached[t] = tree.reaches(NodeId{t});
    reachable.push_back(std::move(reached));
  }
  capacity_unit = 0.0;
  for (const Link& link : topology.links()) capacity_unit = std::max(capacity_unit, link.capacity.bps());

  const auto rows = static_cast<int>(links + n * n);
  const auto columns = static_cast<int>(1 + n * links);
  CoinPackedMatrix matrix{true, 0.0, 0.0};
  matrix.setDimensions(rows, 0);
  CoinPackedVector column;
  for (std::size_t l = 0; l < links; ++l) {
    column.insert(static_cast<int>(l), -topology.links()[l].capacity.bps() / capacity_unit);
  }
  matrix.appendCol(column);
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t l = 0; l < links; ++l) {
      const Link& link = topology.links()[l];
      column.clear();
      column.insert(static_cast<int>(l), 1.0);
      column.insert(static_cast<int>(conservation_row(s, link.from.index())), -1.0);
      column.insert(static_cast<int>(conservation_row(s, link.to.index())), 1.0);
      matrix.appendCol(column);
    }
  }

  std::vector<double> column_lower(static_cast<std::size_t>(columns), 0.0);
  std::vector<double> column_upper(static_cast<std::size_t>(columns), COIN_DBL_MAX);
  std::vector<double> objective(static_cast<std::size_t>(columns), 0.0);
  objective[0] = 1.0;
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t l = 0; l < links; ++l) {
      // A link that is down carries nothing; no flow needs to come back to its source.
      const Link& link = topology.links()[l];
      if (!link.up || link.to.index() == s) column_upper[flow_column(s, l)] = 0.0;
    }
  }
  std::vector<double> row_lower(static_cast<std::size_t>(rows), -COIN_DBL_MAX);
  std::vector<double> row_upper(static_cast<std::size_t>(rows), 0.0);
  for (std::size_t s = 0; s < n; ++s) {
    row_upper[conservation_row(s, s)] = COIN_DBL_MAX;  // what the source sends follows from the others
  }
  lp.loadProblem(matrix, column_lower.data(), column_upper.data(), objective.data(), row_lower.data(),
                 row_upper.data());
  lp.setLogLevel(0);
  lp.setPrimalTolerance(kTolerance);
  lp.setDualTolerance(kTolerance);
}

Result<void> ReferenceLp::Impl::solve(const TrafficMatrix& demand) {
  const std::size_t n = topology.node_count();
  if (demand.node_count() != n) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix is not of the LP's network");
  }
  demand_unit = 0.0;
  for (const double entry : demand.bps()) demand_unit = std::max(demand_unit, entry);
  if (demand_unit == 0.0) demand_unit = 1.0;
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t t = 0; t < n; ++t) {
      if (s == t) continue;
      const double rate = reachable[s][t] ? demand.at(NodeId{s}, NodeId{t}).bps() / demand_unit : 0.0;
      lp.setRowBounds(static_cast<int>(conservation_row(s, t)), rate, rate);
    }
  }
  if (solved_before) {
    lp.dual(0, 1);
  } else {
    ClpSolve how;  // presolve makes the first solution several times cheaper
    how.setSolveType(ClpSolve::useDual);
    how.setPresolveType(ClpSolve::presolveOn);
    lp.initialSolve(how);
  }
  if (lp.status() != 0) {
    lp.allSlackBasis();  // a bad warm start is no reason to fail
    lp.dual();
  }
  if (lp.status() != 0) {
    return fail(ErrorCode::kInternal, "Clp stopped with status " + std::to_string(lp.status()) + " on the exact LP");
  }
  solved_before = true;
  utilization = lp.objectiveValue() * demand_unit / capacity_unit;
  return {};
}

ReferenceLp::ReferenceLp(const Topology& topology) : impl_{std::make_unique<Impl>(topology)} {}
ReferenceLp::~ReferenceLp() = default;
ReferenceLp::ReferenceLp(ReferenceLp&&) noexcept = default;
ReferenceLp& ReferenceLp::operator=(ReferenceLp&&) noexcept = default;

Result<double> ReferenceLp::best_utilization(const TrafficMatrix& demand) {
  const auto solved = impl_->solve(demand.class_count() == 1 ? demand : demand.classes_summed());
  if (!solved) return tl::unexpected<Error>{solved.error()};
  return impl_->utilization;
}

Result<PlannedRoutes> ReferenceLp::plan(const TrafficMatrix& demand) {
  const TrafficMatrix summed = demand.classes_summed();
  const auto solved = impl_->solve(summed);
  if (!solved) return tl::unexpected<Error>{solved.error()};

  const Topology& topology = impl_->topology;
  const std::size_t links = topology.link_count();
  PlannedRoutes routes;
  std::vector<std::vector<double>> flow;
  const double* solution = impl_->lp.primalColumnSolution();
  for (std::size_t s = 0; s < topology.node_count(); ++s) {
    const double* first = solution + impl_->flow_column(s, 0);
    std::vector<double> of_source(first, first + links);
    for (double& f : of_source) f = std::max(f, 0.0) * impl_->demand_unit;
    flow.push_back(std::move(of_source));
  }
  routes.plan = decompose_flows(topology, summed, flow, demand.class_count());
  routes.unrouted = unconnected_demands(topology, demand);

  std::vector<double> prices(links, 0.0);
  const double* row_price = impl_->lp.dualRowSolution();
  for (std::size_t l = 0; l < links; ++l) prices[l] = std::max(0.0, -row_price[l]);
  routes.certificate = {.utilization = max_utilization(topology, routes.plan, demand),
                        .lower_bound = dual_bound(topology, summed, prices),
                        .duals = std::move(prices)};
  return routes;
}

}  // namespace wan::controller
