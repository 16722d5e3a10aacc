#include "telemetry/zmq/endpoint.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace wan::telemetry {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kTcp = "tcp://";

tl::unexpected<Error> refuse(ErrorCode code, const std::string& endpoint, std::string_view reason) {
  return fail(code, std::string{endpoint}.append(": ").append(reason));
}

enum class Listener { kPresent, kAbsent, kUnknown };

/// Tries to connect to a UNIX socket.
Listener listener_at(const std::filesystem::path& socket_file) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return Listener::kUnknown;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_file.c_str(), sizeof(address.sun_path) - 1);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  const int reason = errno;
  ::close(socket);
  if (connected || reason == EAGAIN) return Listener::kPresent;  // EAGAIN: its queue of connections is full
  return reason == ECONNREFUSED ? Listener::kAbsent : Listener::kUnknown;
}

}  // namespace

Result<void> check_endpoint(const std::string& endpoint) {
  const bool named = (endpoint.starts_with(kIpc) && endpoint.size() > kIpc.size()) ||
                     (endpoint.starts_with(kTcp) && endpoint.size() > kTcp.size());
  if (named) return {};
  return refuse(ErrorCode::kBadInput, endpoint.empty() ? "bus endpoint" : endpoint,
                "not tcp://HOST:PORT or ipc://PATH");
}

Result<void> prepare_endpoint(const std::string& endpoint) {
  if (auto known = check_endpoint(endpoint); !known) return known;
  if (!endpoint.starts_with(kIpc)) return {};
  const std::string path = endpoint.substr(kIpc.size());
  if (path.front() == '@' || path == "*")
    return {};  // Linux's abstract sockets, and one of the system's choice: no file
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return refuse(ErrorCode::kBadInput, endpoint, "longer than the path of a socket may be (107 bytes)");
  }
  const std::filesystem::path file{path};
  std::error_code error;
  if (file.has_parent_path() && !std::filesystem::is_directory(file.parent_path(), error)) {
    return refuse(ErrorCode::kNotFound, endpoint, "the folder does not exist");
  }
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) return {};
  if (!std::filesystem::is_socket(status)) return refuse(ErrorCode::kIo, endpoint, "the file is there and no socket");
  switch (listener_at(file)) {
    case Listener::kPresent:
      return refuse(ErrorCode::kIo, endpoint, "another program listens there");
    case Listener::kUnknown:
      return refuse(ErrorCode::kIo, endpoint, "the socket is there and cannot be asked whether somebody listens");
    case Listener::kAbsent:
      break;
  }
  if (!std::filesystem::remove(file, error) && error) {
    return refuse(ErrorCode::kIo, endpoint, std::string{"stale socket cannot be removed: "}.append(error.message()));
  }
  return {};
}

}  // namespace wan::telemetry
