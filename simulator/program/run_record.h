#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/topology.h"
#include "simulator/program/closed_loop.h"

namespace wan::simulator {

/// One run of a scenario with all that its results database and its report tell.
struct RunRecord {
  std::string scenario_name;
  std::string scenario_text;          ///< the file, as it was read
  std::optional<std::uint64_t> seed;  ///< of the traffic generator; none: measured traffic
  double scale = 1.0;                 ///< what all traffic was multiplied by
  double utilization_target = 0.0;
  std::string topology_name;
  Topology topology;
  std::string traffic_digest;     ///< over all rows, history included
  std::size_t history_rows = 0;   ///< before the first scored one
  std::vector<LinkEvent> events;  ///< in order of time
  ClosedLoopResult result;        ///< at least one interval
};

}  // namespace wan::simulator
