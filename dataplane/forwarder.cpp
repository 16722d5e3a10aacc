#include "dataplane/forwarder.h"

#include <algorithm>
#include <cstring>

#include "dataplane/big_endian.h"

namespace wan::dataplane {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherIpv6 = 0x86dd;
constexpr std::uint8_t kProtocolIcmpv6 = 58, kProtocolIpv4 = 4, kProtocolIpv6 = 41;
constexpr int kSegmentsHereMax = 8;  // consecutive segments of this node that one packet may name

Verdict drop(DropReason reason) { return {.kind = Verdict::Kind::kDrop, .reason = reason, .next_hop = {}}; }

Verdict slow(Verdict::Slow what) { return {.kind = Verdict::Kind::kSlowPath, .slow = what, .next_hop = {}}; }

/// Dropped, counted, and the source is to be told.
Verdict expired() {
  Verdict verdict = slow(Verdict::Slow::kTtlExpired);
  verdict.reason = DropReason::kTtlExpired;
  return verdict;
}
Verdict too_big(std::uint32_t mtu) {
  Verdict verdict = slow(Verdict::Slow::kTooBig);
  verdict.reason = DropReason::kTooBig;
  verdict.mtu = mtu;
  return verdict;
}

std::span<const std::uint8_t> source_of(const std::uint8_t* ip, std::uint8_t version) {
  return version == 4 ? std::span{ip + 12, 4} : std::span{ip + 8, 16};
}
std::span<const std::uint8_t> destination_of(const std::uint8_t* ip, std::uint8_t version) {
  return version == 4 ? std::span{ip + 16, 4} : std::span{ip + 24, 16};
}
IpAddress address_of(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  std::array<std::uint8_t, 16> all{};
  std::copy(bytes.begin(), bytes.end(), all.begin());
  return IpAddress::v6(all);
}

/// Not one host elsewhere: multicast, broadcast, link-local, loopback, unspecified.
bool stays_on_link(std::span<const std::uint8_t> address) {
  if (address.size() == 4) {
    return address[0] >= 224 || address[0] == 0 || address[0] == 127 || (address[0] == 169 && address[1] == 254);
  }
  if (address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)) return true;
  return std::all_of(address.begin(), address.begin() + 15, [](std::uint8_t byte) { return byte == 0; });
}

/// Takes one from the TTL or hop limit, which is above 1; IPv4's checksum follows (RFC 1624).
void decrement_hops(std::uint8_t* ip, std::uint8_t version) {
  if (version == 6) {
    --ip[7];
    return;
  }
  --ip[8];
  const std::uint32_t sum = std::uint32_t{load_be16(ip + 10)} + 0x0100;
  store_be16(ip + 10, static_cast<std::uint16_t>(sum + (sum >= 0xffff ? 1 : 0)));
}

bool is_neighbor_discovery(const std::uint8_t* ip, std::size_t size) {
  return size > 40 && ip[6] == kProtocolIcmpv6 && ip[40] >= 133 && ip[40] <= 137;
}

}  // namespace

struct Forwarder::Context {
  const ForwardingTable& table;
  const NeighborTable& neighbors;
};

std::uint32_t path_hash(const PacketView& view) {
  const std::uint8_t* ip = view.bytes + view.l3_offset;
  std::uint64_t mixed = 0;
  const auto mix = [&mixed](std::uint64_t value) {
    mixed = (mixed ^ value) * 0x9e3779b97f4a7c15ULL;
    mixed ^= mixed >> 32;
  };
  for (const auto address : {source_of(ip, view.ip_version), destination_of(ip, view.ip_version)}) {
    for (std::size_t at = 0; at < address.size(); at += 4) mix(load_be32(address.data() + at));
  }
  // Later fragments have no ports, and do not tell the protocol where the first has more extension headers.
  if (!view.is_fragment()) {
    mix((std::uint64_t{view.protocol} << 32) | (std::uint64_t{view.source_port} << 16) | view.destination_port);
  }
  return static_cast<std::uint32_t>(mixed ^ (mixed >> 29));
}

