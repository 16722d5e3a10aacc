#include "dataplane/program/udp_sender.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace wan::dataplane {

Result<UdpSender> UdpSender::connect(const std::string& destination) {
  const std::size_t colon = destination.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == destination.size()) {
    return fail(ErrorCode::kBadInput, std::string{destination}.append(": a collector is given as host:port"));
  }
  std::string host = destination.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), destination.c_str() + colon + 1, &wanted, &found); code != 0) {
    return fail(ErrorCode::kNotFound, std::string{destination}.append(": ").append(::gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
  int cause = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const int socket = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (socket >= 0 && ::connect(socket, at->ai_addr, at->ai_addrlen) == 0) return UdpSender{socket};
    cause = errno;
    if (socket >= 0) ::close(socket);
  }
  return fail(ErrorCode::kIo, std::string{destination}.append(": ").append(std::strerror(cause)));
}

UdpSender::UdpSender(UdpSender&& other) noexcept : socket_{std::exchange(other.socket_, -1)} {}

UdpSender& UdpSender::operator=(UdpSender&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

UdpSender::~UdpSender() {
  if (socket_ >= 0) ::close(socket_);
}

bool UdpSender::send(std::span<const std::uint8_t> payload) {
  return ::send(socket_, payload.data(), payload.size(), 0) == static_cast<ssize_t>(payload.size());
}

}  // namespace wan::dataplane
