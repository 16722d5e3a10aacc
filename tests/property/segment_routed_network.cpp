#include "tests/property/segment_routed_network.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace wan::test {
namespace {

IpPrefix locator_of(std::size_t node) {
  return {IpAddress::v6({0xfc, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(node + 1)}), 64};
}

/// The last 32 bits of a segment, which say what it does.
std::uint32_t function_of(const IpAddress& segment) {
  std::uint32_t function = 0;
  for (std::size_t i = 12; i < 16; ++i) function = function << 8 | segment.bytes()[i];
  return function;
}

}  // namespace

SteeredNetwork drawn_steered_network(Rng& rng, const SteeredShape& shape) {
  const std::size_t n = 3 + rng.below(shape.nodes_max - 2);
  const bool odd_weights = rng.uniform() < shape.odd_weights_chance;
  const std::uint64_t weights = 1 + rng.below(4);
  std::vector<Node> nodes;
  SteeredNetwork network;
  for (std::size_t i = 0; i < n; ++i) {
    nodes.push_back({.name = std::string("n").append(std::to_string(i)), .location = {}});
    network.plane.nodes.push_back({.locator = locator_of(i),
                                   .prefixes = {{IpAddress::v4({10, static_cast<std::uint8_t>(i), 0, 0}), 16}},
                                   .managed = rng.uniform() >= shape.unmanaged_chance});
  }
  std::vector<Link> links;
  const auto weight = [&] {
    return odd_weights ? 0.1 + static_cast<double>(rng.below(30)) / 10.0 : static_cast<double>(1 + rng.below(weights));
  };
  const auto join = [&](std::size_t a, std::size_t b) {
    const double both = weight();
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const std::string place = std::to_string(links.size());
      links.push_back({.name = std::string("l").append(place),
                       .from = NodeId{from},
                       .to = NodeId{to},
                       .capacity = BitRate::mbps(10),
                       .weight = odd_weights ? weight() : both,
                       .srlgs = {}});
      network.plane.ports.push_back(std::string("p").append(place));
    }
    network.plane.reverse.emplace_back(links.size() - 1);
    network.plane.reverse.emplace_back(links.size() - 2);
  };
  for (std::size_t i = 1; i < n; ++i) join(rng.below(i), i);
  for (std::size_t extra = rng.below(2 * n); extra > 0; --extra) {
    const std::size_t a = rng.below(n);
    const std::size_t b = rng.below(n);
    if (a != b) join(a, b);
  }
  network.topology = Topology::make(std::move(nodes), std::move(links)).value();
  return network;
}

bool connected_without(const Topology& topology, NodeId from, NodeId to, std::span<const LinkId> down) {
  std::vector<bool> met(topology.node_count(), false);
  std::vector<NodeId> open{from};
  met[from.index()] = true;
  while (!open.empty()) {
    const NodeId at = open.back();
    open.pop_back();
    for (const LinkId link : topology.out_links(at)) {
      const NodeId next = topology.link(link).to;
      if (met[next.index()] || std::find(down.begin(), down.end(), link) != down.end()) continue;
      met[next.index()] = true;
      open.push_back(next);
    }
  }
  return met[to.index()];
}

std::vector<LinkId> drawn_path(Rng& rng, const Topology& topology, NodeId from, NodeId to) {
  std::vector<bool> met(topology.node_count(), false);
  std::vector<LinkId> path;
  for (NodeId at = from; at != to;) {
    met[at.index()] = true;
    std::vector<LinkId> ways;
    for (const LinkId link : topology.out_links(at)) {
      if (!met[topology.link(link).to.index()]) ways.push_back(link);
    }
    if (ways.empty()) return {};
    path.push_back(ways[rng.below(ways.size())]);
    at = topology.link(path.back()).to;
  }
  return path;
}

PacketWalk::PacketWalk(const SteeredNetwork& network, std::span<const NodeProgram> programs, Rng& rng)
    : network_{network}, programs_{programs}, rng_{rng} {
  const std::size_t n = network.topology.node_count();
  cost_.assign(n, std::vector<double>(n, std::numeric_limits<double>::infinity()));
  for (std::size_t i = 0; i < n; ++i) cost_[i][i] = 0.0;
  for (const Link& link : network.topology.links()) {
    double& cost = cost_[link.from.index()][link.to.index()];
    cost = std::min(cost, link.weight);
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) cost_[i][j] = std::min(cost_[i][j], cost_[i][k] + cost_[k][j]);
    }
  }
}

void PacketWalk::fail(LinkId link) { down_ = {LinkId{link.index() & ~std::size_t{1}}, LinkId{link.index() | 1}}; }

