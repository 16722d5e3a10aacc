#pragma once

#include <string_view>

#include "core/result.h"

namespace wan::simulator {

/// What `scenario` minimises, as a command line and a scenario file name it: `expected`, or `cvar:ALPHA` for the mean
/// of the worst ALPHA of its scenarios.
/// @return  the part of the scenarios that counts, in (0, 1]
/// @error kBadInput: says what is allowed
[[nodiscard]] Result<double> parse_risk(std::string_view text);

}  // namespace wan::simulator
