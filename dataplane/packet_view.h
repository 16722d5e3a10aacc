#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/flow_record.h"

namespace wan::dataplane {

enum class PacketStatus : std::uint8_t {
  kIp,        ///< an IPv4 or IPv6 header was reached and is sound
  kNotIp,     ///< something else (ARP, LLDP, an unknown link type), or IP deeper than this parser looks
  kMalformed  ///< the bytes end inside a header, or a header contradicts itself
};

/// What one frame says of itself: offsets into its bytes and the fields that metering and forwarding need.
///
/// Borrows the bytes; never allocates. Every offset lies within `size` and counts from the frame's first byte. Behind
/// `l4_offset` there are at least the ports (ICMP: type and code), not necessarily the whole transport header.
/// It describes the outermost IP packet; what that carries in turn (GRE, VXLAN, IP in IP) is its payload.
struct PacketView {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t size = 0;  ///< bytes captured, link layer included

  PacketStatus status = PacketStatus::kNotIp;
  std::uint8_t ip_version = 0;     ///< 4 or 6; what follows is valid only with status kIp
  std::uint8_t protocol = 0;       ///< behind the IPv6 extension headers
  std::uint8_t traffic_class = 0;  ///< DSCP and ECN
  std::uint8_t hop_limit = 0;      ///< or TTL
  std::uint8_t vlan_tags = 0;
  std::uint8_t mpls_labels = 0;
  bool more_fragments = false;
  /// False when the extension headers run out of bytes or number more than eight: `protocol` is where reading stopped.
  bool headers_complete = false;

  std::uint16_t link_length = 0;       ///< Ethernet (or other link) header with its VLAN tags, without MPLS or PPPoE
  std::uint16_t ethertype = 0;         ///< after the VLAN tags; 0 where the link layer has none
  std::uint16_t l3_offset = 0;         ///< where the IP header begins, behind MPLS and PPPoE
  std::uint16_t ip_header_length = 0;  ///< IPv4 with options; IPv6: 40
  std::uint16_t l4_offset = 0;         ///< 0: later fragment, or not within the captured bytes
  std::uint16_t srh_offset = 0;        ///< IPv6 segment routing header (RFC 8754); 0: none
  std::uint16_t fragment_offset = 0;   ///< in bytes
  std::uint16_t source_port = 0;       ///< 0 where the protocol has none, and in later fragments
  std::uint16_t destination_port = 0;  ///< ICMP: type x 256 + code
  std::uint16_t tcp_flags = 0;
  std::uint32_t fragment_id = 0;  ///< IPv4 identification (always), IPv6 fragment header's (else 0)
  std::uint32_t ip_length = 0;  ///< what the IP header claims: IPv4 total length; IPv6 40 + payload (jumbo option too)
  std::uint32_t ip_captured = 0;  ///< of those, how many are here; padding does not count

  /// All that the header claims is here. Offloading hosts capture IPv4 packets with a claimed length of 0: not whole.
  [[nodiscard]] bool whole() const { return ip_length >= ip_header_length && ip_captured == ip_length; }
  [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
};

/// Reads a frame that starts with an Ethernet header: up to four VLAN tags (0x8100, 0x88a8, 0x9100; VN-tag), an MPLS
/// stack of up to 16 labels, a PPPoE session or LLC/SNAP; then IP as `parse_ip` does.
///
/// Threads: reentrant.  Cost: no allocation, at most one pass over the headers (tests/bench/flow_table_bench.cpp).
/// Source: IEEE 802.1Q, RFC 3032, RFC 2516
[[nodiscard]] PacketView parse_ethernet(std::span<const std::uint8_t> frame);

/// Reads a packet that starts with an IPv4 or IPv6 header, whichever its first nibble says.
///
/// Fragments keep their header's fields; only the first one has ports. IPv6 hop-by-hop, routing, destination, fragment
/// and authentication headers are followed, eight at most.
/// Source: RFC 791, RFC 8200, RFC 4302, RFC 8754, RFC 2675
[[nodiscard]] PacketView parse_ip(std::span<const std::uint8_t> packet);

/// Reads what an EtherType announces at `offset`, the end of a link header: IP, VLAN tags, MPLS, PPPoE.
///
/// @param offset  at most the frame's size and 1,024
[[nodiscard]] PacketView parse_ethertype(std::span<const std::uint8_t> frame, std::size_t offset,
                                         std::uint16_t ethertype);

/// A flow's identity as the flow table keeps it: 40 bytes without a gap, an IPv4 address in the first four of 16.
struct alignas(8) PackedFlowKey {
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t protocol = 0;
  std::uint8_t ip_version = 4;
  std::uint16_t zero = 0;
  bool operator==(const PackedFlowKey&) const = default;
};
static_assert(sizeof(PackedFlowKey) == 40);

/// The flow a packet belongs to; the view's status is kIp.
[[nodiscard]] PackedFlowKey packed_flow_key(const PacketView& packet);
[[nodiscard]] FlowKey flow_key(const PacketView& packet);
[[nodiscard]] FlowKey unpack(const PackedFlowKey& key);
[[nodiscard]] PackedFlowKey pack(const FlowKey& key);

}  // namespace wan::dataplane
