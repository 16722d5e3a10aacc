#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "core/traffic_matrix.h"

namespace wan::models {

struct ScenarioSetOptions {
  std::size_t count = 32;  ///< scenarios, one for each of the newest residuals
  std::size_t widen_every =
      4;  ///< every so many residuals one is widened: tails are heavier than the newest residuals show
  double widen_factor = 2.0;
};

/// A forecast and the ways in which it may be wrong, equally likely.
struct ScenarioSet {
  TrafficMatrix forecast;
  std::vector<TrafficMatrix> scenarios;  ///< at least one: the forecast itself while no residual is known
};

/// Remembers how the newest forecasts missed and lays these misses around the next forecast.
///
/// A residual of a pair is added to its forecast, scaled by how much larger or smaller the forecast is now than it was
/// then (at most doubled), and cut off at zero. Residuals are kept whole, matrix by matrix, so that demands which rise
/// together do so in the scenarios too.
/// Threads: one owner.
class ScenarioSource {
 public:
  explicit ScenarioSource(const ScenarioSetOptions& options) : options_{options} {}

  /// What was forecast for an interval and what was then measured; same shape as all others.
  void record(const TrafficMatrix& forecast, const TrafficMatrix& measured);
  [[nodiscard]] ScenarioSet around(const TrafficMatrix& forecast) const;
  [[nodiscard]] std::size_t residual_count() const { return residuals_.size(); }

 private:
  struct Residual {
    std::vector<double> forecast_bps;
    std::vector<double> error_bps;  // measured - forecast
  };
  ScenarioSetOptions options_;
  std::deque<Residual> residuals_;  // newest first
};

}  // namespace wan::models
