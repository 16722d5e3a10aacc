#include "tests/unit/dataplane/wired_network.h"

#include <algorithm>
#include <stdexcept>

#include "dataplane/neighbor_messages.h"

namespace wan::dataplane::test {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kHosts = 8;
constexpr int kHopsMax = 400;

MacAddress port_mac(std::size_t node, std::size_t port) {
  return {2, 1, 0, 0, static_cast<std::uint8_t>(node), static_cast<std::uint8_t>(port)};
}
IpAddress link_address(LinkId link) {
  return IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(link.index() / 2), 0, 0, 0, 0, 0, 0, 0,
                        static_cast<std::uint8_t>(1 + link.index() % 2)});
}
LinkId other(LinkId link) { return LinkId{link.index() ^ 1}; }

}  // namespace

void put_checksum(Bytes& packet) {
  const std::size_t header = std::size_t{4} * (packet[0] & 15U);
  packet[10] = packet[11] = 0;
  const std::uint16_t sum = checksum_finish(checksum_add(std::span{packet}.first(header), 0));
  packet[10] = static_cast<std::uint8_t>(sum >> 8);
  packet[11] = static_cast<std::uint8_t>(sum);
}

bool has_sound_header(const Bytes& packet) {
  return checksum_finish(checksum_add(std::span{packet}.first(std::size_t{4} * (packet[0] & 15U)), 0)) == 0;
}

Bytes between(Bytes packet, const IpAddress& from, const IpAddress& to, std::uint8_t hop_limit) {
  const bool v6 = packet[0] >> 4 == 6;
  std::copy_n(from.bytes().begin(), from.size(), packet.begin() + (v6 ? 8 : 12));
  std::copy_n(to.bytes().begin(), to.size(), packet.begin() + (v6 ? 24 : 16));
  packet[v6 ? 7 : 8] = hop_limit;
  if (!v6) put_checksum(packet);
  return packet;
}

Bytes with_hops(Bytes packet, int less) {
  const bool v6 = packet[0] >> 4 == 6;
  packet[v6 ? 7 : 8] = static_cast<std::uint8_t>(packet[v6 ? 7 : 8] - less);
  if (!v6) put_checksum(packet);
  return packet;
}

PackedFlowKey flow_of(const Bytes& packet) { return packed_flow_key(parse_ip(packet)); }

ExactFrame::ExactFrame(const Bytes& frame, std::uint32_t headroom) : block_{new std::uint8_t[headroom + frame.size()]} {
  std::fill_n(block_.get(), headroom, std::uint8_t{0xdb});
  std::copy(frame.begin(), frame.end(), block_.get() + headroom);
  buffer_ = {.data = block_.get() + headroom, .length = static_cast<std::uint32_t>(frame.size()), .headroom = headroom};
}

void WiredNode::install(const NodeProgram& program) {
  auto made = ForwardingTable::compile(program, facts, table.get());
  if (!made) throw std::runtime_error{made.error().message};
  table = std::move(*made);
}

Verdict WiredNode::forward(ExactFrame& frame, std::size_t in_port) const {
  const PacketView view = facts.ports[in_port].is_core() ? PacketView{} : parse_ethernet(frame.buffer().bytes());
  return Forwarder{facts, *states}.forward(frame.buffer(), in_port, view, *table, neighbors);
}

