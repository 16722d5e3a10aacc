#include "dataplane/srv6.h"

#include <algorithm>
#include <cstring>

#include "dataplane/big_endian.h"

namespace wan::dataplane {
namespace {

constexpr std::uint8_t kRoutingProtocol = 43;
constexpr std::uint8_t kSegmentRoutingType = 4;
constexpr std::uint8_t kIpv4InIpv6 = 4;
constexpr std::uint8_t kIpv6InIpv6 = 41;
constexpr std::uint8_t kOuterHopLimit = 64;
constexpr std::size_t kPayloadMax = 65535;

// Offsets in the IPv6 header and in the segment routing header (RFC 8200 section 3, RFC 8754 section 2).
constexpr std::size_t kPayloadLength = 4, kNextHeader = 6, kHopLimit = 7, kSource = 8, kDestination = 24;
constexpr std::size_t kRoutingLength = 1, kRoutingType = 2, kSegmentsLeft = 3, kLastEntry = 4, kSegmentList = 8;

}  // namespace

OuterHeaders::OuterHeaders(const Sid& source, std::span<const IpAddress> segments) {
  std::uint8_t* ip = bytes_.data();
  ip[0] = 0x60;
  ip[kHopLimit] = kOuterHopLimit;
  std::copy(source.begin(), source.end(), ip + kSource);
  std::copy_n(segments.front().bytes().begin(), 16, ip + kDestination);
  size_ = kIpv6HeaderBytes;
  const std::size_t listed = segments.size() - 1;
  if (listed == 0) return;
  ip[kNextHeader] = kRoutingProtocol;
  std::uint8_t* routing = ip + kIpv6HeaderBytes;
  routing[kRoutingLength] = static_cast<std::uint8_t>(2 * listed);
  routing[kRoutingType] = kSegmentRoutingType;
  routing[kSegmentsLeft] = static_cast<std::uint8_t>(listed);
  routing[kLastEntry] = static_cast<std::uint8_t>(listed - 1);
  for (std::size_t i = 0; i < listed; ++i) {
    std::copy_n(segments[segments.size() - 1 - i].bytes().begin(), 16, routing + kSegmentList + 16 * i);
  }
  size_ += static_cast<std::uint32_t>(kSegmentList + 16 * listed);
}

Sid OuterHeaders::first_segment() const {
  Sid sid{};
  std::copy_n(bytes_.begin() + kDestination, 16, sid.begin());
  return sid;
}

bool OuterHeaders::push(PacketBuffer& packet, std::uint8_t inner_protocol, std::uint8_t traffic_class,
                        std::uint32_t flow_label) const {
  const std::size_t payload = packet.length + size_ - kIpv6HeaderBytes;
  if (payload > kPayloadMax || !packet.prepend(size_)) return false;
  std::uint8_t* ip = packet.data;
  std::memcpy(ip, bytes_.data(), size_);
  store_be32(ip, 0x60000000U | (std::uint32_t{traffic_class} << 20) | (flow_label & 0xfffffU));
  store_be16(ip + kPayloadLength, static_cast<std::uint16_t>(payload));
  ip[size_ == kIpv6HeaderBytes ? kNextHeader : kIpv6HeaderBytes] = inner_protocol;
  return true;
}

SegmentPacket parse_segment_packet(std::span<const std::uint8_t> packet) {
  SegmentPacket found;
  const std::uint8_t next = packet[kNextHeader];
  if (next == kIpv4InIpv6 || next == kIpv6InIpv6) {
    found.kind = SegmentPacket::Kind::kInner;
    found.inner_protocol = next;
    return found;
  }
  if (next != kRoutingProtocol) return found;
  found.kind = SegmentPacket::Kind::kMalformed;
  const auto header = packet.subspan(kIpv6HeaderBytes);
  if (header.size() < kSegmentList) return found;
  if (header[kRoutingType] != kSegmentRoutingType) {
    found.kind = SegmentPacket::Kind::kOther;
    return found;
  }
  RoutingHeader routing{.offset = kIpv6HeaderBytes,
                        .size = 8 + 8 * std::size_t{header[kRoutingLength]},
                        .next_header = header[0],
                        .segments_left = header[kSegmentsLeft],
                        .last_entry = header[kLastEntry]};
  // The list must lie within the header, and the next segment within the list (a reduced list is one short).
  const std::size_t list_end = kSegmentList + 16 * (std::size_t{routing.last_entry} + 1);
  if (routing.size > header.size() || list_end > routing.size ||
      std::size_t{routing.segments_left} > std::size_t{routing.last_entry} + 1) {
    return found;
  }
  found.kind = SegmentPacket::Kind::kRouting;
  found.routing = routing;
  found.inner_protocol = routing.next_header;
  return found;
}

void advance_segment(PacketBuffer& packet, const RoutingHeader& routing) {
  std::uint8_t* ip = packet.data;
  std::uint8_t* header = ip + routing.offset;
  const std::uint8_t left = static_cast<std::uint8_t>(routing.segments_left - 1);
  header[kSegmentsLeft] = left;
  std::memcpy(ip + kDestination, header + kSegmentList + 16 * std::size_t{left}, 16);
  if (left > 0) return;
  // PSP: the IPv6 header moves over the routing header.
  const std::uint16_t payload = load_be16(ip + kPayloadLength);
  ip[kNextHeader] = routing.next_header;
  store_be16(ip + kPayloadLength, static_cast<std::uint16_t>(payload - routing.size));
  std::memmove(ip + routing.size, ip, kIpv6HeaderBytes);
  packet.trim_front(static_cast<std::uint32_t>(routing.size));
}

}  // namespace wan::dataplane
