#pragma once

#include <memory>

#include "controller/planner.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// The exact minimum of the largest link utilisation, as a linear program: the truth that our own solver is held to.
///
/// Edge formulation by source: flow of each source on each link, conservation at every node, load <= U x capacity;
/// solved by Clp. Successive matrices of one network re-solve from the previous basis by the dual simplex method.
/// Memory and time grow with sources x links: meant for networks up to about 200 nodes.
/// Threads: one owner.  Cost: 0.2 ms a matrix warm on Abilene, seconds cold on 150 nodes.
/// Source: Clp 1.17.6 (COIN-OR); formulation as in te.md's references (multicommodity flow aggregated by source).
class ReferenceLp {
 public:
  explicit ReferenceLp(const Topology& topology);
  ~ReferenceLp();
  ReferenceLp(ReferenceLp&&) noexcept;
  ReferenceLp& operator=(ReferenceLp&&) noexcept;

  /// The optimum alone; unconnected demands are left out.
  /// @error kInternal: Clp did not reach optimality
  [[nodiscard]] Result<double> best_utilization(const TrafficMatrix& demand);

  /// The optimum as paths with the LP's own duals as certificate; pairs without demand take the least-delay path.
  /// @error kInternal as above
  [[nodiscard]] Result<PlannedRoutes> plan(const TrafficMatrix& demand);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
