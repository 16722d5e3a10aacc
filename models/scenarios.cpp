#include "models/scenarios.h"

#include <algorithm>
#include <cassert>

namespace wan::models {

void ScenarioSource::record(const TrafficMatrix& forecast, const TrafficMatrix& measured) {
  assert(forecast.bps().size() == measured.bps().size());
  Residual residual{.forecast_bps = {forecast.bps().begin(), forecast.bps().end()}, .error_bps = {}};
  for (std::size_t i = 0; i < measured.bps().size(); ++i) {
    residual.error_bps.push_back(measured.bps()[i] - forecast.bps()[i]);
  }
  residuals_.push_front(std::move(residual));
  if (residuals_.size() > options_.count) residuals_.pop_back();
}

ScenarioSet ScenarioSource::around(const TrafficMatrix& forecast) const {
  constexpr double kScaleMax = 2.0;
  ScenarioSet set{.forecast = forecast, .scenarios = {}};
  for (std::size_t r = 0; r < residuals_.size(); ++r) {
    const Residual& residual = residuals_[r];
    const bool widened = options_.widen_every > 0 && r % options_.widen_every == options_.widen_every - 1;
    const double width = widened ? options_.widen_factor : 1.0;
    TrafficMatrix scenario = forecast;
    for (std::size_t i = 0; i < scenario.bps().size(); ++i) {
      const double now = forecast.bps()[i];
      const double then = residual.forecast_bps[i];
      const double scale = then > 0.0 ? std::min(kScaleMax, now / then) : 1.0;
      scenario.bps()[i] = std::max(0.0, now + width * scale * residual.error_bps[i]);
    }
    set.scenarios.push_back(std::move(scenario));
  }
  if (set.scenarios.empty()) set.scenarios.push_back(forecast);
  return set;
}

}  // namespace wan::models
