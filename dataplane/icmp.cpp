#include "dataplane/icmp.h"

#include "dataplane/big_endian.h"
#include "dataplane/neighbor_messages.h"
#include "dataplane/packet_view.h"

namespace wan::dataplane {
namespace {

constexpr std::uint8_t kIcmpv4 = 1, kIcmpv6 = 58, kHopLimit = 64;
constexpr std::size_t kQuotedMaxV4 = 548;   // the whole error within 576 bytes (RFC 1812, section 4.3.2.3)
constexpr std::size_t kQuotedMaxV6 = 1232;  // within the least IPv6 MTU, 1,280

IpAddress address_at(const std::uint8_t* at, bool v6) {
  if (!v6) return IpAddress::v4({at[0], at[1], at[2], at[3]});
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(at, 16, bytes.begin());
  return IpAddress::v6(bytes);
}
IpAddress source_of(const PacketView& view) {
  return address_at(view.bytes + view.l3_offset + (view.ip_version == 4 ? 12 : 8), view.ip_version == 6);
}
IpAddress destination_of(const PacketView& view) {
  return address_at(view.bytes + view.l3_offset + (view.ip_version == 4 ? 16 : 24), view.ip_version == 6);
}

bool is_one_host(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (address == IpAddress{} || address == IpAddress::v6({})) return false;
  return address.is_v6() ? bytes[0] != 0xff : bytes[0] < 224;
}

bool is_icmp_error(const PacketView& view) {
  const unsigned type = view.destination_port >> 8;
  if (view.protocol == kIcmpv4) return view.l4_offset == 0 || (type != 8 && type != 0 && type != 13 && type != 14);
  if (view.protocol == kIcmpv6) return view.l4_offset == 0 || type < 128;
  return false;
}

std::vector<std::uint8_t> ip_packet(const IpAddress& source, const IpAddress& destination,
                                    std::span<const std::uint8_t> icmp) {
  const std::size_t header = source.is_v6() ? 40 : 20;
  std::vector<std::uint8_t> packet(header + icmp.size());
  std::uint8_t* ip = packet.data();
  if (source.is_v6()) {
    ip[0] = 0x60;
    store_be16(ip + 4, static_cast<std::uint16_t>(icmp.size()));
    ip[6] = kIcmpv6;
    ip[7] = kHopLimit;
    std::copy_n(source.bytes().begin(), 16, ip + 8);
    std::copy_n(destination.bytes().begin(), 16, ip + 24);
  } else {
    ip[0] = 0x45;
    store_be16(ip + 2, static_cast<std::uint16_t>(packet.size()));
    ip[6] = 0x40;  // not to be fragmented
    ip[8] = kHopLimit;
    ip[9] = kIcmpv4;
    std::copy_n(source.bytes().begin(), 4, ip + 12);
    std::copy_n(destination.bytes().begin(), 4, ip + 16);
    store_be16(ip + 10, checksum_finish(checksum_add({ip, header}, 0)));
  }
  std::copy(icmp.begin(), icmp.end(), packet.begin() + static_cast<std::ptrdiff_t>(header));
  return packet;
}

/// An ICMP message with its checksum, in an IP packet.
std::vector<std::uint8_t> message(const IpAddress& source, const IpAddress& destination,
                                  std::vector<std::uint8_t> icmp) {
  icmp[2] = icmp[3] = 0;
  store_be16(icmp.data() + 2, source.is_v6() ? ipv6_checksum(source, destination, kIcmpv6, icmp)
                                             : checksum_finish(checksum_add(icmp, 0)));
  return ip_packet(source, destination, icmp);
}

std::optional<std::vector<std::uint8_t>> error_about(std::span<const std::uint8_t> packet, const IpAddress& source,
                                                     std::uint8_t type_v4, std::uint8_t code_v4, std::uint8_t type_v6,
                                                     std::uint32_t parameter) {
  const PacketView view = parse_ip(packet);
  if (view.status != PacketStatus::kIp || view.fragment_offset != 0 || is_icmp_error(view)) return std::nullopt;
  const IpAddress to = source_of(view);
  if (!is_one_host(to) || !is_one_host(destination_of(view)) || to.is_v6() != source.is_v6()) return std::nullopt;
  const bool v6 = source.is_v6();
  const std::size_t quoted = std::min<std::size_t>(packet.size(), v6 ? kQuotedMaxV6 : kQuotedMaxV4);
  std::vector<std::uint8_t> icmp(8 + quoted);
  icmp[0] = v6 ? type_v6 : type_v4;
  icmp[1] = v6 ? std::uint8_t{0} : code_v4;
  store_be32(icmp.data() + 4, parameter);
  std::copy_n(packet.begin(), quoted, icmp.begin() + 8);
  return message(source, to, std::move(icmp));
}

}  // namespace

std::optional<std::vector<std::uint8_t>> time_exceeded(std::span<const std::uint8_t> packet, const IpAddress& source) {
  return error_about(packet, source, 11, 0, 3, 0);
}

std::optional<std::vector<std::uint8_t>> packet_too_big(std::span<const std::uint8_t> packet, const IpAddress& source,
                                                        std::uint32_t mtu) {
  return error_about(packet, source, 3, 4, 2, mtu);
}

std::optional<std::vector<std::uint8_t>> echo_reply(std::span<const std::uint8_t> packet) {
  const PacketView view = parse_ip(packet);
  if (view.status != PacketStatus::kIp || !view.whole() || view.is_fragment() || view.l4_offset == 0) {
    return std::nullopt;
  }
  const bool v6 = view.ip_version == 6;
  const auto icmp = packet.subspan(view.l4_offset, view.l3_offset + view.ip_length - view.l4_offset);
  if (view.protocol != (v6 ? kIcmpv6 : kIcmpv4) || icmp.size() < 8 || icmp[0] != (v6 ? 128 : 8)) return std::nullopt;
  const IpAddress to = source_of(view), from = destination_of(view);
  if (!is_one_host(to) || !is_one_host(from)) return std::nullopt;
  std::vector<std::uint8_t> reply(icmp.begin(), icmp.end());
  reply[0] = v6 ? 129 : 0;
  return message(from, to, std::move(reply));
}

}  // namespace wan::dataplane
