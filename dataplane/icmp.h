#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ip_address.h"
#include "core/units.h"

namespace wan::dataplane {

/// What a router tells the source of a packet that it could not send on, or that was for itself. As IP packets.
/// Never in answer to an ICMP error, a later fragment, or a packet from or to an address that is not one host's.

/// @param source  an address of ours, of the packet's family
[[nodiscard]] std::optional<std::vector<std::uint8_t>> time_exceeded(std::span<const std::uint8_t> packet,
                                                                     const IpAddress& source);
/// IPv4: fragmentation needed (RFC 1191); IPv6: packet too big (RFC 4443).
[[nodiscard]] std::optional<std::vector<std::uint8_t>> packet_too_big(std::span<const std::uint8_t> packet,
                                                                      const IpAddress& source, std::uint32_t mtu);
/// The answer to an echo request; nothing for any other packet.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> echo_reply(std::span<const std::uint8_t> packet);

/// Lets through so many events a second, and a burst of as many.
class RateLimit {
 public:
  explicit RateLimit(double per_second) : per_second_{per_second}, tokens_{per_second} {}
  [[nodiscard]] bool allow(Duration now) {
    tokens_ = std::min(per_second_, tokens_ + to_seconds(now - last_) * per_second_);
    last_ = now;
    if (tokens_ < 1.0) return false;
    tokens_ -= 1.0;
    return true;
  }

 private:
  double per_second_;
  double tokens_;
  Duration last_{0};
};

}  // namespace wan::dataplane