Verdict Forwarder::forward(PacketBuffer& packet, std::size_t in_port, const PacketView& view,
                           const ForwardingTable& table, const NeighborTable& neighbors) const {
  if (packet.length < kEthernetBytes) return drop(DropReason::kMalformed);
  const bool to_group = (packet.data[0] & 1) != 0;
  if (!to_group && std::memcmp(packet.data, node_.ports[in_port].mac.data(), 6) != 0) {
    return drop(DropReason::kNotForUs);
  }
  const std::uint16_t type = load_be16(packet.data + 12);
  if (type == kHelloEtherType) return {.kind = Verdict::Kind::kHello, .next_hop = {}};
  if (type == kEtherArp) return slow(Verdict::Slow::kNeighbors);
  const Context context{table, neighbors};
  return node_.ports[in_port].is_core() ? from_core(packet, in_port, context)
                                        : from_customer(packet, in_port, view, context);
}

Verdict Forwarder::from_customer(PacketBuffer& packet, std::size_t, const PacketView& view,
                                 const Context& context) const {
  if (view.status == PacketStatus::kMalformed) return drop(DropReason::kMalformed);
  if (view.status != PacketStatus::kIp || view.l3_offset != kEthernetBytes) return drop(DropReason::kNotForUs);
  if (!view.whole()) return drop(DropReason::kMalformed);
  const std::uint8_t* ip = packet.data + kEthernetBytes;
  if (view.ip_version == 6 && is_neighbor_discovery(ip, view.ip_captured)) return slow(Verdict::Slow::kNeighbors);
  const auto destination = destination_of(ip, view.ip_version);
  const bool own = is_own_address(destination);
  if (!own &&
      ((packet.data[0] & 1) != 0 || stays_on_link(destination) || stays_on_link(source_of(ip, view.ip_version)))) {
    return drop(DropReason::kNotForUs);
  }
  packet.trim_back(packet.length - static_cast<std::uint32_t>(kEthernetBytes) - view.ip_length);  // Ethernet padding
  packet.trim_front(kEthernetBytes);
  if (own) return slow(Verdict::Slow::kOwnAddress);
  if (view.ip_version == 6 && context.table.sid_target(destination) != nullptr) {
    return drop(DropReason::kSidFromOutside);
  }
  return enter(packet, view, false, context);
}

Verdict Forwarder::originate(PacketBuffer& packet, const ForwardingTable& table, const NeighborTable& neighbors) const {
  const PacketView view = parse_ip(packet.bytes());
  if (view.status != PacketStatus::kIp || !view.whole()) return drop(DropReason::kMalformed);
  return enter(packet, view, true, {table, neighbors});
}

/// A customer's packet, or one of the node's own, that is to cross the network; it starts at the IP header.
Verdict Forwarder::enter(PacketBuffer& packet, const PacketView& view, bool own, const Context& context) const {
  const std::uint8_t version = view.ip_version;
  const ForwardingTable::Egress* egress = context.table.egress_of(destination_of(packet.data, version));
  if (egress == nullptr) return drop(DropReason::kNoRoute);
  if (egress->here) return deliver(packet, context);
  const std::uint8_t cls = context.table.class_of(view.traffic_class);
  const auto entered = [&](Verdict verdict) {
    verdict.entered = !own;
    verdict.cls = cls;
    verdict.egress_counter = egress->counter;
    verdict.entered_bytes = view.ip_length;
    return verdict;
  };
  if (!own && view.hop_limit <= 1) return entered(expired());

  const std::uint32_t hash = path_hash(view);
  const OuterHeaders* outer = &egress->outer;
  std::optional<std::uint16_t> port;
  if (const auto* demand = context.table.demand(cls, *egress)) {
    const ForwardingTable::Path* path = &demand->paths[demand->slots.path_of(hash)];
    if (!ports_.up(path->port)) {
      const auto backup = std::find_if(demand->backups.begin(), demand->backups.end(),
                                       [&](const auto& known) { return known.failed_port == path->port; });
      path = backup == demand->backups.end() ? nullptr : &backup->paths[backup->slots.path_of(hash)];
      if (path != nullptr && !ports_.up(path->port)) path = nullptr;
    }
    if (path != nullptr) {
      outer = &path->outer;
      port = path->port;
    }
  }
  const ForwardingTable::SidTarget* route = nullptr;
  if (!port) {  // the IGP's way, with its repair
    route = context.table.sid_target(outer->first_segment());
    if (route == nullptr || route->kind != ForwardingTable::SidTarget::Kind::kRoute) {
      return entered(drop(DropReason::kNoRoute));
    }
  }
  std::uint32_t mtu = node_.ports[port ? *port : route->port].mtu;
  std::uint32_t headers = outer->size();
  if (route != nullptr && !ports_.up(route->port) && route->has_repair) {
    mtu = node_.ports[route->repair_port].mtu;
    headers += route->repair.size();
  }
  if (packet.length + headers > mtu) return entered(too_big(mtu - headers));
  if (!own) decrement_hops(packet.data, version);
  if (!outer->push(packet, version == 4 ? kProtocolIpv4 : kProtocolIpv6, view.traffic_class, hash)) {
    return entered(drop(DropReason::kNoMemory));
  }
  return entered(port ? send_to_core(packet, *port, context) : send_by_route(packet, *route, context));
}

