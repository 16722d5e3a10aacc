#pragma once

#include <string>

#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/plan_keeper.h"

namespace wan::controller {

/// What telemetry/prometheus does not count, of the loop and the programs, in the text format that Prometheus reads
/// (version 0.0.4). Source: prometheus.io, "Exposition formats".
[[nodiscard]] std::string metrics_text(const DaemonState& state, const PlanKeeper& keeper, Timestamp now);

}  // namespace wan::controller
