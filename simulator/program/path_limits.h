#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "controller/few_paths.h"
#include "core/io/plan_file.h"

namespace wan::simulator {

/// Of the gap wanted, for the plan that few paths are taken from: the rest is theirs.
inline constexpr double kGapOfAllPaths = 0.7;

/// What a reduction is to do to keep limits, of which there is one at least.
[[nodiscard]] controller::FewPathsOptions few_paths_options(const io::PlanLimits& limits, double gap);

/// "4 paths a demand and 6 segments a path".
[[nodiscard]] std::string limits_text(const io::PlanLimits& limits);
/// Adds "paths_max" and "sid_depth", null where there is none.
void add_limits(nlohmann::ordered_json& document, const io::PlanLimits& limits);

}  // namespace wan::simulator
