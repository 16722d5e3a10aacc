#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/displaced_routing.h"
#include "controller/failure_set.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct ProtectionOptions {
  /// Largest (utilisation - bound) / bound wanted, of what can be reached while the others stay; half a percent more
  /// may go into storing fewer paths.
  double gap = 0.01;
};

/// What the network falls back on, the moment something fails, without asking anybody.
struct Protection {
  /// Each demand of the base plan that crossed what failed and still has a way: its split from now on.
  PathPlan backups;
  std::vector<Demand> lost;  ///< demands above zero of which what failed has cut off the ends, in order
  double utilization = 0.0;  ///< largest, once `backups` are in force and all others stay
  double lower_bound = 0.0;  ///< no backups can stay below it, as long as all others stay
  double moved_share = 0.0;  ///< of all traffic: what crossed the failed links and is now elsewhere
};

/// Computes ahead of time, for one plan, how each failure is answered at once: demands that crossed what failed move to
/// backup splits, everybody else stays.
///
/// Of such a demand only the paths that failed are replaced; what went clear of the failure keeps its way.
/// Threads: any number may ask for protections at once.  Cost: for each failure once over the plan's
/// hops, then see displaced_routing.h.
class ProtectionPlanner {
 public:
  /// @param topology  outlives this
  /// @param demand    of this topology
  /// @param base      routes every connected pair of every class, as `plan_paths` does
  ProtectionPlanner(const Topology& topology, const TrafficMatrix& demand, PathPlan base,
                    const ProtectionOptions& options = {});

  [[nodiscard]] const PathPlan& base() const { return base_; }
  [[nodiscard]] Protection protect(const Failure& failure) const;

 private:
  struct Broken;
  struct Displacement;
  [[nodiscard]] std::vector<Broken> broken_demands(const Topology& failed, const Failure& failure) const;
  [[nodiscard]] Displacement displace(const Topology& failed, const Failure& failure) const;
  [[nodiscard]] std::vector<double> load_of_others(std::span<const Broken> broken) const;
  [[nodiscard]] PathPlan backups(const Topology& failed, const Displacement& displacement,
                                 const DisplacedRouting& routing, double fraction_min) const;
  [[nodiscard]] double protected_utilization(const Topology& failed, const Displacement& displacement,
                                             const PathPlan& backups) const;
  [[nodiscard]] double rate(std::size_t demand) const;

  const Topology& topology_;
  TrafficMatrix demand_;
  PathPlan base_;
  ProtectionOptions options_;
  std::vector<std::size_t> first_crossing_;  // link -> its first entry below; one entry more than links
  std::vector<std::uint32_t> crossing_;      // demands of the base plan by link
};

/// The plan in force once the backups are: theirs for the demands they name, the base's for all others; demands that
/// still cross a link that is down have no way and are left out.
[[nodiscard]] PathPlan with_backups(const Topology& failed, const PathPlan& base, const PathPlan& backups);

/// What networks do that know nothing better: each demand's paths that still work keep their proportions; a demand
/// without one takes its way of least delay.
[[nodiscard]] PathPlan rescaled(const Topology& failed, const PathPlan& base);

}  // namespace wan::controller
