#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/input_guard.h"
#include "controller/scenario_planner.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"
#include "models/scenarios.h"

namespace wan::controller {

struct LoopOptions {
  double utilization_target = 0.7;  ///< while the p95 scenario stays below it on the paths in force, nothing moves
  std::size_t holds_max = 12;       ///< spiked or silenced matrices in a row before this is believed to be a new level
  int threads = 1;
  InputGuardOptions guard;
  ScenarioOptions scenario;
  models::ScenarioSetOptions scenarios;
};

enum class Action {
  kInstall,   ///< the scenario plan goes into force
  kKeep,      ///< the plan in force is good enough
  kHold,      ///< the input is not to be trusted: the last good plan stays
  kFallback,  ///< a safe plan goes into force instead of the scenario plan
};
[[nodiscard]] std::string_view to_string(Action action);

/// What one pass of the loop came to, and why. The plan in force afterwards is `ControlLoop::plan_in_force`.
struct Decision {
  Action action = Action::kKeep;
  std::string reason;      ///< one sentence for the operator
  std::string forecaster;  ///< which forecast was planned on
  /// Of the plan in force: mean over the scenarios of the largest link utilisation.
  double expected_utilization = 0.0;
  double lower_bound = 0.0;         ///< no plan's expected utilisation is below it; 0 where none was computed
  double p95_utilization = 0.0;     ///< of the plan in force, over the scenarios
  std::vector<Demand> unrouted;     ///< demands above zero whose ends are not connected
  std::vector<std::string> alarms;  ///< overload expected, demands cut off, input held
};

/// Forecast, plan on scenarios, guard, decide: one network's closed loop without clocks, threads or sockets.
///
/// The daemon and the simulator call it the same way: `step` with each matrix as it is measured. Equal calls give equal
/// decisions. It owns the plan in force and a history cleaned of implausible matrices (forecasts stand in for them).
/// Threads: one owner.
class ControlLoop {
 public:
  /// @param forecaster  outlives the loop; null: an EWMA fitted on `training`, and every decision says so
  /// @param training    the matrices before the first step, oldest first; at least one
  /// @param interval    between matrices
  /// @error kShapeMismatch, kBadInput: training is empty or of another network
  [[nodiscard]] static Result<ControlLoop> make(const Topology& topology, const models::Forecaster* forecaster,
                                                std::span<const TrafficMatrix> training, Duration interval,
                                                const LoopOptions& options);
  ~ControlLoop();
  ControlLoop(ControlLoop&&) noexcept;
  ControlLoop& operator=(ControlLoop&&) noexcept;

  /// One pass: takes the newest matrix in and decides on the plan for the next interval.
  /// @param now  when the decision is made; a matrix older than the guard allows is stale
  [[nodiscard]] Decision step(const TrafficMatrix& latest, Timestamp now);

  /// The network changed (links up or down; same nodes and link ids). Takes effect at the next step, which re-plans if
  /// the paths in force use a link that is down or leave out a pair that is connected.
  void set_topology(const Topology& topology);

  [[nodiscard]] const PathPlan& plan_in_force() const;

 private:
  struct Impl;
  explicit ControlLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
