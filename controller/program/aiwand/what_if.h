#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/control_loop.h"
#include "controller/policy.h"
#include "core/io/network_file.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/scenarios.h"

namespace wan::controller {

/// The live state as a rehearsal needs it: a copy, so that the loop goes on meanwhile.
struct LiveCopy {
  Topology physical;
  std::vector<bool> managed;            ///< by node
  std::vector<LinkId> kept_empty;       ///< drained links and maintenance, of the policies in force and by operators
  std::vector<LinkId> operator_drains;  ///< the part of it that stays whatever the policies say
  PolicySet policies;
  PathPlan in_force;
  models::ScenarioSet outlook;
  double max_moved_share = 1.0;
  Timestamp now;
};

/// What might happen.
struct Rehearsal {
  std::optional<PolicySet> policies;  ///< in place of those in force
  std::vector<LinkId> down;
  std::vector<NodeId> nodes_down;  ///< nobody sends to or from them either
  double scale = 1.0;
  struct Rate {
    Demand demand;
    BitRate rate;
  };
  std::vector<Rate> demands;  ///< set to these rates after scaling
};

/// The API's Simulation: the network a moment after, with paths as they are and local protection, and once re-planned.
/// Threads: reentrant. Cost: that of two decisions.
[[nodiscard]] nlohmann::json rehearse(const LiveCopy& live, const Rehearsal& what);

/// `changes`, `max_utilization_before`, `max_utilization_after`, `moved_share` of the API's SavedPlan.
[[nodiscard]] nlohmann::json preview(const LiveCopy& live, const PolicySet& policies);

}  // namespace wan::controller
