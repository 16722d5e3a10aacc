#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/control_loop.h"
#include "controller/input_guard.h"
#include "controller/plan_outlook.h"
#include "controller/planner.h"
#include "controller/scenario_planner.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"
#include "models/scenarios.h"
#include "models/trajectories.h"

namespace wan::controller {

/// What is expected of the next interval, and where that comes from.
struct Forecast {
  TrafficMatrix matrix;
  std::string by;      ///< name of the forecaster
  std::string remark;  ///< why it is not the model's; empty if it is
};

/// A plan that needs no forecast, and what to call it.
struct SafePlan {
  std::string name;
  PathPlan plan;
  PlanOutlook outlook;
};

/// What the loop holds. Its work is divided over control_loop.cpp (what is measured, believed and forecast) and
/// plan_choice.cpp (which plan follows from it, and why).
struct ControlLoop::Impl {
  static constexpr double kSafePlanGap = 0.005;  // of the plan on the newest matrix alone

  void adopt_topology(const Topology& network);
  void take_in(const TrafficMatrix& matrix);
  void remember_miss(const TrafficMatrix& forecast_matrix, const TrafficMatrix& measured);
  /// The matrix with head-room for demands whose senders have slowed down.
  [[nodiscard]] TrafficMatrix with_headroom(const TrafficMatrix& measured, std::span<const Demand> censored);
  /// Demands that were measured above their forecast are expected to stay there.
  void follow_jumps(TrafficMatrix& forecast_matrix, const TrafficMatrix& latest) const;
  /// The forecast for the interval after `past`, by the model if it is plausible, else by EWMA.
  [[nodiscard]] Forecast forecast(std::span<const TrafficMatrix> past) const;
  [[nodiscard]] std::size_t intervals_wanted() const;
  /// Whether the plan in force has a way for every pair that is connected, over links that are up.
  [[nodiscard]] bool serves_network() const;
  /// Whether it does what the policies ask.
  [[nodiscard]] bool complies() const;
  [[nodiscard]] PathPlan constrained(PathPlan plan) const;
  /// Puts the plan in force or proposes it, no more of it at once than may be moved. Whether that is all of it.
  bool put_forward(Decision& decision, PathPlan plan, bool usable);
  [[nodiscard]] const PathPlan& chosen(const Decision& decision) const;
  [[nodiscard]] Decision hold(const TrafficMatrix& latest, Timestamp now, const std::string& fault);
  void plan_next(Decision& decision);
  [[nodiscard]] PlanOutlook outlook(const PathPlan& plan) const {
    return outlook_of_plan(topology, plan, set.scenarios, options.scenario.tail, options.constraints.levels);
  }
  [[nodiscard]] std::vector<SafePlan> safe_plans();
  /// @param usable    whether `start` is in force and may stay: leaving it has its price
  /// @param why_none  receives why there is no plan
  [[nodiscard]] std::optional<ScenarioRoutes> scenario_routes(Decision& decision, const PathPlan& start, bool usable,
                                                              std::string& why_none);
  [[nodiscard]] std::string outlook_text(const PlanOutlook& its) const;
  void choose(Decision& decision, const PlanOutlook& in_force, bool usable);
  void describe_outlook(Decision& decision, const TrafficMatrix& forecast_matrix,
                        const PlanOutlook& now_in_force) const;

  LoopOptions options;
  const models::Forecaster* model = nullptr;  // outlives the loop; may be null
  std::unique_ptr<models::Forecaster> ewma;
  Topology topology;
  InputGuard guard;
  std::vector<TrafficMatrix> history;  // oldest first, cleaned
  models::ScenarioSource residuals{{}};
  models::TrajectorySource trajectories{{}};
  Forecast expected_next;                 // for the interval after the history
  std::size_t holds = 0;                  // matrices in a row that might be a new level
  models::ScenarioSet set;                // behind the newest decision
  std::vector<double> uncensored_bps;     // by entry: what it measured before its packets were dropped
  std::vector<std::size_t> censored_for;  // by entry: intervals in a row

  std::optional<ScenarioPlanner> planner;  // of the present topology
  std::optional<RoutePlanner> on_last;     // plans the newest matrix alone, each time from the plan before
  std::optional<PathPlan> igp;             // of the present topology
  std::size_t connected_pairs = 0;         // of the present topology
  PathPlan in_force;
};

}  // namespace wan::controller
