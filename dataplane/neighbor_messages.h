#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ip_address.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

/// An ARP packet or an IPv6 neighbour solicitation or advertisement, checked.
struct NeighborMessage {
  enum class Kind { kRequest, kReply };
  Kind kind = Kind::kRequest;
  IpAddress sender;  ///< unspecified: the sender checks whether its address is free
  IpAddress target;  ///< what is asked for, or told of
  MacAddress
      mac{};  ///< the sender's (request) or the target's (reply); of the Ethernet header where no option gives it
};

/// Reads a frame that starts at its Ethernet header.
/// @return  nothing: another message, or one that breaks RFC 826 or RFC 4861 (hop limit not 255, wrong checksum, ...)
[[nodiscard]] std::optional<NeighborMessage> parse_neighbor_message(std::span<const std::uint8_t> frame);

/// Who has `target`? As a frame; for IPv6 to the solicited-node group, or to `known` when that is to be confirmed.
/// @param source  an address of this port, of the target's family
[[nodiscard]] std::vector<std::uint8_t> neighbor_request(const MacAddress& own, const IpAddress& source,
                                                         const IpAddress& target, const MacAddress* known);
/// The answer to a request for `address`, which is ours.
[[nodiscard]] std::vector<std::uint8_t> neighbor_reply(const MacAddress& own, const IpAddress& address,
                                                       const NeighborMessage& request);

/// The Internet checksum over bytes, on top of a sum so far; not yet complemented.
[[nodiscard]] std::uint32_t checksum_add(std::span<const std::uint8_t> bytes, std::uint32_t sum);
[[nodiscard]] std::uint16_t checksum_finish(std::uint32_t sum);
/// Of an upper-layer packet over IPv6, with the pseudo header (RFC 8200, section 8.1); 0 over a sound packet.
[[nodiscard]] std::uint16_t ipv6_checksum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                          std::span<const std::uint8_t> upper);

}  // namespace wan::dataplane
