#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/control_loop.h"
#include "controller/counter_check.h"
#include "controller/program/aiwand/daemon_state.h"
#include "models/forecaster.h"

namespace wan::controller {

/// No surprise reroutes: a new plan must save this part of the utilisation.
inline constexpr double kWorthInstalling = 0.01;

/// The control loop as the daemon runs it: made with the first matrix (or the history), made anew when policies change.
///
/// Threads: the loop thread.
class Planning {
 public:
  /// @param state  outlives this
  /// @param model  null: a baseline forecast; the reason stands in the state's `degraded`
  Planning(DaemonState& state, std::unique_ptr<models::Forecaster> model);

  /// @param history  matrices of earlier runs, oldest first, of this network; may be empty
  void start(std::vector<TrafficMatrix> history);
  /// Plans once for nothing if anything is known, so that the first decision takes no longer than later ones.
  void warm_up() {
    if (loop_) loop_->warm_up();
  }
  /// Whether anything is known of the traffic.
  [[nodiscard]] bool ready() const { return loop_.has_value(); }

  /// Takes an interval in and decides on the next. @param now  the end of the interval
  [[nodiscard]] Decision decide(const telemetry::MeasuredInterval& measured, Timestamp now);
  /// Decides on what is known; only when `ready`.
  [[nodiscard]] Decision replan();

  void topology_changed();
  /// Also when the number of classes has changed: what is known of traffic is kept.
  void policies_changed();
  /// The plan in force, as the state has it, is another one.
  void plan_changed();

  /// Only when `ready`.
  [[nodiscard]] ControlLoop& loop() { return *loop_; }
  /// Why the link counters do not fit the newest matrix; nothing when they do.
  [[nodiscard]] const std::optional<std::string>& counters_disagree() const { return counters_disagree_; }

 private:
  void make(std::span<const TrafficMatrix> training);
  [[nodiscard]] LoopOptions options() const;
  void note_outlook(const Decision& decision);

  DaemonState& state_;  // outlives this
  std::unique_ptr<models::Forecaster> model_;
  std::optional<ControlLoop> loop_;
  CounterCheck counters_;
  std::optional<std::string> counters_disagree_;
};

/// The matrix for another number of classes: what has no class any more is class 0.
[[nodiscard]] TrafficMatrix with_class_count(const TrafficMatrix& matrix, std::size_t class_count);

}  // namespace wan::controller
