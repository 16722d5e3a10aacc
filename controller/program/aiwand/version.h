#pragma once

#include <string_view>

namespace wan::controller {

inline constexpr std::string_view kDaemonVersion = WAN_VERSION;

}  // namespace wan::controller
