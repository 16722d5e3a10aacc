#pragma once

#include <chrono>
#include <cstdint>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

/// An invented European backbone: 12 cities where they really are, 20 links in both directions of 10, 40 or 100 Gbit/s.
///
/// Two link failures are needed to split it, and so are two failures of risk groups. Delays are great-circle distance
/// at 4.9 us/km (light in fibre); IGP weights are inverse to capacity, 1 Tbit/s over the link's, as many operators set
/// them. A risk group holds both directions of links that share a duct, a landing or a bridge.
[[nodiscard]] Topology builtin_backbone();

struct GeneratorOptions {
  std::chrono::days days{7};
  std::chrono::seconds interval{300};
  Timestamp start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};  ///< a Monday
  std::uint64_t seed = 1;

  /// The level: how loaded the most loaded link is at the busiest hour of the expected traffic (without noise and
  /// bursts) when the network is routed by IGP weights. Noise and bursts lift single days above it.
  double igp_utilization_busy_hour = 1.05;

  double pair_noise = 0.18;                ///< standard deviation of log traffic of a pair of mean size
  std::chrono::seconds pair_memory{2400};  ///< after which a pair's deviation has fallen to 1/e
  double node_noise = 0.08;                ///< the same for what all traffic of a node has in common
  std::chrono::seconds node_memory{3 * 3600};
  double bursts_per_day = 6.0;        ///< of single pairs
  double flash_crowds_per_day = 0.7;  ///< of everything that one node sends
};

/// Traffic that repeats by day and week, and surprises in between.
///
/// Rate of pair i>j in the interval whose middle is t:
///
///     level * gravity(i,j) * curve(i,j,t) * pair_noise(i,j,t) * node_noise(i,t) * node_noise(j,t) * bursts(i,j,t)
///
/// - gravity: what i sends times what j receives, log-normal (deviation 0.3) around the capacity that meets the node to
///   the power 0.6, times a log-normal factor of each pair (deviation 0.45).
/// - curve: 0.3 of the sender's and 0.7 of the receiver's time of day, by solar time at the node's longitude (UTC where
///   it has no place) and up to 45 minutes of random shift a pair. Each is a mix of home use (peak at 20:30), office
///   use (peak at 14:00, 0.4 of it at weekends) and copies between machines (peak at 03:00) that differs by node.
/// - pair_noise: mean 1, the log a first-order autoregression; deviation 0.18 for a pair of mean size, 0.6 to 1.6 times
///   that for larger and smaller ones; forgets in 40 minutes.
/// - node_noise: the same law with deviation 0.08, forgets in 3 hours: what makes all traffic of a node rise together.
/// - bursts: Poisson arrivals. A pair gains 1 to 4 times its rate (less by the root of its size where that is above the
///   mean), or all that one node sends gains 0.2 to 0.7 times. Ramps up within 5 to 20 minutes, holds for 10 to 60,
///   decays with a time constant of 10 to 40.
///
/// On the built-in backbone with the default options, over 30 seeds of a week each, the largest utilisation of a day is
/// 1.04 to 1.33 under weight routing (tenth to ninetieth percentile, median 1.15) and 0.57 to 0.90 (median 0.71) when
/// every interval is routed as well as possible.
///
/// @return  days * 86400 / interval matrices of one class, from `start`; equal arguments, equal series
/// @error kBadInput: no whole number of intervals in a day, no connected pair of nodes, an option out of its range
/// @error kUnsupported: what `igp_plan` cannot route
/// Cost: O(intervals * N^2).
/// Source: gravity as in Roughan, "Simplifying the synthesis of Internet traffic matrices", CCR 2005; daily and weekly
/// form as in Soule et al., "Traffic matrices: balancing measurements, inference and modeling", SIGMETRICS 2005. The
/// parameters are ours, chosen to resemble Abilene and GEANT and fitted to neither.
[[nodiscard]] Result<TrafficSeries> generate_traffic(const Topology& topology, const GeneratorOptions& options);

/// A gravity matrix over all ordered pairs, not scaled to the network: the rate from i to j is what i sends times j's
/// share of what the others receive. A node sends and receives an exponentially distributed multiple (mean 1) of the
/// capacity that meets it, the two drawn independently.
[[nodiscard]] TrafficMatrix gravity_demands(const Topology& topology, std::uint64_t seed);

}  // namespace wan::simulator
