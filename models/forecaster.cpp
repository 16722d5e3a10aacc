#include "models/forecaster.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wan::models {

Result<std::vector<TrafficMatrix>> Forecaster::ahead(std::span<const TrafficMatrix> history,
                                                     std::size_t horizon) const {
  assert(horizon >= 1 && horizon <= kHorizonMax);
  std::vector<TrafficMatrix> made;
  const auto recent = history.last(std::min(history.size(), history_intervals()));
  std::vector<TrafficMatrix> window{recent.begin(), recent.end()};
  for (std::size_t step = 0; step < horizon; ++step) {
    auto forecast = next(std::span<const TrafficMatrix>{window}.last(std::min(window.size(), history_intervals())));
    if (!forecast) return tl::unexpected{forecast.error()};
    window.push_back(*forecast);
    made.push_back(*std::move(forecast));
  }
  return made;
}

}  // namespace wan::models