bool PacketWalk::is_down(LinkId link) const { return std::find(down_.begin(), down_.end(), link) != down_.end(); }

NodeId PacketWalk::owner(const IpAddress& segment) const {
  for (std::size_t n = 0; n < network_.plane.nodes.size(); ++n) {
    if (network_.plane.nodes[n].locator.contains(segment)) return NodeId{n};
  }
  throw std::runtime_error{segment.to_string() + " belongs to no node"};
}

LinkId PacketWalk::link_of_port(NodeId node, const std::string& port) const {
  for (const LinkId link : network_.topology.out_links(node)) {
    if (network_.plane.ports[link.index()] == port) return link;
  }
  throw std::runtime_error{"no port " + port};
}

void PacketWalk::finish(Packet& packet, Journey::End end) {
  packet.journey.end = end;
  packet.done = true;
}

Journey PacketWalk::send(NodeId from, const IpAddress& segment) {
  Packet packet{.headers = {{.segments = {segment}}}, .at = from, .journey = {}};
  run(packet);
  return packet.journey;
}

Journey PacketWalk::send(NodeId from, const std::string& port, std::span<const IpAddress> segments) {
  Packet packet{.headers = {{.segments = {segments.begin(), segments.end()}}}, .at = from, .journey = {}};
  leave(packet, link_of_port(from, port));
  run(packet);
  return packet.journey;
}

void PacketWalk::run(Packet& packet) {
  constexpr int kStepsMax = 1000;
  for (int step = 0; !packet.done; ++step) {
    if (step == kStepsMax) return finish(packet, Journey::End::kLooped);
    const Header& header = packet.headers.back();
    if (owner(header.segments[header.active]) == packet.at) {
      process_here(packet);
    } else {
      forward(packet);
    }
  }
}

void PacketWalk::process_here(Packet& packet) {
  Header& header = packet.headers.back();
  const bool managed = network_.plane.nodes[packet.at.index()].managed;
  const bool last = header.active + 1 == header.segments.size();
  const IpAddress segment = header.segments[header.active];
  const std::uint32_t function = function_of(segment);
  if (function == 1 && !last) {
    ++header.active;
  } else if (function == 1 && packet.headers.size() == 1) {
    finish(packet, Journey::End::kArrived);
  } else if (function == 1 && managed) {
    packet.headers.pop_back();  // USD
  } else if (function == 0x46 && managed && last && packet.headers.size() == 1) {
    finish(packet, Journey::End::kArrived);
  } else if (function >> 16 == 1 && managed && !last) {
    ++header.active;
    for (const AdjacencySid& adjacency : programs_[packet.at.index()].adjacencies) {
      if (adjacency.sid == segment) return leave(packet, link_of_port(packet.at, adjacency.port));
    }
    finish(packet, Journey::End::kDropped);
  } else {
    finish(packet, Journey::End::kDropped);
  }
}

void PacketWalk::forward(Packet& packet) {
  const Header& header = packet.headers.back();
  const IpAddress target = header.segments[header.active];
  if (!network_.plane.nodes[packet.at.index()].managed) return forward_unmanaged(packet, owner(target));
  for (const SidRoute& route : programs_[packet.at.index()].routes) {
    if (!route.locator.contains(target)) continue;
    const LinkId link = link_of_port(packet.at, route.port);
    if (!is_down(link)) return leave(packet, link);
    if (!route.repair) return finish(packet, Journey::End::kNoRoute);
    if (!route.repair->segments.empty()) packet.headers.push_back({.segments = route.repair->segments});
    return leave(packet, link_of_port(packet.at, route.repair->port));
  }
  finish(packet, Journey::End::kNoRoute);
}

void PacketWalk::forward_unmanaged(Packet& packet, NodeId target) {
  const double here = cost_[packet.at.index()][target.index()];
  std::vector<LinkId> ways;
  for (const LinkId id : network_.topology.out_links(packet.at)) {
    const Link& link = network_.topology.link(id);
    if (link.weight + cost_[link.to.index()][target.index()] <= here * (1.0 + 1e-9)) ways.push_back(id);
  }
  if (ways.empty()) return finish(packet, Journey::End::kNoRoute);
  leave(packet, ways[rng_.below(ways.size())]);
}

void PacketWalk::leave(Packet& packet, LinkId link) {
  if (is_down(link)) return finish(packet, Journey::End::kDeadLink);
  packet.journey.links.push_back(link);
  packet.at = network_.topology.link(link).to;
}

}  // namespace wan::test
