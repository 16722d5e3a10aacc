#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "controller/path_finder.h"
#include "controller/split_descent.h"
#include "controller/split_rows.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::controller {

/// Replaces what a segment depth does not allow: paths that no list of that length describes give their shares to the
/// row's others; a row that is left with none takes the cheapest path that its group's rule and the depth allow, or
/// where those found are all too slow, the fastest one within the depth.
///
/// @param finder       with a depth
/// @param class_names  for messages, by class; beyond: none is named
/// @error kUnsupported: names a demand that no path within its rule and the depth exists for, or whose one path needs
///        more segments, and the depth that all demands need. Exact: the fastest path within a depth is
/// Threads: one owner.  Cost: a look at every path, and a segment search a group and source where paths are missing
[[nodiscard]] Result<void> fit_to_depth(const Topology& topology, SplitRows& rows, PathFinder& finder,
                                        SplitDescent& descent, const std::vector<std::string>& class_names);

}  // namespace wan::controller
