#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "core/traffic_matrix.h"

namespace wan::models {

struct TrajectoryOptions {
  std::size_t leads = 1;    ///< intervals ahead; at least one
  std::size_t count = 192;  ///< trajectories, one for each of the newest origins whose leads have all been measured
};

/// One way the next intervals may go: a matrix for each lead, the next interval first.
using Trajectory = std::vector<TrafficMatrix>;

/// Remembers how a forecast that is held for several intervals missed each of them, and lays these misses around the
/// next forecast: whole trajectories, so that a surge that lasted lasts in them too.
///
/// A pair's miss is scaled by how much larger or smaller the forecast is now than it was then (at most doubled) and cut
/// off at zero, as in ScenarioSource.
/// Threads: one owner.  Memory: count x leads matrices.
class TrajectorySource {
 public:
  explicit TrajectorySource(const TrajectoryOptions& options) : options_{options} {}

  /// Consecutive intervals, each with what was forecast for it one interval before; same shape as all others.
  void record(const TrafficMatrix& forecast, const TrafficMatrix& measured);
  /// Equally likely; the forecast held still while no origin is complete.
  [[nodiscard]] std::vector<Trajectory> around(const TrafficMatrix& forecast) const;
  [[nodiscard]] std::size_t count() const { return complete_.size(); }

 private:
  struct Origin {
    std::vector<double> forecast_bps;
    std::vector<std::vector<double>> error_bps;  // by lead: measured - forecast
  };
  TrajectoryOptions options_;
  std::deque<Origin> open_;      // oldest first; leads yet to be measured
  std::deque<Origin> complete_;  // newest first
};

}  // namespace wan::models
