#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/closed_loop.h"
#include "simulator/program/scenario_file.h"

namespace wan::simulator {

struct ScenarioTopology {
  Topology topology;
  std::string name;                      ///< for reports: "backbone12" or the file's name without its folder
  std::vector<std::string> assumptions;  ///< what the file did not say, for the user to see once
};

/// The network of a scenario: built in, or read from its file.
/// @error kNotFound, kIo, kBadInput
[[nodiscard]] Result<ScenarioTopology> scenario_topology(const ScenarioFile& scenario);

/// The traffic of a scenario, generated or read from its file, times its scale.
/// @error kNotFound, kIo, kBadInput, kUnsupported
[[nodiscard]] Result<TrafficSeries> scenario_traffic(const ScenarioFile& scenario, const Topology& topology);

/// What the closed loop is asked to do: rows, times and links looked up in the traffic and the network. Events come out
/// in order of time; they name each link once, in the order of ids.
///
/// @error kBadInput, "FILE:LINE: KEY: ...": a moment outside the traffic, too little history, a link that does not
///        exist, an event that changes nothing
[[nodiscard]] Result<ClosedLoopOptions> scenario_options(const ScenarioFile& scenario, const Topology& topology,
                                                         const TrafficSeries& series);

}  // namespace wan::simulator
