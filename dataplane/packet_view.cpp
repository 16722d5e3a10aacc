#include "dataplane/packet_view.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace wan::dataplane {
namespace {

constexpr std::size_t kEthernetLength = 14;
constexpr int kVlanTagsMax = 4;
constexpr int kMplsLabelsMax = 16;
constexpr int kExtensionHeadersMax = 8;
constexpr std::size_t kIpv4Length = 20;
constexpr std::size_t kIpv6Length = 40;

constexpr std::uint16_t kIpv4Type = 0x0800;
constexpr std::uint16_t kIpv6Type = 0x86dd;
constexpr std::uint16_t kVnTag = 0x8926;
constexpr std::uint16_t kMpls = 0x8847;
constexpr std::uint16_t kMplsUpstream = 0x8848;
constexpr std::uint16_t kPppoeSession = 0x8864;
constexpr std::uint16_t kPppIpv4 = 0x0021;
constexpr std::uint16_t kPppIpv6 = 0x0057;
constexpr std::uint16_t kPppMpls = 0x0281;

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kIcmpV6 = 58;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kUdpLite = 136;
constexpr std::uint8_t kSegmentRouting = 4;
constexpr std::uint8_t kJumboOption = 0xc2;

std::uint16_t u16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }
std::uint32_t u32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(u16(at)) << 16 | static_cast<std::uint32_t>(u16(at + 2));
}
std::uint16_t narrow(std::size_t offset) { return static_cast<std::uint16_t>(offset); }

bool is_vlan(std::uint16_t type) { return type == 0x8100 || type == 0x88a8 || type == 0x9100; }

/// Ports, ICMP type and TCP flags at `at`; `end` is where the packet's own bytes end.
inline void read_transport(PacketView& view, std::size_t at, std::size_t end) {
  if (at > end) return;
  const std::uint8_t* header = view.bytes + at;
  const std::size_t left = end - at;
  switch (view.protocol) {
    case kTcp:
      if (left >= 14) view.tcp_flags = u16(header + 12) & 0x0fff;
      [[fallthrough]];
    case kUdp:
    case kSctp:
    case kDccp:
    case kUdpLite:
      if (left < 4) return;
      view.source_port = u16(header);
      view.destination_port = u16(header + 2);
      break;
    case kIcmp:
    case kIcmpV6:
      if (left < 2) return;
      view.destination_port = u16(header);
      break;
    default:
      if (left == 0) return;
  }
  view.l4_offset = narrow(at);
}

inline void read_ipv4(PacketView& view, std::size_t at) {
  const std::uint8_t* header = view.bytes + at;
  const std::size_t here = view.size - at;
  view.status = PacketStatus::kMalformed;
  if (here < kIpv4Length || header[0] >> 4 != 4) return;
  const std::size_t header_length = std::size_t{4} * (header[0] & 15U);
  const std::size_t claimed = u16(header + 2);
  if (header_length < kIpv4Length || header_length > here) return;
  if (claimed != 0 && claimed < header_length) return;  // 0: the network card cuts it up later (segmentation offload)
  const std::uint16_t fragment = u16(header + 6);
  view.status = PacketStatus::kIp;
  view.ip_version = 4;
  view.l3_offset = narrow(at);
  view.ip_header_length = narrow(header_length);
  view.ip_length = static_cast<std::uint32_t>(claimed);
  const std::size_t captured = claimed == 0 ? here : std::min(here, claimed);
  view.ip_captured = static_cast<std::uint32_t>(captured);
  view.traffic_class = header[1];
  view.fragment_id = u16(header + 4);
  view.more_fragments = (fragment & 0x2000) != 0;
  view.fragment_offset = narrow((fragment & 0x1fffU) * 8U);
  view.hop_limit = header[8];
  view.protocol = header[9];
  view.headers_complete = true;
  if (view.fragment_offset == 0) read_transport(view, at + header_length, at + captured);
}

/// The length that a jumbo payload option at the front of hop-by-hop options gives (RFC 2675), or 0.
std::uint32_t jumbo_length(const std::uint8_t* options, std::size_t left) {
  return left >= 8 && options[2] == kJumboOption && options[3] == 4 ? u32(options + 4) : 0;
}

