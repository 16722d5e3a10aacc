#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ip_address.h"

namespace wan::dataplane {

using MacAddress = std::array<std::uint8_t, 6>;

/// One port as forwarding sees it.
struct PortFacts {
  struct Address {
    IpAddress address;
    std::uint8_t prefix_length = 0;
  };
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 1500;  ///< of IP packets
  std::vector<Address> addresses;
  std::optional<IpAddress> neighbor;  ///< a core port: the router at its other end; none: customers' hosts

  [[nodiscard]] bool is_core() const { return neighbor.has_value(); }
};

/// What a node is, from its configuration; fixed while it runs.
struct NodeFacts {
  static constexpr std::size_t kPortsMax = 64;

  std::string name;
  IpPrefix locator;              ///< IPv6, at most 64 bits
  std::vector<PortFacts> ports;  ///< at most `kPortsMax`

  /// The segment `LOCATOR::LOW` of this node: End is 1, End.DT46 is 0x46.
  [[nodiscard]] IpAddress segment(std::uint16_t low) const {
    auto bytes = locator.address.bytes();
    bytes[14] = static_cast<std::uint8_t>(low >> 8);
    bytes[15] = static_cast<std::uint8_t>(low);
    return IpAddress::v6(bytes);
  }
  [[nodiscard]] IpAddress end_sid() const { return segment(0x1); }
  [[nodiscard]] IpAddress decapsulation_sid() const { return segment(0x46); }
  [[nodiscard]] std::optional<std::size_t> find_port(std::string_view port) const {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].name == port) return i;
    }
    return std::nullopt;
  }
};

}  // namespace wan::dataplane
