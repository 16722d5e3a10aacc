#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"

namespace wan::io {

/// Reads a rate with its unit, `20 Mbit/s`: bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s; finite and above zero.
[[nodiscard]] std::optional<BitRate> parse_bit_rate(std::string_view text);
/// Reads a time with its unit, `250 ms`: ns, us, ms, s, m (or min), h or d; not negative, up to 10,000 days.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// Reads a size with its unit, `64 MiB`: B, KiB, MiB, GiB or kB, MB, GB; a whole number of bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// `18.3 Mbit/s`: three significant digits and the unit that fits.
[[nodiscard]] std::string format_bit_rate(BitRate rate);
/// `250 ms`, `1.5 s`, `2 h`.
[[nodiscard]] std::string format_duration(Duration time);

}  // namespace wan::io