/// Follows the extension headers from `next` until a transport header, or until bytes or patience end.
void read_extensions(PacketView& view, std::uint8_t next, std::size_t at, std::size_t end) {
  for (int count = 0; count <= kExtensionHeadersMax; ++count) {
    view.protocol = next;
    const bool known = next == kHopByHop || next == kRouting || next == kFragment || next == kAuthentication ||
                       next == kDestinationOptions;
    if (!known) {
      view.headers_complete = true;
      return read_transport(view, at, end);
    }
    if (count == kExtensionHeadersMax || end - at < 8) return;
    const std::uint8_t* header = view.bytes + at;
    std::size_t length = 8 + std::size_t{8} * header[1];
    if (next == kAuthentication) length = 8 + std::size_t{4} * header[1];
    if (next == kFragment) length = 8;
    if (end - at < length) return;
    if (next == kRouting && header[2] == kSegmentRouting && view.srh_offset == 0) view.srh_offset = narrow(at);
    next = header[0];
    at += length;
    if (view.protocol != kFragment) continue;
    view.fragment_offset = u16(header + 2) & 0xfff8;
    view.more_fragments = (header[3] & 1) != 0;
    view.fragment_id = u32(header + 4);
    if (view.fragment_offset != 0) {  // what follows is payload, whatever `next` says
      view.protocol = next;
      view.headers_complete = true;
      return;
    }
  }
}

inline void read_ipv6(PacketView& view, std::size_t at) {
  const std::uint8_t* header = view.bytes + at;
  const std::size_t here = view.size - at;
  view.status = PacketStatus::kMalformed;
  if (here < kIpv6Length || header[0] >> 4 != 6) return;
  view.status = PacketStatus::kIp;
  view.ip_version = 6;
  view.l3_offset = narrow(at);
  view.ip_header_length = kIpv6Length;
  view.traffic_class = static_cast<std::uint8_t>(u16(header) >> 4);
  view.hop_limit = header[7];
  const std::size_t payload = u16(header + 4);
  std::size_t claimed = kIpv6Length + payload;
  const std::uint8_t next = header[6];
  if (payload == 0 && next == kHopByHop) claimed += jumbo_length(header + kIpv6Length, here - kIpv6Length);
  claimed = std::min<std::size_t>(claimed, 0xffffffff);
  const std::size_t captured = std::min(here, claimed);
  view.ip_length = static_cast<std::uint32_t>(claimed);
  view.ip_captured = static_cast<std::uint32_t>(captured);
  read_extensions(view, next, at + kIpv6Length, at + captured);
}

PacketView malformed(PacketView view) {
  view.status = PacketStatus::kMalformed;
  return view;
}

/// IP by its first nibble, as behind MPLS labels or on raw links; anything else is not IP.
PacketView read_by_nibble(PacketView view, std::size_t at) {
  if (at >= view.size) return malformed(view);
  const int version = view.bytes[at] >> 4;
  if (version == 4) read_ipv4(view, at);
  if (version == 6) read_ipv6(view, at);
  return view;
}

PacketView read_mpls(PacketView view, std::size_t at) {
  for (int label = 0; label < kMplsLabelsMax; ++label) {
    if (view.size - at < 4) return malformed(view);
    const bool bottom = (view.bytes[at + 2] & 1) != 0;
    at += 4;
    ++view.mpls_labels;
    if (bottom) return read_by_nibble(view, at);
  }
  return view;
}

PacketView read_pppoe(PacketView view, std::size_t at) {
  if (view.size - at < 8) return malformed(view);
  const std::uint8_t* header = view.bytes + at;
  if (header[0] != 0x11 || header[1] != 0) return view;
  const std::uint16_t protocol = u16(header + 6);
  at += 8;
  if (protocol == kPppIpv4) read_ipv4(view, at);
  if (protocol == kPppIpv6) read_ipv6(view, at);
  if (protocol == kPppMpls) return read_mpls(view, at);
  return view;
}

