#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"

namespace wan::dataplane {

/// A UDP socket connected to one collector. Moved, not copied; closed at the end.
class UdpSender {
 public:
  /// @param destination  `host:port`, `192.0.2.1:4739`, `[2001:db8::1]:4739`
  /// @error kBadInput: not of that form; kNotFound: the host has no address; kIo: no socket
  [[nodiscard]] static Result<UdpSender> connect(const std::string& destination);

  UdpSender(UdpSender&& other) noexcept;
  UdpSender& operator=(UdpSender&& other) noexcept;
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;
  ~UdpSender();

  /// False when the system refused it, for one because nobody listens there.
  [[nodiscard]] bool send(std::span<const std::uint8_t> payload);

 private:
  explicit UdpSender(int socket) : socket_{socket} {}
  int socket_ = -1;
};

}  // namespace wan::dataplane
