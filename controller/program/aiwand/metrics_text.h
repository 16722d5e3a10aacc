#pragma once

#include <string>

#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/plan_keeper.h"
#include "telemetry/matrix_builder.h"
#include "telemetry/zmq/bus.h"

namespace wan::controller {

/// The daemon's metrics in the text format that Prometheus reads (version 0.0.4).
/// Source: prometheus.io, "Exposition formats".
[[nodiscard]] std::string metrics_text(const DaemonState& state, const PlanKeeper& keeper,
                                       const telemetry::BusCounts& bus, const telemetry::MatrixBuilderCounts& matrices,
                                       Timestamp now);

}  // namespace wan::controller