PacketView read_tagged(PacketView view, std::size_t at, std::uint16_t type) {
  for (int tag = 0; is_vlan(type) || type == kVnTag; ++tag) {
    if (tag == kVlanTagsMax) return view;
    const std::size_t length = type == kVnTag ? 6 : 4;
    if (view.size - at < length) return malformed(view);
    at += length;
    type = u16(view.bytes + at - 2);
    ++view.vlan_tags;
  }
  if (type < 0x0600 && view.size - at >= 8) {  // a length: IEEE 802.3, where LLC/SNAP may carry an EtherType
    static constexpr std::uint8_t kSnap[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (std::memcmp(view.bytes + at, kSnap, sizeof kSnap) == 0) {
      type = u16(view.bytes + at + 6);
      at += 8;
    }
  }
  view.link_length = narrow(at);
  view.ethertype = type;
  switch (type) {
    case kIpv4Type:
      read_ipv4(view, at);
      return view;
    case kIpv6Type:
      read_ipv6(view, at);
      return view;
    case kMpls:
    case kMplsUpstream:
      return read_mpls(view, at);
    case kPppoeSession:
      return read_pppoe(view, at);
    default:
      return view;
  }
}

PacketView view_of(std::span<const std::uint8_t> bytes) {
  PacketView view;
  view.bytes = bytes.data();
  view.size = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), 0xffffffff));
  return view;
}

}  // namespace

PacketView parse_ethernet(std::span<const std::uint8_t> frame) {
  PacketView view = view_of(frame);
  if (view.size < kEthernetLength) return malformed(view);
  const std::uint16_t type = u16(view.bytes + 12);
  if (type != kIpv4Type && type != kIpv6Type) return read_tagged(view, kEthernetLength, type);
  view.link_length = kEthernetLength;
  view.ethertype = type;
  if (type == kIpv4Type) {
    read_ipv4(view, kEthernetLength);
  } else {
    read_ipv6(view, kEthernetLength);
  }
  return view;
}

PacketView parse_ip(std::span<const std::uint8_t> packet) { return read_by_nibble(view_of(packet), 0); }

PacketView parse_ethertype(std::span<const std::uint8_t> frame, std::size_t offset, std::uint16_t ethertype) {
  assert(offset <= frame.size() && offset <= 1024);
  return read_tagged(view_of(frame), offset, ethertype);
}

PackedFlowKey packed_flow_key(const PacketView& packet) {
  PackedFlowKey key;
  const std::uint8_t* header = packet.bytes + packet.l3_offset;
  if (packet.ip_version == 4) {
    std::memcpy(key.source.data(), header + 12, 4);
    std::memcpy(key.destination.data(), header + 16, 4);
  } else {
    std::memcpy(key.source.data(), header + 8, 16);
    std::memcpy(key.destination.data(), header + 24, 16);
  }
  key.source_port = packet.source_port;
  key.destination_port = packet.destination_port;
  key.protocol = packet.protocol;
  key.ip_version = packet.ip_version;
  return key;
}

FlowKey unpack(const PackedFlowKey& key) {
  FlowKey flow;
  if (key.ip_version == 6) {
    flow.source = IpAddress::v6(key.source);
    flow.destination = IpAddress::v6(key.destination);
  } else {
    flow.source = IpAddress::v4({key.source[0], key.source[1], key.source[2], key.source[3]});
    flow.destination = IpAddress::v4({key.destination[0], key.destination[1], key.destination[2], key.destination[3]});
  }
  flow.source_port = key.source_port;
  flow.destination_port = key.destination_port;
  flow.protocol = key.protocol;
  return flow;
}

PackedFlowKey pack(const FlowKey& key) {
  PackedFlowKey packed;
  packed.source = key.source.bytes();
  packed.destination = key.destination.bytes();
  packed.source_port = key.source_port;
  packed.destination_port = key.destination_port;
  packed.protocol = key.protocol;
  packed.ip_version = key.source.is_v6() ? 6 : 4;
  return packed;
}

FlowKey flow_key(const PacketView& packet) { return unpack(packed_flow_key(packet)); }

}  // namespace wan::dataplane
