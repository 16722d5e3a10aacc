#include "core/link_load.h"

#include <algorithm>
#include <cassert>

namespace wan {

std::vector<double> link_loads_bps(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand) {
  assert(demand.node_count() == topology.node_count());
  std::vector<double> loads(topology.link_count(), 0.0);
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& key = plan.demands()[d];
    if (key.cls.index() >= demand.class_count()) continue;
    const double rate = demand.at(key.cls, key.from, key.to).bps();
    if (rate == 0.0) continue;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      for (const LinkId link : links) loads[link.index()] += rate * fraction;
    }
  }
  return loads;
}

double max_utilization(const Topology& topology, std::span<const double> loads_bps) {
  double highest = 0.0;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    if (link.up) highest = std::max(highest, loads_bps[l] / link.capacity.bps());
  }
  return highest;
}

double max_utilization(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand) {
  return max_utilization(topology, link_loads_bps(topology, plan, demand));
}

}  // namespace wan
