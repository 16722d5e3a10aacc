#pragma once

#include <optional>
#include <vector>

#include "controller/program/aiwand/daemon_state.h"
#include "telemetry/matrix_builder.h"
#include "telemetry/sqlite/history_store.h"

namespace wan::controller {

/// Keeps the measured past in `history.db`. A history that cannot be kept is an alarm, never a reason to stop.
///
/// Threads: the loop thread; writing is done on the history's own.
class Recorder {
 public:
  /// @param state  outlives this
  explicit Recorder(DaemonState& state) : state_{state} {}

  /// Opens the file, or opens it anew when traffic has other classes than before.
  void open();
  /// The newest matrices of earlier runs, oldest first; none when there is no history.
  [[nodiscard]] std::vector<TrafficMatrix> newest(std::size_t intervals);
  void record(const telemetry::MeasuredInterval& measured);
  /// Raises or clears the alarm, and hands the counts to the metrics.
  void look(Timestamp now);

 private:
  DaemonState& state_;
  std::optional<telemetry::HistoryStore> store_;
};

}  // namespace wan::controller
