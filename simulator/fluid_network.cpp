#include "simulator/fluid_network.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/shortest_paths.h"

namespace wan::simulator {
namespace {

/// One path's traffic.
struct Flow {
  std::size_t entry = 0;  // of its demand in the traffic matrix
  double bps = 0.0;
  std::span<const LinkId> links;
};

std::size_t entry_of(const TrafficMatrix& traffic, const Demand& demand) {
  const std::size_t n = traffic.node_count();
  return (demand.cls.index() * n + demand.from.index()) * n + demand.to.index();
}

std::vector<Flow> flows_of(const PathPlan& plan, const TrafficMatrix& traffic) {
  std::vector<Flow> flows;
  flows.reserve(plan.path_count());
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (demand.cls.index() >= traffic.class_count()) continue;
    const std::size_t entry = entry_of(traffic, demand);
    const double bps = traffic.bps()[entry];
    if (bps == 0.0) continue;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      flows.push_back({.entry = entry, .bps = bps * fraction, .links = links});
    }
  }
  return flows;
}

/// The fixed point of the shares that overloaded links pass.
///
/// Only links offered more than they hold can ever drop, so a flow is reduced to its crossings of those.
class Thinning {
 public:
  Thinning(const Topology& topology, const std::vector<Flow>& flows, const std::vector<LinkId>& overloaded) {
    constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> position(topology.link_count(), kNever);
    for (const LinkId id : overloaded) {
      position[id.index()] = static_cast<std::uint32_t>(capacity_.size());
      capacity_.push_back(topology.link(id).capacity.bps());
    }
    for (const Flow& flow : flows) {
      for (const LinkId id : flow.links) {
        if (position[id.index()] != kNever) crossings_.push_back(position[id.index()]);
      }
      if (crossings_.size() == first_crossing_.back()) continue;
      first_crossing_.push_back(crossings_.size());
      bps_.push_back(flow.bps);
    }
    passed_.assign(capacity_.size(), 1.0);
    arriving_.assign(capacity_.size(), 0.0);
  }

  void solve(std::size_t& rounds, double& share_error) {
    constexpr double kTolerance = 1e-13;
    constexpr std::size_t kRoundsMax = 2000, kFullStepsMax = 50, kPatience = 10;
    const std::size_t full_steps = std::min(capacity_.size() + 1, kFullStepsMax);
    double step = 1.0, error_before = std::numeric_limits<double>::infinity();
    for (rounds = 1; rounds <= kRoundsMax; ++rounds) {
      share_error = advance(step);
      if (share_error <= kTolerance || rounds == kRoundsMax) return;
      // Links in a circle can overshoot each other for ever: when the error has not halved, take shorter steps.
      if (rounds < full_steps || rounds % kPatience != 0) continue;
      if (share_error > 0.5 * error_before) step = std::max(step / 2, 1.0 / 64);
      error_before = share_error;
    }
  }

  /// By overloaded link, in the order given.
  [[nodiscard]] const std::vector<double>& passed() const { return passed_; }

 private:
  /// One substitution; returns the largest distance of a share from what its arriving load asks for.
  double advance(double step) {
    std::fill(arriving_.begin(), arriving_.end(), 0.0);
    for (std::size_t f = 0; f < bps_.size(); ++f) {
      double bps = bps_[f];
      for (std::size_t c = first_crossing_[f]; c < first_crossing_[f + 1]; ++c) {
        const std::size_t link = crossings_[c];
        arriving_[link] += bps;
        bps *= passed_[link];
      }
    }
    double error = 0.0;
    for (std::size_t l = 0; l < passed_.size(); ++l) {
      const double target = arriving_[l] > capacity_[l] ? capacity_[l] / arriving_[l] : 1.0;
      error = std::max(error, std::abs(target - passed_[l]));
      passed_[l] = step == 1.0 ? target : passed_[l] + step * (target - passed_[l]);
    }
    return error;
  }

  std::vector<double> capacity_, arriving_, passed_;  // by overloaded link
  std::vector<double> bps_;                           // by flow that crosses one
  std::vector<std::size_t> first_crossing_{0};        // flow -> its first crossing; one entry more than flows
  std::vector<std::uint32_t> crossings_;              // positions of overloaded links, in travel order
};

/// Every demand above zero that the plan does not name.
std::vector<Demand> unplanned_demands(const PathPlan& plan, const TrafficMatrix& traffic) {
  std::vector<Demand> missing;
  std::size_t next = 0;  // both run in the order of (class, source, destination)
  const std::size_t n = traffic.node_count();
  for (std::size_t entry = 0; entry < traffic.bps().size(); ++entry) {
    const auto planned = plan.demands();
    while (next < planned.size() && entry_of(traffic, planned[next]) < entry) ++next;
    if (traffic.bps()[entry] == 0.0) continue;
    if (next < planned.size() && entry_of(traffic, planned[next]) == entry) continue;
    missing.push_back({TrafficClass{entry / (n * n)}, NodeId{entry / n % n}, NodeId{entry % n}});
  }
  return missing;
}

