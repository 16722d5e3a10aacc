#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace wan {

enum class ErrorCode {
  kBadInput,       ///< a file or message does not hold what its format asks
  kNotFound,       ///< a file, node or link that was named does not exist
  kShapeMismatch,  ///< two values do not belong to the same network
  kStaleInput,     ///< the newest measurement is too old to act on
  kUnsupported,    ///< a valid request that this build cannot carry out
  kIo,             ///< the operating system refused a read or a write
  kInternal,       ///< a library failed where it should not
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

/// Why something did not work: a code to branch on and a sentence for the operator.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>{Error{code, std::move(message)}};
}

}  // namespace wan
