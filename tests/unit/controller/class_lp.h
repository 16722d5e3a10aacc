#pragma once

#include <optional>
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

/// Largest fraction (at most 1) that all commodities without one of their own can have at once, when the others have
/// theirs and no link passes `utilization_max`. Commodities with nullopt grow; the sum with `grows` alone growing when
/// it is set: the others without a fraction then have `held`.
struct FractionQuestion {
  std::span<const LevelCommodity> commodities;
  std::span<const std::optional<double>> fraction;  ///< by commodity
  double utilization_max = 1.0;
  std::optional<std::size_t> grows{};
  double held = 0.0;
};
[[nodiscard]] double best_common_fraction(const Topology& topology, const FractionQuestion& question);

/// Weighted max-min fair fractions, level after level, by progressive filling: the largest common fraction, then each
/// commodity that cannot grow beyond it stays there, and so on.
[[nodiscard]] std::vector<double> fair_fractions(const Topology& topology, std::span<const LevelCommodity> commodities,
                                                 double utilization_max);

/// The most bits per second that all commodities together can have when each has at least its fraction. Throws
/// likewise.
[[nodiscard]] double most_carried(const Topology& topology, std::span<const LevelCommodity> commodities,
                                  std::span<const double> fraction, double utilization_max);

}  // namespace wan::test
