#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/ip_address.h"
#include "dataplane/packet_buffer.h"

namespace wan::dataplane {

inline constexpr std::size_t kIpv6HeaderBytes = 40;
inline constexpr std::size_t kSegmentsMax = 16;
/// The outer headers of the longest segment list: IPv6, routing header, all SIDs but the first.
inline constexpr std::size_t kOuterBytesMax = kIpv6HeaderBytes + 8 + 16 * (kSegmentsMax - 1);

using Sid = std::array<std::uint8_t, 16>;

/// The outer headers of one segment list, made once and copied in front of each packet (H.Encaps.Red, RFC 8986 5.2).
///
/// The first SID is the destination; the others stand reversed in a segment routing header, which a list of one SID
/// does without.
class OuterHeaders {
 public:
  OuterHeaders() = default;
  /// @param segments  1 to `kSegmentsMax`, all IPv6
  OuterHeaders(const Sid& source, std::span<const IpAddress> segments);

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] Sid first_segment() const;

  /// Puts the headers in front of an IP packet that starts at `packet.data`.
  /// @param inner_protocol  4 (IPv4) or 41 (IPv6)
  /// @param traffic_class   the inner packet's
  /// @param flow_label      20 bits, the same for all packets of a flow
  /// @return                false, nothing changed: no room in front, or the packet would pass 65,535 bytes
  [[nodiscard]] bool push(PacketBuffer& packet, std::uint8_t inner_protocol, std::uint8_t traffic_class,
                          std::uint32_t flow_label) const;

 private:
  std::array<std::uint8_t, kOuterBytesMax> bytes_{};
  std::uint32_t size_ = 0;
};

/// The routing header of an IPv6 packet, checked against the bytes that are there.
struct RoutingHeader {
  std::size_t offset = 0;  ///< from the IPv6 header
  std::size_t size = 0;
  std::uint8_t next_header = 0;
  std::uint8_t segments_left = 0;
  std::uint8_t last_entry = 0;
};

/// What an IPv6 packet that is addressed to a segment of ours holds.
struct SegmentPacket {
  enum class Kind {
    kRouting,  ///< a segment routing header follows the IPv6 header
    kInner,    ///< an IP packet follows the IPv6 header
    kOther,    ///< something that no segment of ours takes
    kMalformed,
  };
  Kind kind = Kind::kOther;
  RoutingHeader routing;            ///< kRouting
  std::uint8_t inner_protocol = 0;  ///< kInner, and kRouting without segments left: 4, 41 or another
};

/// Takes the headers after the IPv6 header apart, as far as segments need.
/// @param packet  starts at an IPv6 header of at least 40 bytes, cut to the length that it claims
[[nodiscard]] SegmentPacket parse_segment_packet(std::span<const std::uint8_t> packet);

/// End: makes the next segment the destination. With PSP: the routing header goes when that was the last one.
/// @param packet   starts at the IPv6 header
/// @param routing  of it, segments left > 0
void advance_segment(PacketBuffer& packet, const RoutingHeader& routing);

}  // namespace wan::dataplane
