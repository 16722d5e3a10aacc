#include "models/trajectories.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wan::models {

void TrajectorySource::record(const TrafficMatrix& forecast, const TrafficMatrix& measured) {
  assert(forecast.bps().size() == measured.bps().size() && options_.leads > 0);
  open_.push_back({.forecast_bps = {forecast.bps().begin(), forecast.bps().end()}, .error_bps = {}});
  for (Origin& origin : open_) {
    std::vector<double> error(measured.bps().begin(), measured.bps().end());
    for (std::size_t e = 0; e < error.size(); ++e) error[e] -= origin.forecast_bps[e];
    origin.error_bps.push_back(std::move(error));
  }
  if (open_.front().error_bps.size() < options_.leads) return;
  complete_.push_front(std::move(open_.front()));
  open_.pop_front();
  if (complete_.size() > options_.count) complete_.pop_back();
}

std::vector<Trajectory> TrajectorySource::around(const TrafficMatrix& forecast) const {
  constexpr double kScaleMax = 2.0;
  std::vector<Trajectory> trajectories;
  for (const Origin& origin : complete_) {
    Trajectory& trajectory = trajectories.emplace_back();
    for (const std::vector<double>& error : origin.error_bps) {
      TrafficMatrix matrix = forecast;
      for (std::size_t e = 0; e < error.size(); ++e) {
        const double now = forecast.bps()[e];
        const double then = origin.forecast_bps[e];
        const double scale = then > 0.0 ? std::min(kScaleMax, now / then) : 1.0;
        matrix.bps()[e] = std::max(0.0, now + scale * error[e]);
      }
      trajectory.push_back(std::move(matrix));
    }
  }
  if (trajectories.empty()) trajectories.emplace_back(options_.leads, forecast);
  return trajectories;
}

}  // namespace wan::models
