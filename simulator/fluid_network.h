#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

/// What a network does with one interval of traffic under one plan.
struct FluidOutcome {
  std::vector<double> offered_utilization;  ///< by link: load / capacity if nothing were dropped; 0 where down
  std::vector<BitRate> carried;             ///< by link: what leaves it after drops, never above its capacity
  double max_utilization = 0.0;             ///< the largest offered utilisation
  std::vector<LinkId> overloaded;           ///< links offered more than their capacity, in the order of their ids

  BitRate offered;                      ///< all demands, lost ones too
  BitRate delivered;                    ///< what reaches its destination
  std::vector<double> delivered_share;  ///< [class][source][destination] like the traffic; 1 where the demand is zero
  std::vector<Demand> lost;             ///< demands above zero without a path in the plan that survives

  /// Path delay averaged over routed traffic, and its ratio to the least delay that links in service allow (1 without
  /// traffic or delays). Propagation only: queues are not modelled.
  Duration mean_delay{0};
  double delay_stretch = 1.0;

  std::size_t rounds = 0;    ///< of the fixed point
  double share_error = 0.0;  ///< how much a link's share still moved in the last round; at most 1e-13 when it converged
};

/// A network made of arithmetic: constant rates in, link loads, losses and delays out.
///
/// A link passes the share min(1, capacity / arriving load) of every flow that crosses it, whichever flow that is. The
/// arriving load counts flows as thinned by the links before it on their paths, so the shares are a fixed point. It is
/// found by repeated substitution from "everything passes", which is exact after as many rounds as links that overload
/// depend on each other in a chain; where they depend on each other in a circle, steps are damped. It stops when no
/// share moves by more than 1e-13, or after 2,000 rounds with `share_error` telling how far it got.
///
/// A path over a link that is down carries nothing: the plan is taken through `surviving_plan` first.
/// Threads: any number of readers.
/// Cost: construction one shortest-path tree a node; `carry` O(hops of all paths), plus a round over the crossings of
/// overloaded links only; see tests/bench/fluid_network_bench.cpp.
/// Source: the reduced-load fixed point of Kelly, "Loss networks", Annals of Applied Probability 1991, with the loss of
/// a saturated fluid link in place of Erlang's formula.
class FluidNetwork {
 public:
  explicit FluidNetwork(Topology topology);

  [[nodiscard]] const Topology& topology() const { return topology_; }

  /// @param plan     its links are of this topology; demands of classes that the traffic does not have carry nothing
  /// @param traffic  of as many nodes as the topology (asserted)
  [[nodiscard]] FluidOutcome carry(const PathPlan& plan, const TrafficMatrix& traffic) const;

 private:
  Topology topology_;
  bool all_up_ = true;
  std::vector<double> delay_s_;           // by link
  std::vector<double> shortest_delay_s_;  // [source][destination], infinite where unreachable
};

/// What routers do by themselves when links are down: a path over a dead link gets nothing and its share moves to the
/// demand's other paths in proportion to their fractions, as a weighted group with liveness does.
///
/// @return the plan without dead paths; a demand whose paths are all dead is left out. The plan itself if none is dead.
/// Cost: O(hops of all paths).
[[nodiscard]] PathPlan surviving_plan(const Topology& topology, const PathPlan& plan);

/// `SOURCE>DESTINATION`, the way traffic files name a pair.
[[nodiscard]] std::string demand_name(const Topology& topology, const Demand& demand);

}  // namespace wan::simulator
