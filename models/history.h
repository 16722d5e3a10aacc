#pragma once

#include <cstddef>
#include <span>

#include "core/result.h"
#include "core/traffic_matrix.h"

namespace wan::models {

/// That a history is fit to forecast from: not empty, one shape throughout.
/// @error kShapeMismatch
[[nodiscard]] Result<void> check_history(std::span<const TrafficMatrix> history);
/// The same, and that it is of the network asked for.
[[nodiscard]] Result<void> check_history(std::span<const TrafficMatrix> history, std::size_t node_count,
                                         std::size_t class_count);

/// An entry `lag` intervals before the newest (0 is the newest). A history too short is taken to have begun as its
/// oldest matrix says.
[[nodiscard]] inline double value_before(std::span<const TrafficMatrix> history, std::size_t lag,
                                         std::size_t position) {
  const std::size_t newest = history.size() - 1;
  return history[lag < newest ? newest - lag : 0].bps()[position];
}

/// When the interval after the newest begins: as far after it as it is after the one before; with one matrix only,
/// `usual_interval` after it.
[[nodiscard]] Timestamp time_after(std::span<const TrafficMatrix> history,
                                   std::chrono::seconds usual_interval = std::chrono::seconds{0});

}  // namespace wan::models
