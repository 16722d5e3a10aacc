#include "controller/plan_outlook.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "controller/scenario_kernel.h"

namespace wan::controller {
namespace {

/// By scenario, the largest utilisation.
std::vector<double> largest_utilizations(const Topology& topology, const PathPlan& plan,
                                         std::span<const TrafficMatrix> scenarios) {
  const std::size_t count = scenarios.size();
  const std::size_t n = topology.node_count();
  std::vector<double> load(topology.link_count() * count, 0.0);  // [link][scenario]
  std::vector<double> rate(count);
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (demand.cls.index() >= scenarios.front().class_count()) continue;
    const std::size_t entry = (demand.cls.index() * n + demand.from.index()) * n + demand.to.index();
    for (std::size_t k = 0; k < count; ++k) rate[k] = scenarios[k].bps()[entry];
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      for (const LinkId link : links) {
        double* row = load.data() + link.index() * count;
        for (std::size_t k = 0; k < count; ++k) row[k] += fraction * rate[k];
      }
    }
  }
  std::vector<double> largest(count, 0.0);
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    if (!link.up) continue;
    for (std::size_t k = 0; k < count; ++k)
      largest[k] = std::max(largest[k], load[l * count + k] / link.capacity.bps());
  }
  return largest;
}

}  // namespace

PlanOutlook outlook_of_plan(const Topology& topology, const PathPlan& plan, std::span<const TrafficMatrix> scenarios,
                            double tail) {
  if (scenarios.empty()) return {};
  std::vector<double> largest = largest_utilizations(topology, plan, scenarios);
  PlanOutlook outlook{.mean = tail_mean(largest, 1.0), .p95 = 0.0, .risk = tail_mean(largest, tail)};
  std::sort(largest.begin(), largest.end());
  outlook.p95 = largest[static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(largest.size()))) - 1];
  return outlook;
}

}  // namespace wan::controller