Verdict Forwarder::from_core(PacketBuffer& packet, std::size_t, const Context& context) const {
  if (load_be16(packet.data + 12) != kEtherIpv6) return drop(DropReason::kNotForUs);
  packet.trim_front(kEthernetBytes);
  if (packet.length < kIpv6HeaderBytes || packet.data[0] >> 4 != 6) return drop(DropReason::kMalformed);
  const std::uint32_t claimed = static_cast<std::uint32_t>(kIpv6HeaderBytes) + load_be16(packet.data + 4);
  if (claimed > packet.length) return drop(DropReason::kMalformed);
  const auto destination = destination_of(packet.data, 6);
  if (is_neighbor_discovery(packet.data, packet.length) &&
      (stays_on_link(destination) || is_own_address(destination))) {
    if (!packet.prepend(kEthernetBytes)) return drop(DropReason::kNoMemory);
    return slow(Verdict::Slow::kNeighbors);
  }
  packet.trim_back(packet.length - claimed);
  if (is_own_address(destination)) return slow(Verdict::Slow::kOwnAddress);
  if (stays_on_link(destination)) return drop(DropReason::kNotForUs);
  return follow_segments(packet, context);
}

/// An IPv6 packet inside the network, at its IPv6 header: takes this node's segments until another node's comes up.
Verdict Forwarder::follow_segments(PacketBuffer& packet, const Context& context) const {
  using Kind = ForwardingTable::SidTarget::Kind;
  bool counted = false;  // the hop limit falls once, however many segments of ours the packet names
  for (int turn = 0; turn < kSegmentsHereMax; ++turn) {
    const ForwardingTable::SidTarget* target = context.table.sid_target(destination_of(packet.data, 6));
    if (target == nullptr) return drop(DropReason::kNoRoute);
    if (target->kind == Kind::kUnknown) return drop(DropReason::kSidUnknown);
    if (target->kind != Kind::kDecapsulate && !counted) {
      if (packet.data[7] <= 1) return drop(DropReason::kTtlExpired);
      decrement_hops(packet.data, 6);
      counted = true;
    }
    if (target->kind == Kind::kRoute) return send_by_route(packet, *target, context);

    const SegmentPacket segment = parse_segment_packet(packet.bytes());
    if (segment.kind == SegmentPacket::Kind::kMalformed) return drop(DropReason::kMalformed);
    if (segment.kind == SegmentPacket::Kind::kOther) return drop(DropReason::kNotForUs);
    const bool at_end = segment.kind == SegmentPacket::Kind::kInner || segment.routing.segments_left == 0;
    if (!at_end) {
      if (target->kind == Kind::kDecapsulate) return drop(DropReason::kMalformed);
      advance_segment(packet, segment.routing);
      if (target->kind == Kind::kAdjacency && ports_.up(target->port)) {
        return send_to_core(packet, target->port, context);
      }
      continue;
    }
    // The end of this segment list: what it carried is unwrapped (End.DT46, or End with USD after a repair).
    const std::size_t outer =
        kIpv6HeaderBytes + (segment.kind == SegmentPacket::Kind::kInner ? 0 : segment.routing.size);
    if (target->kind == Kind::kDecapsulate) {
      if (segment.inner_protocol != kProtocolIpv4 && segment.inner_protocol != kProtocolIpv6) {
        return drop(DropReason::kNotForUs);
      }
      packet.trim_front(static_cast<std::uint32_t>(outer));
      return deliver(packet, context);
    }
    if (target->kind == Kind::kAdjacency || segment.inner_protocol != kProtocolIpv6) {
      return drop(DropReason::kNotForUs);
    }
    packet.trim_front(static_cast<std::uint32_t>(outer));
    if (packet.length < kIpv6HeaderBytes || packet.data[0] >> 4 != 6 ||
        kIpv6HeaderBytes + load_be16(packet.data + 4) != packet.length) {
      return drop(DropReason::kMalformed);
    }
    counted = false;
  }
  return drop(DropReason::kMalformed);
}

