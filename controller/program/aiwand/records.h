#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/path_plan.h"
#include "core/time.h"

namespace wan::controller {

/// What became of a decision.
enum class DecisionState { kInstalled, kProposed, kApproved, kSuperseded, kObserved, kKept, kRefused };
[[nodiscard]] std::string_view to_string(DecisionState state);

/// What a decision did to the network, measured over the first whole interval under it.
struct Effect {
  Timestamp time;
  double max_utilization = 0.0;
  std::string max_utilization_link;
};

/// A decision as it is kept and shown; docs/formats/api.md.
struct DecisionRecord {
  std::uint64_t id = 0;
  Timestamp time{};
  std::string action;
  DecisionState state = DecisionState::kKept;
  std::string reason;
  std::string forecaster;
  double expected_utilization = 0.0;
  double lower_bound = 0.0;
  double p95_utilization = 0.0;
  std::optional<double> utilization_before;  ///< measured
  std::optional<double> expected_if_kept;
  double moved_share = 0.0;
  std::optional<std::uint64_t> epoch;  ///< of the plan that it put in force
  std::vector<std::string> alarms;
  std::optional<Effect> effect;
};

/// A plan that was in force.
struct PlanRecord {
  std::uint64_t epoch = 0;
  Timestamp time{};
  std::string digest;
  std::optional<std::uint64_t> decision;  ///< nothing: adopted from the nodes
  double expected_utilization = 0.0;
  double lower_bound = 0.0;
  PathPlan plan;
};

/// A version of the operator's policies.
struct PolicyVersion {
  std::uint64_t version = 0;
  Timestamp time{};
  std::string name;  ///< of the file, for messages
  std::string text;
};

}  // namespace wan::controller
