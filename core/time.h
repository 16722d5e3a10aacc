#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.h"

namespace wan {

/// A moment in UTC, to the second: when an interval of a traffic matrix began.
using Timestamp = std::chrono::sys_seconds;

/// Reads `2004-03-01T00:00:00Z` (also with a space, without seconds, without `Z`, or with `+hh:mm`) or Unix seconds.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

/// Writes `2004-03-01T00:00:00Z`.
[[nodiscard]] std::string format_timestamp(Timestamp time);

/// A source of monotonic time, passed to whatever measures how long something took.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Time since an arbitrary origin; never goes back.
  [[nodiscard]] virtual Duration now() const = 0;
};

/// The machine's monotonic clock. Made in a `main` only.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] Duration now() const override;
};

}  // namespace wan
