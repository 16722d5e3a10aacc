#include "core/result.h"

namespace wan {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadInput:
      return "bad input";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kShapeMismatch:
      return "shape mismatch";
    case ErrorCode::kStaleInput:
      return "stale input";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kIo:
      return "input/output error";
    case ErrorCode::kInternal:
      return "internal error";
  }
  return "unknown error";
}

}  // namespace wan
