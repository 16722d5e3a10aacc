// Nodes wired together in memory, with programs as the controller makes them from drawn plans: what hosts send arrives.

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "controller/node_programs.h"
#include "core/random.h"
#include "tests/unit/dataplane/wired_network.h"

namespace wan::dataplane::test {
namespace {

using wan::test::connected_without;
using wan::test::drawn_path;
using wan::test::drawn_steered_network;
using wan::test::SteeredNetwork;

constexpr std::uint64_t kNetworks = 60;
constexpr std::uint8_t kFastDscp = 46;

std::vector<controller::ClassPolicy> two_classes() {
  return {{.name = "default"}, {.name = "fast", .dscps = {kFastDscp}}};
}

PathPlan drawn_plan(Rng& rng, const Topology& topology) {
  PathPlanBuilder builder;
  for (std::size_t cls = 0; cls < 2; ++cls) {
    for (std::size_t from = 0; from < topology.node_count(); ++from) {
      for (std::size_t to = 0; to < topology.node_count(); ++to) {
        if (from == to || rng.below(5) == 0) continue;
        builder.begin_demand({TrafficClass{cls}, NodeId{from}, NodeId{to}});
        for (std::uint64_t paths = 1 + rng.below(3); paths > 0; --paths) {
          const auto path = drawn_path(rng, topology, NodeId{from}, NodeId{to});
          if (!path.empty()) builder.add_path(0.1 + rng.uniform(), path);
        }
      }
    }
  }
  return std::move(builder).build();
}

Bytes drawn_bytes(Rng& rng, std::size_t count) {
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
  return bytes;
}

/// IPv4 or IPv6, of some transport, with options or extension headers, perhaps a fragment.
Bytes drawn_packet(Rng& rng, const IpAddress& from, const IpAddress& to, std::uint8_t hops) {
  const auto traffic_class =
      static_cast<std::uint8_t>(rng.below(2) == 0 ? kFastDscp * 4 + rng.below(4) : rng.below(256));
  const auto ports = drawn_bytes(rng, 4);
  const Bytes payload = ports + drawn_bytes(rng, rng.below(8) == 0 ? 900 + rng.below(300) : rng.below(60));
  const std::uint8_t protocols[] = {6, 17, 47, 50, 132};
  const std::uint8_t protocol = protocols[rng.below(5)];
  if (!from.is_v6()) {
    const std::size_t fragments[] = {0, 0, 0x4000, 0x2000, 0x2005, 0x0077};
    return between(ipv4({.protocol = protocol,
                         .traffic_class = traffic_class,
                         .id = rng.below(65536),
                         .fragment = fragments[rng.below(6)],
                         .options = rng.below(3) == 0 ? Bytes(4 * rng.below(11), 1) : Bytes{}},
                        payload),
                   from, to, hops);
  }
  switch (rng.below(4)) {
    case 0:
      return between(ipv6(60, extension(protocol, 1 + rng.below(3)) + payload, traffic_class), from, to, hops);
    case 1:
      return between(ipv6(44, fragment_header(protocol, 8 * rng.below(3), true, rng.next()) + payload, traffic_class),
                     from, to, hops);
    default:
      return between(ipv6(protocol, payload, traffic_class), from, to, hops);
  }
}

std::vector<std::string> names_of(const Topology& topology, std::span<const LinkId> links) {
  std::vector<std::string> names;
  for (const LinkId link : links) names.push_back(topology.link(link).name);
  return names;
}

const ForwardingTable::Egress* egress_for(const WiredNode& node, const PacketView& view) {
  const std::uint8_t* to = view.bytes + (view.ip_version == 4 ? 16 : 24);
  return node.table->egress_of({to, view.ip_version == 4 ? 4U : 16U});
}

/// What the node's program says of a packet; null: nothing, the IGP's way.
const ProgrammedDemand* demand_for(const WiredNode& node, const Bytes& packet) {
  const PacketView view = parse_ip(packet);
  const std::uint8_t cls = node.table->class_of(view.traffic_class);
  for (const ProgrammedDemand& told : node.table->program().demands) {
    if (told.cls.index() == cls && told.destination == egress_for(node, view)->name) return &told;
  }
  return nullptr;
}
const ProgrammedPath* path_for(const WiredNode& node, const Bytes& packet) {
  const PacketView view = parse_ip(packet);
  const ProgrammedDemand* told = demand_for(node, packet);
  if (told == nullptr) return nullptr;
  const auto* demand = node.table->demand(static_cast<std::uint8_t>(told->cls.index()), *egress_for(node, view));
  return &told->paths[demand->slots.path_of(path_hash(view))];
}

struct Drawn {
  SteeredNetwork network;
  std::vector<NodeProgram> programs;
};
Drawn drawn_network(Rng& rng) {
  Drawn drawn{drawn_steered_network(rng, {}), {}};
  WiredNetwork::add_host_prefixes(drawn.network);
  const PathPlan plan = drawn_plan(rng, drawn.network.topology);
  auto programs = controller::node_programs(drawn.network.topology, drawn.network.plane, plan, two_classes(), 1, "");
  REQUIRE(programs);
  drawn.programs = std::move(programs->by_node);
  return drawn;
}

TEST_CASE("a host's packet arrives as it was sent but for two hops, over the path that its hash and share say",
          "[forwarder]") {
  std::size_t on_paths = 0, by_igp = 0, local = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "wired"};
    const Drawn drawn = drawn_network(rng);
    const Topology& topology = drawn.network.topology;
    const WiredNetwork wired{drawn.network, drawn.programs};
    INFO("seed " << seed);
    for (int i = 0; i < 200; ++i) {
      const std::size_t from = rng.below(topology.node_count()), to = rng.below(topology.node_count());
      const bool v6 = rng.below(2) == 0;
      const Bytes packet =
          drawn_packet(rng, WiredNetwork::host(from, rng.below(4), v6), WiredNetwork::host(to, 4 + rng.below(4), v6),
                       static_cast<std::uint8_t>(3 + rng.below(253)));
      const Trip trip = wired.send(from, packet, rng.below(3) == 0 ? rng.below(40) : 0);
      INFO("packet " << i << " from " << from << " to " << to << ": " << to_string(trip.verdict.reason));
      REQUIRE(trip.arrived);
      REQUIRE(trip.node == to);
      REQUIRE(trip.packet == with_hops(packet, from == to ? 1 : 2));
      if (!v6) REQUIRE(has_sound_header(trip.packet));
      REQUIRE(trip.entry.entered == (from != to));
      if (from == to) {
        REQUIRE(trip.links.empty());
        ++local;
        continue;
      }
      const WiredNode& node = wired.nodes[from];
      REQUIRE(trip.entry.cls == (parse_ip(packet).traffic_class >> 2 == kFastDscp ? 1 : 0));
      REQUIRE(trip.entry.entered_bytes == packet.size());
      REQUIRE(node.table->counter_names()[trip.entry.egress_counter] == topology.nodes()[to].name);
      if (const ProgrammedPath* path = path_for(node, packet)) {
        REQUIRE(names_of(topology, trip.links) == path->links);
        ++on_paths;
      } else {
        ++by_igp;
      }
    }
  }
  CHECK(on_paths > 5'000);
  CHECK(by_igp > 500);
  CHECK(local > 500);
}

TEST_CASE("with a link down all packets arrive where there is a way, by backups and repairs", "[forwarder]") {
  std::size_t around = 0, cut_off = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "wired failures"};
    const Drawn drawn = drawn_network(rng);
    const Topology& topology = drawn.network.topology;
    WiredNetwork wired{drawn.network, drawn.programs};
    for (std::size_t l = 0; l < topology.link_count(); l += 2) {
      wired.set_link(LinkId{l}, false);
      const std::vector<LinkId> down{LinkId{l}, LinkId{l + 1}};
      for (int i = 0; i < 40; ++i) {
        const std::size_t from = rng.below(topology.node_count()), to = rng.below(topology.node_count());
        if (from == to) continue;
        const bool v6 = rng.below(2) == 0;
        const Bytes packet = drawn_packet(rng, WiredNetwork::host(from, 0, v6), WiredNetwork::host(to, 1, v6), 64);
        const Trip trip = wired.send(from, packet);
        INFO("seed " << seed << ", link " << l << " down, " << from << " to " << to << ": "
                     << to_string(trip.verdict.reason) << " at " << trip.node);
        const bool way = connected_without(topology, NodeId{from}, NodeId{to}, down);
        REQUIRE(trip.arrived == way);
        if (!way) {
          REQUIRE(trip.verdict.reason == DropReason::kPortDown);
          ++cut_off;
          continue;
        }
        REQUIRE(trip.packet == with_hops(packet, 2));
        for (const LinkId link : trip.links) REQUIRE(link.index() / 2 != l / 2);
        const ProgrammedPath* path = path_for(wired.nodes[from], packet);
        around += path != nullptr && names_of(topology, trip.links) != path->links;
      }
      wired.set_link(LinkId{l}, true);
    }
  }
  CHECK(around > 2'000);
  CHECK(cut_off > 100);
}