/// An IP packet for a host behind this node, at its IP header.
Verdict Forwarder::deliver(PacketBuffer& packet, const Context& context) const {
  const PacketView view = parse_ip(packet.bytes());
  if (view.status != PacketStatus::kIp || !view.whole()) return drop(DropReason::kMalformed);
  packet.trim_back(packet.length - view.ip_length);
  const auto destination = destination_of(packet.data, view.ip_version);
  if (is_own_address(destination)) return slow(Verdict::Slow::kOwnAddress);
  const auto port = context.table.access_port_of(destination);
  if (!port) return drop(DropReason::kNoRoute);
  if (view.hop_limit <= 1) return expired();
  if (packet.length > node_.ports[*port].mtu) return too_big(node_.ports[*port].mtu);
  decrement_hops(packet.data, view.ip_version);
  return send_to_host(packet, *port, destination, context);
}

Verdict Forwarder::send_by_route(PacketBuffer& packet, const ForwardingTable::SidTarget& route,
                                 const Context& context) const {
  if (ports_.up(route.port)) return send_to_core(packet, route.port, context);
  if (!route.has_repair || !ports_.up(route.repair_port)) return drop(DropReason::kPortDown);
  if (route.repair.size() > 0) {
    const auto traffic_class = static_cast<std::uint8_t>(load_be16(packet.data) >> 4);
    if (!route.repair.push(packet, kProtocolIpv6, traffic_class, load_be32(packet.data))) {
      return drop(DropReason::kNoMemory);
    }
  }
  return send_to_core(packet, route.repair_port, context);
}

Verdict Forwarder::send_to_core(PacketBuffer& packet, std::size_t port, const Context& context) const {
  if (!ports_.up(port)) return drop(DropReason::kPortDown);
  if (packet.length > node_.ports[port].mtu) return drop(DropReason::kTooBig);
  if (const MacAddress* mac = context.neighbors.core_neighbor(port)) return send_to(packet, port, *mac);
  Verdict verdict = slow(Verdict::Slow::kResolve);
  verdict.port = static_cast<std::uint16_t>(port);
  verdict.next_hop = *node_.ports[port].neighbor;
  return verdict;
}

Verdict Forwarder::send_to_host(PacketBuffer& packet, std::size_t port, std::span<const std::uint8_t> address,
                                const Context& context) const {
  if (!ports_.up(port)) return drop(DropReason::kPortDown);
  if (const MacAddress* mac = context.neighbors.host(port, address)) return send_to(packet, port, *mac);
  Verdict verdict = slow(Verdict::Slow::kResolve);
  verdict.port = static_cast<std::uint16_t>(port);
  verdict.next_hop = address_of(address);
  return verdict;
}

Verdict Forwarder::send_to(PacketBuffer& packet, std::size_t port, const MacAddress& next_hop) const {
  const std::uint16_t type = packet.data[0] >> 4 == 4 ? kEtherIpv4 : kEtherIpv6;
  if (!packet.prepend(kEthernetBytes)) return drop(DropReason::kNoMemory);
  std::memcpy(packet.data, next_hop.data(), 6);
  std::memcpy(packet.data + 6, node_.ports[port].mac.data(), 6);
  store_be16(packet.data + 12, type);
  return {.kind = Verdict::Kind::kSend, .port = static_cast<std::uint16_t>(port), .next_hop = {}};
}

bool Forwarder::is_own_address(std::span<const std::uint8_t> address) const {
  for (const PortFacts& port : node_.ports) {
    for (const auto& own : port.addresses) {
      if (own.address.size() == address.size() &&
          std::equal(address.begin(), address.end(), own.address.bytes().begin())) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace wan::dataplane
