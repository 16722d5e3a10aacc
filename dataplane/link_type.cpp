#include "dataplane/link_type.h"

#include <algorithm>

namespace wan::dataplane {
namespace {

enum LinkType : std::uint16_t {
  kBsdNull = 0,
  kEthernet = 1,
  kPpp = 9,
  kRawOfSomeSystems = 12,
  kRawOfOpenBsd = 14,
  kPppInHdlc = 50,
  kRaw = 101,
  kCiscoHdlc = 104,
  kBsdLoop = 108,
  kLinuxCooked = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxCooked2 = 276,
};

constexpr std::uint16_t kIpv4Type = 0x0800;
constexpr std::uint16_t kIpv6Type = 0x86dd;
constexpr std::uint16_t kMplsType = 0x8847;

std::uint16_t u16(std::span<const std::uint8_t> frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

PacketView without_ip(std::span<const std::uint8_t> frame, PacketStatus status) {
  PacketView view;
  view.bytes = frame.data();
  view.size = static_cast<std::uint32_t>(std::min<std::size_t>(frame.size(), 0xffffffff));
  view.status = status;
  return view;
}

/// A link header of `length` bytes with an EtherType at `type_at`.
PacketView behind(std::span<const std::uint8_t> frame, std::size_t length, std::size_t type_at) {
  if (frame.size() < length) return without_ip(frame, PacketStatus::kMalformed);
  return parse_ethertype(frame, length, u16(frame, type_at));
}

/// Four bytes of address family, in the byte order of the machine that captured (null) or of the network (loop).
PacketView behind_family(std::span<const std::uint8_t> frame) {
  if (frame.size() < 4) return without_ip(frame, PacketStatus::kMalformed);
  const unsigned family = frame[0] != 0 ? frame[0] : frame[3];
  if (family == 2) return parse_ethertype(frame, 4, kIpv4Type);
  if (family == 10 || family == 24 || family == 28 || family == 30) return parse_ethertype(frame, 4, kIpv6Type);
  return without_ip(frame, PacketStatus::kNotIp);
}

/// PPP with or without its address and control bytes, the protocol in one byte or two (RFC 1661).
PacketView behind_ppp(std::span<const std::uint8_t> frame) {
  std::size_t at = frame.size() >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  if (frame.size() < at + 2) return without_ip(frame, PacketStatus::kMalformed);
  const bool short_form = (frame[at] & 1) != 0;
  const std::uint16_t protocol = short_form ? frame[at] : u16(frame, at);
  at += short_form ? 1 : 2;
  if (protocol == 0x0021) return parse_ethertype(frame, at, kIpv4Type);
  if (protocol == 0x0057) return parse_ethertype(frame, at, kIpv6Type);
  if (protocol == 0x0281) return parse_ethertype(frame, at, kMplsType);
  return without_ip(frame, PacketStatus::kNotIp);
}

}  // namespace

PacketView parse_link(std::uint16_t link_type, std::span<const std::uint8_t> frame) {
  switch (link_type) {
    case kEthernet:
      return parse_ethernet(frame);
    case kRaw:
    case kRawOfSomeSystems:
    case kRawOfOpenBsd:
    case kIpv4:
    case kIpv6:
      return parse_ip(frame);
    case kLinuxCooked:
      return behind(frame, 16, 14);
    case kLinuxCooked2:
      return behind(frame, 20, 0);
    case kCiscoHdlc:
      return behind(frame, 4, 2);
    case kBsdNull:
    case kBsdLoop:
      return behind_family(frame);
    case kPpp:
      return behind_ppp(frame);
    case kPppInHdlc:  // an address of 0x0f or 0x8f is Cisco's framing
      return !frame.empty() && (frame[0] == 0x0f || frame[0] == 0x8f) ? behind(frame, 4, 2) : behind_ppp(frame);
    default:
      return without_ip(frame, PacketStatus::kNotIp);
  }
}

}  // namespace wan::dataplane