TEST_CASE("all fragments of a datagram take one path, also behind extension headers of the first", "[forwarder]") {
  std::size_t split = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "wired fragments"};
    const Drawn drawn = drawn_network(rng);
    const WiredNetwork wired{drawn.network, drawn.programs};
    const std::size_t count = drawn.network.topology.node_count();
    for (int i = 0; i < 30; ++i) {
      const std::size_t from = rng.below(count), to = (from + 1 + rng.below(count - 1)) % count;
      const IpAddress a4 = WiredNetwork::host(from, rng.below(8), false),
                      b4 = WiredNetwork::host(to, rng.below(8), false);
      const IpAddress a6 = WiredNetwork::host(from, rng.below(8), true),
                      b6 = WiredNetwork::host(to, rng.below(8), true);
      const Bytes ports = drawn_bytes(rng, 4), rest = drawn_bytes(rng, 12);
      const std::size_t id = rng.below(65536);
      const auto fragment4 = [&](std::size_t word, const Bytes& payload) {
        return between(ipv4({.protocol = 17, .id = id, .fragment = word}, payload), a4, b4);
      };
      const auto fragment6 = [&](std::uint8_t next, std::size_t offset, bool more, const Bytes& payload) {
        return between(ipv6(44, fragment_header(next, offset, more, id) + payload), a6, b6);
      };
      const std::vector<std::vector<Bytes>> datagrams{
          {fragment4(0x2000, ports + rest), fragment4(0x2002, rest + ports), fragment4(0x0004, rest)},
          {fragment6(17, 0, true, ports + rest), fragment6(17, 16, true, rest + ports), fragment6(17, 32, false, rest)},
          {fragment6(60, 0, true, extension(17) + ports + rest), fragment6(60, 24, false, rest)}};
      for (const auto& datagram : datagrams) {
        std::set<std::vector<LinkId>> ways;
        for (const Bytes& fragment : datagram) {
          const Trip trip = wired.send(from, fragment);
          REQUIRE(trip.arrived);
          ways.insert(trip.links);
        }
        REQUIRE(ways.size() == 1);
      }
      std::set<std::vector<LinkId>> ways;  // whole datagrams of other ports may go elsewhere
      for (int p = 0; p < 8; ++p) ways.insert(wired.send(from, between(ipv4({}, drawn_bytes(rng, 8)), a4, b4)).links);
      split += ways.size() > 1;
    }
  }
  CHECK(split > 300);
}

