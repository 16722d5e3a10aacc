#include "dataplane/flow_observation.h"

#include <bit>
#include <cstring>

#include "dataplane/big_endian.h"
#include "dataplane/link_type.h"

namespace wan::dataplane {
namespace {

constexpr std::uint16_t kEthernetLink = 1;
constexpr std::size_t kIp = 14;
constexpr std::size_t kIpv4Transport = kIp + 20;
constexpr std::size_t kIpv6Transport = kIp + 40;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

/// An IPv4 address in the first 4 of 16 bytes, written at once: a later read of all 16 need not wait for small writes.
void put_ipv4(std::array<std::uint8_t, 16>& address, const std::uint8_t* from) {
  std::uint32_t word = 0;
  std::memcpy(&word, from, sizeof word);
  std::array<std::uint64_t, 2> words{word, 0};
  if constexpr (std::endian::native == std::endian::big) words[0] <<= 32;
  std::memcpy(address.data(), words.data(), sizeof words);
}

/// Ports and flags; false when the packet is too short for them.
bool put_transport(std::uint8_t protocol, const std::uint8_t* header, std::size_t left, std::uint8_t version,
                   FlowObservation& seen) {
  const bool tcp = protocol == kTcp;
  if (!tcp && protocol != kUdp) return false;
  if (left < (tcp ? 14U : 4U)) return false;
  seen.key.source_port = load_be16(header);
  seen.key.destination_port = load_be16(header + 2);
  seen.key.protocol = protocol;
  seen.key.ip_version = version;
  seen.key.zero = 0;
  seen.tcp_flags = tcp ? load_be16(header + 12) & 0x0fff : 0;
  return true;
}

bool short_ipv4(std::span<const std::uint8_t> frame, FlowObservation& seen) {
  const std::uint8_t* ip = frame.data() + kIp;
  if (frame.size() < kIpv4Transport || ip[0] != 0x45 || (load_be16(ip + 6) & 0x3fff) != 0) return false;
  const std::size_t length = load_be16(ip + 2);
  if (length < 20 || length > frame.size() - kIp) return false;
  if (!put_transport(ip[9], ip + 20, length - 20, 4, seen)) return false;
  put_ipv4(seen.key.source, ip + 12);
  put_ipv4(seen.key.destination, ip + 16);
  seen.ip_length = static_cast<std::uint32_t>(length);
  seen.traffic_class = ip[1];
  return true;
}

bool short_ipv6(std::span<const std::uint8_t> frame, FlowObservation& seen) {
  const std::uint8_t* ip = frame.data() + kIp;
  if (frame.size() < kIpv6Transport || ip[0] >> 4 != 6) return false;
  const std::size_t payload = load_be16(ip + 4);
  if (payload > frame.size() - kIpv6Transport) return false;
  if (!put_transport(ip[6], ip + 40, payload, 6, seen)) return false;
  std::memcpy(seen.key.source.data(), ip + 8, 16);
  std::memcpy(seen.key.destination.data(), ip + 24, 16);
  seen.ip_length = static_cast<std::uint32_t>(40 + payload);
  seen.traffic_class = static_cast<std::uint8_t>(load_be16(ip) >> 4);
  return true;
}

}  // namespace

FlowObservation observe(const PacketView& packet, std::int64_t time_ns) {
  FlowObservation seen;
  seen.key = packed_flow_key(packet);
  seen.time_ns = time_ns;
  seen.ip_length = packet.ip_length == 0 ? packet.ip_captured : packet.ip_length;
  seen.tcp_flags = packet.tcp_flags;
  seen.traffic_class = packet.traffic_class;
  return seen;
}

PacketStatus observe_frame(std::uint16_t link_type, std::span<const std::uint8_t> frame, std::int64_t time_ns,
                           FlowObservation& seen) {
  if (link_type == kEthernetLink && frame.size() >= kIpv4Transport) {
    const std::uint16_t type = load_be16(frame.data() + 12);
    if ((type == 0x0800 && short_ipv4(frame, seen)) || (type == 0x86dd && short_ipv6(frame, seen))) {
      seen.time_ns = time_ns;
      return PacketStatus::kIp;
    }
  }
  const PacketView view = parse_link(link_type, frame);
  if (view.status == PacketStatus::kIp) seen = observe(view, time_ns);
  return view.status;
}

}  // namespace wan::dataplane
