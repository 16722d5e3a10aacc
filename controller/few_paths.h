#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "controller/priority_levels.h"
#include "core/path_plan.h"
#include "core/path_segments.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

struct FewPathsOptions {
  std::size_t paths_max = 4;               ///< a demand, at least 1
  std::optional<std::size_t> sid_depth{};  ///< segments a path, at least 1; none: not limited and not written
  bool new_paths = true;  ///< false: only paths that the plan has, so that rules it was made under stay kept
  double gap = 0.01;      ///< stop once (utilisation - bound) / bound is at most this, above 0
};

/// A plan of few paths, and how good it is among plans of any number of paths.
struct FewPathsPlan {
  PathPlan plan;
  Certificate certificate;  ///< bound and duals of the all-paths plan, which hold for fewer paths too
  SegmentLists segments;    ///< with `sid_depth`: a list for each path; otherwise empty
  int rounds = 0;
};

/// Reduces a plan to at most so many paths a demand, each within the segment depth, and re-optimises what is left.
///
/// Demands above the limit give up their smallest shares, largest demands first, each to the path of theirs that has
/// most room. Then splits are balanced pairwise over soft-max prices, ever sharper; where a demand's paths have become
/// dear, a cheaper one takes the place of one of them. With a segment depth the cheaper paths are the cheapest that a
/// list of that length can describe, so that nothing is missed.
///
/// @param plan         sound on this topology (`PathPlan::check`): the same demands are in the result
/// @param demand       of this topology; what the plan does not route is ignored
/// @param certificate  of the plan, or any for this demand: its duals and bound are taken over
/// @return             utilisation may be above `gap`, even above the plan's: fewer paths can do less. Equal inputs,
///                     equal plan
/// @error kShapeMismatch: the matrix is of another network. kUnsupported: no path of a demand can be described by
///        `sid_depth` segments, named
/// Threads: reentrant.  Memory: a few times the plan's; with `sid_depth` 24 bytes a pair of nodes more.
/// Cost: a round is a shortest-path run a source and some sweeps over all paths; see tests/bench/few_paths_bench.cpp
/// Source: a vertex of the path LP has at most demands + tight links paths, so most demands keep one or two (Ahuja,
///         Magnanti, Orlin, "Network Flows", section 17.3); pairwise steps after Lacoste-Julien and Jaggi, NIPS 2015.
[[nodiscard]] Result<FewPathsPlan> reduce_paths(const Topology& topology, const TrafficMatrix& demand,
                                                const PathPlan& plan, const Certificate& certificate,
                                                const FewPathsOptions& options = {});

/// The most paths that a demand of the plan has.
[[nodiscard]] std::size_t most_paths(const PathPlan& plan);

/// A plan with at most `paths_max` of its own paths a demand, balanced for `expected` traffic: as near to the plan's
/// utilisation there as it takes, no nearer, so that what it was planned for beside is kept. A plan of so few paths is
/// given back as it is.
/// @param expected  where it is of another network, the largest shares are kept
/// @param levels    most important first: each comes as near as it can to what the plan gives it and those above, or to
///                  its target if that is higher, before the next; classes in none belong to the last. Fewer than two:
///                  all traffic alike
[[nodiscard]] PathPlan keep_few_paths(const Topology& topology, const TrafficMatrix& expected, PathPlan plan,
                                      std::size_t paths_max, std::span<const PriorityLevel> levels = {});

/// The segment list of each path, in as few segments as it takes to stay within `depth`; a path that needs more gets
/// what it needs.
[[nodiscard]] SegmentLists segment_lists_of(const Topology& topology, const PathPlan& plan, std::size_t depth);

}  // namespace wan::controller