TEST_CASE("a flow keeps its path over new shares unless its path's share shrank", "[forwarder]") {
  std::size_t kept = 0, moved = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "wired reweights"};
    const Drawn drawn = drawn_network(rng);
    const Topology& topology = drawn.network.topology;
    WiredNetwork wired{drawn.network, drawn.programs};
    std::vector<NodeProgram> next = drawn.programs;
    for (NodeProgram& program : next) {
      ++program.epoch;
      for (ProgrammedDemand& demand : program.demands) {
        double sum = 0.0;
        for (ProgrammedPath& path : demand.paths) sum += path.fraction = 0.05 + rng.uniform();
        for (ProgrammedPath& path : demand.paths) path.fraction /= sum;
        if (rng.below(2) == 0) std::reverse(demand.paths.begin(), demand.paths.end());
      }
    }
    struct Sent {
      std::size_t from;
      Bytes packet;
      std::vector<LinkId> links;
      double share;
      std::uint64_t path;
    };
    std::vector<Sent> before;
    for (int i = 0; i < 200; ++i) {
      const std::size_t n = topology.node_count();
      const std::size_t from = rng.below(n), to = (from + 1 + rng.below(n - 1)) % n;
      Bytes packet = drawn_packet(rng, WiredNetwork::host(from, 0, true), WiredNetwork::host(to, 1, true), 64);
      const ProgrammedPath* path = path_for(wired.nodes[from], packet);
      if (path == nullptr) continue;
      before.push_back({from, packet, wired.send(from, packet).links, path->fraction, path->id});
    }
    for (std::size_t n = 0; n < next.size(); ++n) wired.nodes[n].install(next[n]);
    for (const Sent& sent : before) {
      const ProgrammedPath* now = path_for(wired.nodes[sent.from], sent.packet);
      const auto links = wired.send(sent.from, sent.packet).links;
      INFO("seed " << seed);
      REQUIRE(names_of(topology, links) == now->links);
      if (links == sent.links) {
        ++kept;
        continue;
      }
      ++moved;
      const auto& paths = demand_for(wired.nodes[sent.from], sent.packet)->paths;
      const auto same = std::find_if(paths.begin(), paths.end(), [&](const auto& p) { return p.id == sent.path; });
      REQUIRE(same != paths.end());
      REQUIRE(same->links == names_of(topology, sent.links));
      REQUIRE(same->fraction < sent.share + 1.0 / PathSlots::kSlots);
    }
  }
  CHECK(kept > 3 * moved);
  CHECK(moved > 300);
}

}  // namespace
}  // namespace wan::dataplane::test
