#pragma once

#include <string>

#include "controller/program/aiwanctl/answer.h"
#include "controller/program/aiwanctl/table.h"

namespace wan::aiwanctl {

// Numbers of an answer as people read them, each with its unit; `-` for what is null, absent or no number.

[[nodiscard]] std::string shown_rate(const Json& bps);       ///< `18.3 Mbit/s`
[[nodiscard]] std::string shown_percent(const Json& share);  ///< of a fraction: `82.4 %`
[[nodiscard]] std::string shown_seconds(const Json& seconds);
[[nodiscard]] std::string shown_milliseconds(const Json& milliseconds);
/// `12 packets`, `1 packet`; `unit` in the singular.
[[nodiscard]] std::string shown_count(const Json& count, std::string_view unit);

/// From 70 % a warning, from 100 % bad.
[[nodiscard]] Tone tone_of_utilization(const Json& share);
/// A bar of `width` cells, padded with spaces, in steps of an eighth of a cell; full from a share of 1 on.
[[nodiscard]] std::string bar(double share, std::size_t width);

}  // namespace wan::aiwanctl
