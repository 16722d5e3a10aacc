#pragma once

#include <string>

namespace wan::controller {

/// Log lines to standard error, as text or as one JSON object a line (`time`, `level`, `message`).
/// @param level  trace, debug, info, warning or error
void set_up_log(const std::string& level, bool json);

}  // namespace wan::controller
