#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace wan::aiwanctl {

/// What a run tells the shell; stable, and listed in aiwanctl(1).
enum class ExitCode {
  kDone = 0,        ///< also: plan and diff found nothing to change
  kError = 1,       ///< the daemon refused or failed, or an input is bad
  kChanges = 2,     ///< plan and diff only: there is something to change
  kWrongUsage = 3,  ///< the command line makes no sense
  kNotReached = 4,  ///< no whole answer came from the daemon
  kConflict = 5,    ///< the state has moved on, the mode is wrong, or nothing waits
  kNotFound = 6,    ///< what was named does not exist
};

/// Why a command did not do what it was asked, for the person who typed it.
struct Failure {
  ExitCode exit_code = ExitCode::kError;
  std::string what;   ///< no full stop, one line
  std::string where;  ///< the request, file or option it is about
  std::string next;   ///< what to do about it
  bool operator==(const Failure&) const = default;
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> failed(Failure failure) {
  return tl::unexpected<Failure>{std::move(failure)};
}

/// `aiwanctl: WHAT (WHERE); next: WHAT TO DO`, one line whatever the parts hold; parts that are empty are left out.
[[nodiscard]] std::string error_line(const Failure& failure);

}  // namespace wan::aiwanctl
