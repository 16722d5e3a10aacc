#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "simulator/program/closed_loop.h"

namespace wan::simulator {

/// `{NAME: {ratio_mean, ...}}` with the field names of ControllerSummary, as `replay` and `run` write it.
[[nodiscard]] nlohmann::ordered_json summary_json(const std::vector<ControllerSummary>& summary);

}  // namespace wan::simulator
