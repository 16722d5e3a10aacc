#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "controller/program/aiwand/records.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::controller {

/// The API's Decision (docs/formats/api.md); also what the state file keeps.
[[nodiscard]] nlohmann::json to_json(const DecisionRecord& decision);
/// @error kBadInput: not what `to_json` writes
[[nodiscard]] Result<DecisionRecord> decision_from_json(const nlohmann::json& json);

/// All paths by the names of nodes and links: `[[class, from, to, [[fraction, [links]], ...]], ...]`.
[[nodiscard]] nlohmann::json paths_to_json(const Topology& topology, const PathPlan& plan);
/// @error kBadInput: malformed, or a node or link that this network does not have
[[nodiscard]] Result<PathPlan> paths_from_json(const Topology& topology, const nlohmann::json& json);

/// A time, or null.
[[nodiscard]] inline nlohmann::json time_json(const std::optional<Timestamp>& time) {
  return time ? nlohmann::json(format_timestamp(*time)) : nlohmann::json(nullptr);
}

}  // namespace wan::controller
