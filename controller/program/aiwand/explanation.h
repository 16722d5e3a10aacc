#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controller/control_loop.h"
#include "controller/policy.h"
#include "controller/program/aiwand/daemon_state.h"

namespace wan::controller {

/// The paths of one demand, `[{"links": [...], "fraction": 0.5}, ...]`; empty when the plan does not route it.
[[nodiscard]] nlohmann::json demand_paths_json(const Topology& topology, const PathPlan& plan, const Demand& demand);

/// What changes from one plan to another, the largest moves first: the API's `changes`.
/// @param traffic  weighs the moves
/// @param prices   by link: how much it binds under `before`; may be empty
[[nodiscard]] nlohmann::json changes_json(const Topology& topology, const PolicySet& policies, const PathPlan& before,
                                          const PathPlan& after, const TrafficMatrix& traffic,
                                          const std::vector<double>& prices);
inline constexpr std::size_t kChangesMax = 200;

/// The API's Explanation but for its decision: inputs, binding links, changes, rejected alternatives.
/// @param before  the plan in force when the decision was made
[[nodiscard]] nlohmann::json explain(const DaemonState& state, ControlLoop& loop, const Decision& decision,
                                     const PathPlan& before);

}  // namespace wan::controller
