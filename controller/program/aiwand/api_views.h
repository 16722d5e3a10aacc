#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/plan_keeper.h"

namespace wan::controller {

/// What the API shows of the state, by the names of docs/formats/api.md.
/// Threads: the loop thread.
[[nodiscard]] nlohmann::json status_json(const DaemonState& state, Timestamp now);
[[nodiscard]] nlohmann::json node_json(const DaemonState& state, NodeId node);
[[nodiscard]] nlohmann::json link_json(const DaemonState& state, LinkId link);
[[nodiscard]] nlohmann::json nodes_json(const DaemonState& state);
[[nodiscard]] nlohmann::json links_json(const DaemonState& state);
[[nodiscard]] nlohmann::json demands_json(const DaemonState& state);
[[nodiscard]] nlohmann::json plan_json(const DaemonState& state, const PlanKeeper& keeper, const PlanRecord& plan,
                                       bool with_routes);
[[nodiscard]] nlohmann::json alarms_json(const DaemonState& state);
[[nodiscard]] nlohmann::json policies_json(const DaemonState& state);
[[nodiscard]] nlohmann::json policy_set_json(const DaemonState& state, const PolicySet& policies);

}  // namespace wan::controller
