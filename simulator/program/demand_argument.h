#pragma once

#include <functional>
#include <string_view>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

/// The least largest link utilisation that any plan reaches for a matrix: the planner's answer, injected.
using BestUtilization = std::function<Result<double>(const Topology&, const TrafficMatrix&)>;

/// What a user may write where demands are asked for, one line for help texts.
inline constexpr std::string_view kDemandArgumentHelp =
    "a REPETITA .demands or SNDlib XML file; CSV@ROW, a row of a traffic series by number (the first is 0) or time; or "
    "gravity:SEED[:MLU], made up and scaled so that the best plan's largest utilisation is MLU (0.9)";

/// Reads or makes the traffic matrix that an argument names, in the forms of `kDemandArgumentHelp`.
///
/// @param best_utilization  asked for `gravity:` only; it decides the scale: solving and verifying need the same one
/// @error kNotFound, kIo: the file; a row that the series does not have
/// @error kBadInput: the file's content; a malformed seed, MLU or row; gravity demands where no two nodes are connected
[[nodiscard]] Result<TrafficMatrix> resolve_demands(std::string_view argument, const Topology& topology,
                                                    const BestUtilization& best_utilization);

}  // namespace wan::simulator
