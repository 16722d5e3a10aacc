#pragma once

#include <vector>

#include "controller/class_planner.h"
#include "controller/few_paths.h"
#include "controller/policy.h"
#include "core/path_segments.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// A lexicographic plan of few paths, and how good each level is among plans of any number of paths.
struct FewClassRoutes {
  ClassRoutes routes;                         ///< whose limits and bounds hold for the plan of few paths
  SegmentLists segments;                      ///< with `sid_depth`: a list for each path; otherwise empty
  std::vector<double> all_paths_utilization;  ///< by level: what the plan before reached
};

/// Reduces a plan of `plan_classes` as `reduce_paths` does a plan of one class: every demand of every class at most so
/// many paths, each within the segment depth, and the utilisations of the levels again as low as can be, most important
/// first. Where a level needs more than its limit with so few paths, its limit rises to what it reaches: no level below
/// may push it further. Bounds of the levels below then hold for the higher limits: by the same prices, or where these
/// lose much or leave a level outside the gap, by those of a plan over all paths under the new limits, if they are
/// better.
///
/// Rules hold as before: no path over a link that the class avoids or over its latency bound; pinned demands and those
/// that `routes.broken` names stay on their one path. With a latency bound and a segment depth together a cheaper path
/// is only looked for among those that PathFinder finds; whether any path keeps both is decided exactly.
///
/// @param routes   of this topology, traffic and policies
/// @param options  `gap` above that of `routes` leaves something for few paths to cost
/// @return         as reduce_paths. A plan of so few paths is given back as it is, if no segment depth is asked for
/// @error kShapeMismatch: the matrix is not of this topology. kUnsupported: names a demand for which no path keeps both
///        its class's rule and the depth, or whose pin does not, and the depth that would do; demands without traffic
///        have paths too, and count
/// Threads: reentrant.  Cost: that of reduce_paths times the number of levels, a few times so where targets are not met
/// Source: as reduce_paths and ColumnSolver; bounds under other limits by linear programming duality
[[nodiscard]] Result<FewClassRoutes> reduce_class_paths(const Topology& topology, const TrafficMatrix& traffic,
                                                        const PolicySet& policies, ClassRoutes routes,
                                                        const FewPathsOptions& options = {});

}  // namespace wan::controller
