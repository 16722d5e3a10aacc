#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wan::io {

/// A decimal number times 10^`shift`, rounded once: unlike a multiplication this loses nothing, so that a value written
/// in Mbit/s gives back the very bits per second it was made from.
///
/// @return  nothing unless the whole token is a number, and a finite one; never negative zero
[[nodiscard]] std::optional<double> parse_number(std::string_view token, int shift = 0);

/// The shortest text that `parse_number(text, shift)` reads as `value`, which must be finite.
[[nodiscard]] std::string format_number(double value, int shift = 0);

/// A whole number without sign.
[[nodiscard]] std::optional<std::size_t> parse_count(std::string_view token);

}  // namespace wan::io
