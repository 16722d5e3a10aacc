#pragma once

#include <span>
#include <vector>

#include "core/topology.h"

namespace wan::test {

/// Traffic of one priority level (0 is the most important) that may take some paths, whole or split.
struct LevelCommodity {
  std::size_t level = 0;
  double rate_bps = 0.0;
  std::vector<std::vector<LinkId>> paths;
};

/// Least possible largest utilisation by the traffic of levels 0 to `level`, with that of each level j before (and of
/// all before it) at most limit[j]. Throws where Clp does not reach optimality.
[[nodiscard]] double best_level_utilization(const Topology& topology, std::span<const LevelCommodity> commodities,
                                            std::size_t level, std::span<const double> limit);

}  // namespace wan::test