IpAddress WiredNetwork::host(std::size_t node, std::size_t number, bool v6) {
  const auto n = static_cast<std::uint8_t>(node), last = static_cast<std::uint8_t>(2 + number % kHosts);
  if (!v6) return IpAddress::v4({10, n, 0, last});
  return IpAddress::v6({0x20, 1, 0x0d, 0xb8, 0, n, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
}

MacAddress WiredNetwork::host_mac(std::size_t node, const IpAddress& host) {
  return {
      2, 2, 0, static_cast<std::uint8_t>(host.is_v6()), static_cast<std::uint8_t>(node), host.bytes()[host.size() - 1]};
}

void WiredNetwork::add_host_prefixes(wan::test::SteeredNetwork& network) {
  for (std::size_t n = 0; n < network.plane.nodes.size(); ++n) {
    network.plane.nodes[n].prefixes.push_back({host(n, 0, true).masked(64), 64});
  }
}

WiredNetwork::WiredNetwork(const wan::test::SteeredNetwork& network, const std::vector<NodeProgram>& programs,
                           std::uint32_t core_mtu)
    : network_{network}, port_of_link_(network.topology.link_count()) {
  const std::size_t count = network.topology.node_count();
  link_of_port_.resize(count);
  for (std::size_t n = 0; n < count; ++n) {
    WiredNode node;
    node.facts.name = network.topology.nodes()[n].name;
    node.facts.locator = network.plane.nodes[n].locator;
    auto v4 = host(n, 0, false).bytes();
    auto v6 = host(n, 0, true).bytes();
    v4[3] = v6[15] = 1;
    node.facts.ports.push_back(
        {.name = "hosts",
         .mac = port_mac(n, 0),
         .mtu = 1500,
         .addresses = {{IpAddress::v4({v4[0], v4[1], v4[2], v4[3]}), 16}, {IpAddress::v6(v6), 64}},
         .neighbor = {}});
    link_of_port_[n].push_back(std::nullopt);
    for (const LinkId link : network.topology.out_links(NodeId{n})) {
      port_of_link_[link.index()] = node.facts.ports.size();
      link_of_port_[n].push_back(link);
      node.facts.ports.push_back({.name = network.plane.ports[link.index()],
                                  .mac = port_mac(n, node.facts.ports.size()),
                                  .mtu = core_mtu,
                                  .addresses = {{link_address(link), 64}},
                                  .neighbor = link_address(other(link))});
    }
    nodes.push_back(std::move(node));
  }
  for (std::size_t n = 0; n < count; ++n) {
    WiredNode& node = nodes[n];
    std::vector<NeighborTable::Entry> known;
    for (std::size_t port = 0; port < node.facts.ports.size(); ++port) {
      node.states->set(port, true);
      if (const auto link = link_of_port_[n][port]) {
        const NodeId far = network.topology.link(*link).to;
        known.push_back({static_cast<std::uint16_t>(port), link_address(other(*link)),
                         port_mac(far.index(), port_of_link_[other(*link).index()])});
      }
    }
    for (std::size_t h = 0; h < kHosts; ++h) {
      for (const bool v6 : {false, true}) known.push_back({0, host(n, h, v6), host_mac(n, host(n, h, v6))});
    }
    node.neighbors = NeighborTable{known, node.facts.ports};
    node.install(programs[n]);
  }
}

void WiredNetwork::set_link(LinkId link, bool up) {
  for (const LinkId one : {link, other(link)}) {
    nodes[network_.topology.link(one).from.index()].states->set(port_of_link_[one.index()], up);
  }
}

Trip WiredNetwork::send(std::size_t from, const Bytes& packet, std::size_t padding) const {
  const MacAddress mac = nodes[from].facts.ports[0].mac;
  Bytes frame{mac.begin(), mac.end()};
  frame = frame + Bytes{2, 9, 9, 9, 9, 9} + be16(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd) + packet + Bytes(padding, 0xee);
  return carry(from, 0, frame);
}

Trip WiredNetwork::carry(std::size_t node, std::size_t port, const Bytes& first) const {
  Trip trip;
  Bytes frame = first;
  for (int hop = 0; hop < kHopsMax; ++hop) {
    ExactFrame held{frame, kHeadroom};
    trip.verdict = nodes[node].forward(held, port);
    trip.node = node;
    trip.packet = held.bytes();
    if (hop == 0) trip.entry = trip.verdict;
    if (trip.verdict.kind != Verdict::Kind::kSend) return trip;
    frame = held.bytes();
    const auto link = link_of_port_[node][trip.verdict.port];
    if (!nodes[node].states->up(trip.verdict.port)) throw std::runtime_error{"sent out of a port that is down"};
    if (!link) {
      const Bytes packet{frame.begin() + kEthernetBytes, frame.end()};
      const bool v6 = packet[0] >> 4 == 6;
      const IpAddress to = unpack(flow_of(packet)).destination;
      const MacAddress wanted = host_mac(node, to), own = nodes[node].facts.ports[0].mac;
      if (!std::equal(wanted.begin(), wanted.end(), frame.begin()) ||
          !std::equal(own.begin(), own.end(), frame.begin() + 6) || frame[12] != (v6 ? 0x86 : 0x08) ||
          frame[13] != (v6 ? 0xdd : 0x00)) {
        throw std::runtime_error{"a host gets a frame that is not its own"};
      }
      trip.packet = packet;
      trip.arrived = true;
      return trip;
    }
    trip.links.push_back(*link);
    node = network_.topology.link(*link).to.index();
    port = port_of_link_[other(*link).index()];
  }
  throw std::runtime_error{"a packet that travels for ever"};
}

}  // namespace wan::dataplane::test
