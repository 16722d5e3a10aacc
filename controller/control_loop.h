#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/input_guard.h"
#include "controller/plan_constraints.h"
#include "controller/plan_outlook.h"
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
  /// Chosen on days before those that are scored: docs/decisions/0002.
  ScenarioOptions scenario{.sharpness = 50.0,
                           .delay_weight = 0.03,
                           .change_weight = 1.0,
                           .change_tolerance = 0.012,
                           .sweeps_max = 24,
                           .rounds_max = 2};
  models::ScenarioSetOptions scenarios{.widen_every = 2};
  /// Part of the utilisation in force that a new plan must save, unless it relieves overloaded links (`relieves`). The
  /// scenario plan is already one that moves little, and above what could be saved by up to
  /// ScenarioOptions::change_tolerance: nothing is charged for its change once more.
  double worth_installing = 5e-4;
  std::size_t risk_horizon = 0;  ///< intervals that `congestion_probability` looks ahead; 0: never asked, nothing kept
  /// What a live network needs; the simulator leaves it all as it is.
  bool adopts = true;  ///< `step` puts its plan in force; otherwise it proposes it, and `adopt` does
  double max_moved_share =
      1.0;              ///< of all traffic that a decision may move, while the plan in force serves the network
  bool reacts = false;  ///< a demand measured above its forecast is planned as measured; a fitted guard is not required
  double censored_headroom = 1.25;  ///< what a demand is planned with, times its measure, while its packets are dropped
  std::size_t censored_memory = 10;  ///< intervals for which it is not planned below what it was before
  /// Kept by the scenario planner from the start; beside it `constrain` bends the other plans and checks this one.
  PlanConstraints constraints;
  std::size_t paths_max = 0;  ///< a demand, of every plan put in force or proposed; 0: any number
  /// Bends a plan to the operator's policies: idempotent, gives a plan back as it is when that follows them. Null:
  /// none.
  std::function<PathPlan(const Topology&, const PathPlan&)> constrain;
};

/// What is known of a measured matrix beside its numbers.
struct Measurement {
  std::span<const Demand> censored;  ///< sorted; measured while their packets were dropped
  bool confirmed = false;            ///< link counters agree with the matrix: what looks implausible is real
};

/// A plan that was not chosen, with how it would have done on the same scenarios.
struct Alternative {
  std::string name;
  PlanOutlook outlook;
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
  /// Of the plan in force (or proposed): mean over the scenarios of the largest link utilisation.
  double expected_utilization = 0.0;
  double risk_utilization = 0.0;  ///< the same over the worst `tail` of the scenarios; tail 1: all of them
  double lower_bound = 0.0;      ///< of risk_utilization, under any plan that keeps constraints and priorities; 0: none
  double p95_utilization = 0.0;  ///< of the plan in force, over the scenarios
  std::vector<Demand> unrouted;  ///< demands above zero whose ends are not connected
  std::vector<std::string> alarms;   ///< overload expected, demands cut off, input held
  std::optional<PathPlan> proposed;  ///< without LoopOptions::adopts: what install and fallback want in force
  double moved_share = 0.0;          ///< of the forecast traffic, that the decision moves to other paths
  /// Demands that the scenario plan could not keep within their class's rule; empty where none was made.
  std::vector<BrokenRule> broken_rules;
  std::optional<PlanOutlook> if_kept;  ///< of the plan in force before; nothing when it no longer serves the network
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
  [[nodiscard]] Decision step(const TrafficMatrix& latest, Timestamp now, const Measurement& beside = {});
  /// Decides once more on what is known: the network or the policies changed and the next matrix is not in yet.
  [[nodiscard]] Decision replan();

  /// Plans once for nothing, while there is time: the first decision then finds paths and memory laid out and takes no
  /// longer than later ones.
  void warm_up();

  /// The network changed (links up or down; same nodes and link ids). Takes effect at the next step, which re-plans if
  /// the paths in force use a link that is down or leave out a pair that is connected.
  void set_topology(const Topology& topology);

  [[nodiscard]] const PathPlan& plan_in_force() const;
  /// From now on this plan counts as in force.
  /// @param plan  whole fractions, on the topology; need not serve all of it (the next decision then re-plans)
  void adopt(PathPlan plan);

  /// Behind the newest decision; before the first one, around the forecast that `make` came to.
  [[nodiscard]] const models::ScenarioSet& scenarios() const;
  /// Cleaned of what was not believed, censored demands with their head-room; oldest first.
  [[nodiscard]] std::span<const TrafficMatrix> history() const;
  [[nodiscard]] PlanOutlook outlook_of(const PathPlan& plan) const;
  /// What shortest paths and the optima for the newest matrix and for the forecast would do. Cost: two linear programs.
  [[nodiscard]] std::vector<Alternative> alternatives();
  /// By link: how likely it is above its threshold within the `risk_horizon` intervals after the newest matrix, if the
  /// plan stays. LoopOptions::risk_horizon is above 0.
  /// @param threshold  by link, utilisation
  [[nodiscard]] std::vector<double> congestion_probability(const PathPlan& plan,
                                                           std::span<const double> threshold) const;
  /// By link: its part in the largest utilisation that the plan is expected to reach (sums to 1): where one more unit
  /// of utilisation would raise the soft maximum most. The marginal prices at which the scenario planner stops.
  [[nodiscard]] std::vector<double> binding_shares(const PathPlan& plan) const;

 private:
  struct Impl;
  explicit ControlLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
