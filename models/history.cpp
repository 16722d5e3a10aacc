#include "models/history.h"

#include <algorithm>
#include <string>

namespace wan::models {

Result<void> check_history(std::span<const TrafficMatrix> history) {
  if (history.empty()) return fail(ErrorCode::kShapeMismatch, "a forecast needs at least one traffic matrix");
  return check_history(history, history.front().node_count(), history.front().class_count());
}

Result<void> check_history(std::span<const TrafficMatrix> history, std::size_t node_count, std::size_t class_count) {
  if (history.empty()) return fail(ErrorCode::kShapeMismatch, "a forecast needs at least one traffic matrix");
  const auto stranger = std::find_if(history.begin(), history.end(), [&](const TrafficMatrix& matrix) {
    return matrix.node_count() != node_count || matrix.class_count() != class_count;
  });
  if (stranger == history.end()) return {};
  return fail(ErrorCode::kShapeMismatch, "a traffic matrix has " + std::to_string(stranger->class_count()) +
                                             " classes of " + std::to_string(stranger->node_count()) + " nodes where " +
                                             std::to_string(class_count) + " of " + std::to_string(node_count) +
                                             " were expected");
}

Timestamp time_after(std::span<const TrafficMatrix> history, std::chrono::seconds usual_interval) {
  const Timestamp newest = history.back().measured_at();
  if (history.size() < 2) return newest + usual_interval;
  return newest + (newest - history[history.size() - 2].measured_at());
}

}  // namespace wan::models
