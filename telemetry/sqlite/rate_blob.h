#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wan::telemetry {

/// Numbers as the history keeps them: one byte that tells the form, then 32-bit floats in little-endian order, either
/// all of them (0) or the non-zero ones behind their 32-bit positions (1), whichever is shorter. Seven digits of a
/// rate are more than a counter's interval gives; a value that is not known is a NaN.
[[nodiscard]] std::string to_rate_blob(std::span<const double> values);

/// @param count  how many numbers there must be
/// @error kBadInput: another form or length, or a position beyond `count`
[[nodiscard]] Result<std::vector<double>> from_rate_blob(std::string_view blob, std::size_t count);

}  // namespace wan::telemetry
