#pragma once

#include <string>
#include <string_view>

#include "controller/program/aiwanctl/failure.h"

namespace wan::aiwanctl {

inline constexpr std::string_view kDefaultServer = "unix:/run/aiwan/aiwand.sock";

/// Where the daemon listens.
struct ServerAddress {
  std::string socket;  ///< path of a UNIX socket; empty: TCP
  std::string host;
  int port = 0;
  bool operator==(const ServerAddress&) const = default;
};

/// Reads `unix:PATH` or `http://HOST[:PORT]`, HOST also as `[IPv6]`; port 80 unless told.
/// @error kWrongUsage
[[nodiscard]] Outcome<ServerAddress> parse_server_address(std::string_view text);

}  // namespace wan::aiwanctl
