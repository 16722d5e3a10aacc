#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/program/aiwanctl/answer.h"
#include "controller/program/aiwanctl/failure.h"
#include "controller/program/aiwanctl/server_address.h"
#include "core/units.h"

namespace wan::aiwanctl {

/// The daemon's HTTP API (docs/formats/api.md), one request at a time.
///
/// What comes back is the answer's JSON. Everything else is a Failure: no whole HTTP answer within the time limit is
/// kNotReached; the daemon's own error keeps its message and its advice; an answer that is not the API's is kError.
/// Threads: one owner.
class DaemonClient {
 public:
  /// @param timeout  for a whole request, from connecting to the answer's last byte
  DaemonClient(ServerAddress address, Duration timeout);
  ~DaemonClient();
  DaemonClient(DaemonClient&&) noexcept;
  DaemonClient& operator=(DaemonClient&&) noexcept;

  /// @param path  from /v1 on, names in it already `path_part`s
  [[nodiscard]] Outcome<Json> get(const std::string& path);
  /// As `get`, of which an answer is `{"items": [...]}`.
  [[nodiscard]] Outcome<Json> get_items(const std::string& path);
  [[nodiscard]] Outcome<Json> post(const std::string& path, const Json& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A name as one part of a path: `west-1/ams-core7` is `west-1%2Fams-core7`.
[[nodiscard]] std::string path_part(std::string_view name);

}  // namespace wan::aiwanctl
