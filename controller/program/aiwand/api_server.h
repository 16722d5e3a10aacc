#pragma once

#include <memory>
#include <string>

#include "controller/program/aiwand/api_exchange.h"
#include "controller/program/aiwand/config_file.h"
#include "core/result.h"

namespace wan::controller {

/// The HTTP side of the API: sockets, threads, JSON in and out. What requests mean is the loop thread's business.
///
/// Listens on a UNIX socket (mode 0660: who may connect is a matter of the file's group) and on a TCP address if one is
/// configured. Bodies over kBodyBytesMax are refused.
/// Threads: its own; `start` and the destructor are one owner's.
class ApiServer {
 public:
  static constexpr std::size_t kBodyBytesMax = std::size_t{1} << 20;

  /// @param queue  outlives the server
  /// @error kIo: an address cannot be bound; the socket belongs to a daemon that runs
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> start(const DaemonConfig::Api& config, RequestQueue& queue);
  ~ApiServer();

  /// Where TCP clients connect, with the port that was chosen; empty without.
  [[nodiscard]] const std::string& tcp_address() const;

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