/// Offered loads and overloads; everything delivered as if nothing were dropped.
void add_offered(const Topology& topology, const std::vector<Flow>& flows, FluidOutcome& outcome) {
  std::vector<double> load_bps(topology.link_count(), 0.0);
  for (const Flow& flow : flows) {
    for (const LinkId id : flow.links) load_bps[id.index()] += flow.bps;
  }
  for (std::size_t l = 0; l < load_bps.size(); ++l) {
    const double capacity_bps = topology.links()[l].capacity.bps();
    outcome.offered_utilization.push_back(load_bps[l] / capacity_bps);
    outcome.carried.push_back(BitRate::bps(load_bps[l]));
    outcome.max_utilization = std::max(outcome.max_utilization, outcome.offered_utilization.back());
    if (load_bps[l] > capacity_bps) outcome.overloaded.push_back(LinkId{l});
  }
}

/// Takes drops into account: carried loads and delivered shares at the fixed point.
void add_drops(const Topology& topology, const std::vector<Flow>& flows, const TrafficMatrix& traffic,
               FluidOutcome& outcome) {
  Thinning thinning{topology, flows, outcome.overloaded};
  thinning.solve(outcome.rounds, outcome.share_error);
  std::vector<double> passed(topology.link_count(), 1.0);
  for (std::size_t i = 0; i < outcome.overloaded.size(); ++i) {
    passed[outcome.overloaded[i].index()] = thinning.passed()[i];
  }

  std::vector<double> carried_bps(topology.link_count(), 0.0);
  std::vector<double> dropped_bps(traffic.bps().size(), 0.0);
  for (const Flow& flow : flows) {
    double share = 1.0;
    for (const LinkId id : flow.links) {
      share *= passed[id.index()];
      carried_bps[id.index()] += flow.bps * share;
    }
    dropped_bps[flow.entry] += flow.bps * (1.0 - share);
  }
  for (std::size_t l = 0; l < carried_bps.size(); ++l) outcome.carried[l] = BitRate::bps(carried_bps[l]);
  for (std::size_t entry = 0; entry < dropped_bps.size(); ++entry) {
    if (dropped_bps[entry] == 0.0) continue;
    outcome.delivered_share[entry] = std::max(0.0, 1.0 - dropped_bps[entry] / traffic.bps()[entry]);
  }
}

}  // namespace

FluidNetwork::FluidNetwork(Topology topology) : topology_{std::move(topology)}, delay_s_{delay_costs(topology_)} {
  for (const Link& link : topology_.links()) all_up_ = all_up_ && link.up;
  shortest_delay_s_.reserve(topology_.node_count() * topology_.node_count());
  for (std::size_t from = 0; from < topology_.node_count(); ++from) {
    const ShortestPathTree tree = shortest_path_tree(topology_, NodeId{from}, delay_s_);
    shortest_delay_s_.insert(shortest_delay_s_.end(), tree.cost.begin(), tree.cost.end());
  }
}

FluidOutcome FluidNetwork::carry(const PathPlan& plan, const TrafficMatrix& traffic) const {
  assert(traffic.node_count() == topology_.node_count());
  if (!all_up_) {
    const PathPlan alive = surviving_plan(topology_, plan);
    if (alive.path_count() != plan.path_count()) return carry(alive, traffic);
  }

  FluidOutcome outcome;
  outcome.delivered_share.assign(traffic.bps().size(), 1.0);
  outcome.lost = unplanned_demands(plan, traffic);
  for (const Demand& demand : outcome.lost) outcome.delivered_share[entry_of(traffic, demand)] = 0.0;

  const std::vector<Flow> flows = flows_of(plan, traffic);
  add_offered(topology_, flows, outcome);
  if (!outcome.overloaded.empty()) add_drops(topology_, flows, traffic, outcome);

  outcome.offered = traffic.total();
  double delivered_bps = 0.0;
  for (std::size_t entry = 0; entry < traffic.bps().size(); ++entry) {
    delivered_bps += traffic.bps()[entry] * outcome.delivered_share[entry];
  }
  outcome.delivered = BitRate::bps(delivered_bps);

  double routed_bps = 0.0, delay = 0.0, shortest = 0.0;  // delays in bits on the way
  const std::size_t plane = traffic.node_count() * traffic.node_count();
  for (const Flow& flow : flows) {
    double path_s = 0.0;
    for (const LinkId id : flow.links) path_s += delay_s_[id.index()];
    routed_bps += flow.bps;
    delay += flow.bps * path_s;
    shortest += flow.bps * shortest_delay_s_[flow.entry % plane];
  }
  if (routed_bps > 0.0) outcome.mean_delay = Duration{std::llround(delay / routed_bps * 1e9)};
  if (shortest > 0.0) outcome.delay_stretch = delay / shortest;
  return outcome;
}

PathPlan surviving_plan(const Topology& topology, const PathPlan& plan) {
  const auto alive = [&](std::span<const LinkId> links) {
    return std::all_of(links.begin(), links.end(), [&](LinkId id) { return topology.link(id).up; });
  };
  bool any_dead = false;
  PathPlanBuilder builder;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    builder.begin_demand(plan.demands()[d]);
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      if (alive(links)) {
        builder.add_path(fraction, links);
      } else {
        any_dead = true;
      }
    }
  }
  if (!any_dead) return plan;
  return std::move(builder).build();
}

std::string demand_name(const Topology& topology, const Demand& demand) {
  return topology.node(demand.from).name + ">" + topology.node(demand.to).name;
}

}  // namespace wan::simulator
