#include "controller/counter_check.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace wan::controller {
namespace {

constexpr double kOverheadMax = 3.0;  // small packets under several segments
constexpr double kFull = 0.9;         // of its capacity: a link this loaded may drop
constexpr double kLearning = 0.3;     // weight of the newest interval in the overhead

/// What a link should carry: at least and at most.
struct Expected {
  std::vector<double> low;
  std::vector<double> high;
};

Expected expected_loads(const Topology& topology, const PathPlan& plan, const TrafficMatrix& matrix,
                        const std::vector<bool>& may_drop) {
  Expected loads{.low = std::vector<double>(topology.link_count(), 0.0),
                 .high = std::vector<double>(topology.link_count(), 0.0)};
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (demand.cls.index() >= matrix.class_count()) continue;
    const double rate = matrix.at(demand.cls, demand.from, demand.to).bps();
    if (rate <= 0.0) continue;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const WeightedPath path = plan.path(d, p);
      bool whole = true;  // until it has crossed a link that may drop
      for (const LinkId link : path.links) {
        if (may_drop[link.index()]) whole = false;
        loads.high[link.index()] += rate * path.fraction;
        if (whole) loads.low[link.index()] += rate * path.fraction;
      }
    }
  }
  return loads;
}

std::string rates_text(double measured, double low, double high) {
  char text[96];
  std::snprintf(text, sizeof text, "%.3g Mbit/s counted, %.3g to %.3g expected", measured / 1e6, low / 1e6, high / 1e6);
  return text;
}

}  // namespace

std::optional<std::string> CounterCheck::disagreement(const Topology& topology, const PathPlan& in_force,
                                                      const TrafficMatrix& matrix, const Counters& counters) {
  const std::size_t count = topology.link_count();
  std::vector<bool> may_drop(count, false);
  for (std::size_t l = 0; l < count; ++l) {
    may_drop[l] = counters.drops[l] > 0 || counters.rates[l].bps() > kFull * topology.links()[l].capacity.bps();
  }
  const Expected loads = expected_loads(topology, in_force, matrix, may_drop);
  double entered = 0.0, sent = 0.0;
  bool any_known = false;
  for (std::size_t l = 0; l < count; ++l) {
    if (!counters.known[l]) continue;
    any_known = true;
    if (loads.low[l] < loads.high[l]) continue;
    entered += loads.high[l];
    sent += counters.rates[l].bps();
  }
  if (!any_known) return "no link is counted";
  const double overhead_now = entered > 0.0 ? std::clamp(sent / entered, 1.0, kOverheadMax) : overhead_;
  for (std::size_t l = 0; l < count; ++l) {
    const Link& link = topology.links()[l];
    if (!counters.known[l] || !link.up) continue;
    const double measured = counters.rates[l].bps();
    const double floor = options_.floor_share * link.capacity.bps();
    const double low = loads.low[l] * (1.0 - options_.tolerance) - floor;
    // Where packets may have been dropped the headers' part cannot be told: any that is possible will do.
    const double overhead = loads.low[l] < loads.high[l] ? kOverheadMax : std::max(overhead_, overhead_now);
    const double high = loads.high[l] * overhead * (1.0 + options_.tolerance) + floor;
    if (measured < low || measured > high) return "link " + link.name + ": " + rates_text(measured, low, high);
  }
  overhead_ += kLearning * (overhead_now - overhead_);
  return std::nullopt;
}

}  // namespace wan::controller
