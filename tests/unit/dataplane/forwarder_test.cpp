#include "dataplane/forwarder.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/random.h"
#include "dataplane/hello.h"
#include "tests/unit/dataplane/small_node.h"

namespace wan::dataplane::test {
namespace {

using Kind = Verdict::Kind;
using Slow = Verdict::Slow;
constexpr std::size_t kHosts = 0, kEast = 1, kWest = 2, kMore = 3;

Bytes listed(const IpAddress& address) { return {address.bytes().begin(), address.bytes().end()}; }
Bytes to_b(std::size_t port = 1, std::size_t size = 20) {
  return between(ipv4({}, udp(port, 80, size)), ip("10.1.0.9"), ip("10.2.0.9"));
}
Bytes for_host(std::string_view host = "10.1.0.9") { return between(ipv4({}, udp(5, 6)), ip("10.2.0.9"), ip(host)); }
/// An outer IPv6 header to one segment.
Bytes wrapped(std::string_view segment, std::uint8_t next, const Bytes& inner, std::uint8_t hops = 64) {
  return between(ipv6(next, inner), ip("fc00:2::1"), ip(segment), hops);
}
/// An outer header with segments in travel order, the first one the destination (reduced).
Bytes steered(const std::vector<std::string>& segments, std::uint8_t next, const Bytes& inner) {
  if (segments.size() == 1) return wrapped(segments[0], next, inner);
  const auto entries = static_cast<std::uint8_t>(segments.size() - 1);
  Bytes routing{next, static_cast<std::uint8_t>(2 * entries), 4, entries, static_cast<std::uint8_t>(entries - 1), 0, 0,
                0};
  for (std::size_t i = segments.size() - 1; i > 0; --i) routing = routing + listed(ip(segments[i]));
  return wrapped(segments[0], 43, routing + inner);
}
void check_dropped(const Verdict& verdict, DropReason reason) {
  CHECK(verdict.kind == Kind::kDrop);
  CHECK(to_string(verdict.reason) == to_string(reason));
}
/// Sent out of this port to its neighbour; what it holds.
Bytes sent_by(const SmallNode& node, const Verdict& verdict, std::size_t port) {
  REQUIRE(verdict.kind == Kind::kSend);
  REQUIRE(verdict.port == port);
  const MacAddress* next = node.neighbors.core_neighbor(port);
  if (next != nullptr) REQUIRE(Bytes(node.left.begin(), node.left.begin() + 6) == Bytes(next->begin(), next->end()));
  return payload_of(node.left);
}

TEST_CASE("a host's packet leaves with the headers of its path", "[forwarder]") {
  SmallNode node;
  std::set<std::size_t> ports;
  for (std::size_t source = 0; source < 64; ++source) {
    const Bytes packet = to_b(source);
    const Verdict verdict = node.receive(kHosts, packet);
    const Bytes sent = sent_by(node, verdict, verdict.port);
    const std::size_t headers = verdict.port == kEast ? 40 : 64;
    REQUIRE(Bytes(sent.begin() + static_cast<std::ptrdiff_t>(headers), sent.end()) == with_hops(packet, 1));
    REQUIRE(Bytes(sent.begin() + 8, sent.begin() + 24) == listed(ip("fc00:1::1")));
    REQUIRE(Bytes(sent.begin() + 24, sent.begin() + 40) ==
            listed(ip(verdict.port == kEast ? "fc00:2::46" : "fc00:3::1")));
    REQUIRE(sent[7] == 64);
    ports.insert(verdict.port);
    REQUIRE(verdict.entered);
    REQUIRE(verdict.entered_bytes == packet.size());
    REQUIRE(node.table->counter_names()[verdict.egress_counter] == "b");
    REQUIRE(node.receive(kHosts, packet).port == verdict.port);  // a flow keeps its way
  }
  CHECK(ports == std::set<std::size_t>{kEast, kWest});
}

TEST_CASE("the outer header carries the traffic class, and a flow label that tells flows apart", "[forwarder]") {
  SmallNode node;
  std::set<Bytes> labels;
  for (std::size_t port = 0; port < 50; ++port) {
    const Bytes packet = between(ipv4({.traffic_class = 46 << 2 | 1}, udp(port, 80)), ip("10.1.0.9"), ip("10.2.0.9"));
    const Verdict verdict = node.receive(kHosts, packet);
    CHECK(verdict.cls == 1);
    const Bytes sent = sent_by(node, verdict, kEast);
    CHECK(sent[0] == 0x6b);
    CHECK((sent[1] & 0xf0) == 0x90);
    CHECK(sent[40 + 3] == 2);  // three segments, two left
    labels.insert({sent[1], sent[2], sent[3]});
  }
  CHECK(labels.size() > 45);
}

TEST_CASE("with a port down its flows take the backup, and the IGP's way where there is none", "[forwarder]") {
  SmallNode node;
  node.states->set(kEast, false);
  for (std::size_t port = 0; port < 32; ++port) {
    const Bytes sent = sent_by(node, node.receive(kHosts, to_b(port)), kWest);
    CHECK(sent.size() == 64 + to_b(port).size());
  }
  // Class 1 has no backup: to b's End.DT46 by the route, whose port is down too, so with its repair on top.
  const Bytes fast = between(ipv4({.traffic_class = 46 << 2}, udp(1, 2)), ip("10.1.0.9"), ip("10.2.0.9"));
  const Bytes sent = sent_by(node, node.receive(kHosts, fast), kWest);
  const Bytes outer = Bytes(sent.begin(), sent.begin() + 64);
  CHECK(Bytes(outer.begin() + 24, outer.begin() + 40) == listed(ip("fc00:3::1")));
  CHECK(outer[40] == 41);
  CHECK(Bytes(outer.begin() + 48, outer.end()) == listed(ip("fc00:2::1")));
  CHECK(Bytes(sent.begin() + 64 + 24, sent.begin() + 64 + 40) == listed(ip("fc00:2::46")));
  CHECK(Bytes(sent.begin() + 104, sent.end()) == with_hops(fast, 1));
  node.states->set(kWest, false);
  const Verdict lost = node.receive(kHosts, to_b());
  check_dropped(lost, DropReason::kPortDown);
  CHECK(lost.entered);  // counted as offered, and as dropped
  check_dropped(node.receive(kHosts, fast), DropReason::kPortDown);
}

TEST_CASE("a route without a repair drops while its port is down; one that needs no segments sends as it is",
          "[forwarder]") {
  SmallNode node;
  node.states->set(kWest, false);
  const auto packet = [](std::string_view to) { return between(ipv4({}, udp(1, 2)), ip("10.1.0.9"), ip(to)); };
  check_dropped(node.receive(kHosts, packet("10.4.0.1")), DropReason::kPortDown);
  CHECK(sent_by(node, node.receive(kHosts, packet("10.3.0.1")), kEast).size() == 40 + packet("10.3.0.1").size());
  const Bytes transit = wrapped("fc00:3::46", 4, for_host());
  CHECK(sent_by(node, node.receive(kEast, transit), kEast) == with_hops(transit, 1));
}

TEST_CASE("a packet in transit changes nothing but its hop limit", "[forwarder]") {
  SmallNode node;
  const Bytes packet = steered({"fc00:3::1", "fc00:4::1", "fc00:2::46"}, 4, for_host());
  CHECK(sent_by(node, node.receive(kEast, packet), kWest) == with_hops(packet, 1));
  CHECK_FALSE(node.receive(kEast, packet).entered);
  check_dropped(node.receive(kEast, between(packet, ip("fc00:2::1"), ip("fc00:3::1"), 1)), DropReason::kTtlExpired);
  check_dropped(node.receive(kEast, wrapped("fc00:77::1", 4, for_host())), DropReason::kNoRoute);
  check_dropped(node.receive(kEast, wrapped("2001:db8:1::9", 4, for_host())), DropReason::kNoRoute);
}

TEST_CASE("End takes the next segment, and the routing header off before the last one", "[forwarder]") {
  SmallNode node;
  const Bytes inner = for_host("10.2.0.1");
  const Bytes two = steered({"fc00:1::1", "fc00:3::1", "fc00:2::46"}, 4, inner);
  Bytes advanced = two;
  advanced[40 + 3] = 1;
  CHECK(sent_by(node, node.receive(kEast, two), kWest) ==
        with_hops(between(advanced, ip("fc00:2::1"), ip("fc00:3::1")), 1));
  const Bytes last = steered({"fc00:1::1", "fc00:2::46"}, 4, inner);
  CHECK(sent_by(node, node.receive(kWest, last), kEast) == with_hops(wrapped("fc00:2::46", 4, inner), 1));
  // Segments of one node in a row cost one hop.
  const Bytes own = steered({"fc00:1::1", "fc00:1::1", "fc00:1::1", "fc00:2::46"}, 4, inner);
  CHECK(sent_by(node, node.receive(kWest, own), kEast) == with_hops(wrapped("fc00:2::46", 4, inner), 1));
  const std::vector<std::string> many(12, "fc00:1::1");
  check_dropped(node.receive(kWest, steered(many, 4, inner)), DropReason::kMalformed);
}

TEST_CASE("an adjacency segment leaves by its port, or by the next segment's way while that is down", "[forwarder]") {
  SmallNode node;
  const Bytes packet = steered({"fc00:1::1:2", "fc00:2::46"}, 4, for_host("10.2.0.1"));
  const Bytes left = with_hops(wrapped("fc00:2::46", 4, for_host("10.2.0.1")), 1);
  CHECK(sent_by(node, node.receive(kEast, packet), kWest) == left);  // the IGP says east
  node.states->set(kWest, false);
  CHECK(sent_by(node, node.receive(kEast, packet), kEast) == left);
  check_dropped(node.receive(kEast, wrapped("fc00:1::1:2", 4, for_host())), DropReason::kNotForUs);
}

TEST_CASE("End.DT46 unwraps for its hosts", "[forwarder]") {
  SmallNode node;
  const Bytes v6 = between(ipv6(17, udp(1, 2)), ip("2001:db8:2::9"), ip("2001:db8:1::9"));
  CHECK(sent_by(node, node.receive(kEast, wrapped("fc00:1::46", 4, for_host())), kHosts) == with_hops(for_host(), 1));
  CHECK(Bytes(node.left.begin(), node.left.begin() + 6) == Bytes{2, 8, 8, 8, 8, 9});
  CHECK(sent_by(node, node.receive(kEast, wrapped("fc00:1::46", 41, v6)), kHosts) == with_hops(v6, 1));
  const Bytes routed = steered({"fc00:1::1", "fc00:1::46"}, 41, v6);  // the last two segments are ours
  CHECK(sent_by(node, node.receive(kEast, routed), kHosts) == with_hops(v6, 1));
  check_dropped(node.receive(kEast, wrapped("fc00:1::46", 17, udp(1, 2))), DropReason::kNotForUs);
  check_dropped(node.receive(kEast, steered({"fc00:1::46", "fc00:1::1"}, 4, for_host())), DropReason::kMalformed);
  check_dropped(node.receive(kEast, wrapped("fc00:1::46", 4, for_host("10.2.0.1"))), DropReason::kNoRoute);
  check_dropped(node.receive(kEast, wrapped("fc00:1::46", 4, Bytes{0x45, 0, 0, 40})), DropReason::kMalformed);
}

TEST_CASE("End unwraps a repair's header and goes on with what was inside", "[forwarder]") {
  SmallNode node;
  const Bytes inside = wrapped("fc00:2::46", 4, for_host("10.2.0.1"));
  CHECK(sent_by(node, node.receive(kWest, wrapped("fc00:1::1", 41, inside)), kEast) == with_hops(inside, 1));
  const Bytes for_us = wrapped("fc00:1::46", 4, for_host());
  CHECK(sent_by(node, node.receive(kWest, wrapped("fc00:1::1", 41, for_us)), kHosts) == with_hops(for_host(), 1));
  check_dropped(node.receive(kWest, wrapped("fc00:1::1", 4, for_host())), DropReason::kNotForUs);
  check_dropped(node.receive(kWest, wrapped("fc00:1::1", 41, inside + Bytes(1, 0))), DropReason::kMalformed);
  const Bytes customers = between(ipv6(17, udp(1, 2)), ip("2001:db8:2::9"), ip("2001:db8:1::9"));
  check_dropped(node.receive(kWest, wrapped("fc00:1::1", 41, customers)), DropReason::kNoRoute);
}

TEST_CASE("customers cannot send to segments, nor the network to ones that do not exist", "[forwarder]") {
  SmallNode node;
  const auto from_host = [&](std::string_view to) { return between(ipv6(4, for_host()), ip("2001:db8:1::9"), ip(to)); };
  for (const char* segment : {"fc00:1::1", "fc00:1::46", "fc00:1::1:1", "fc00:1::77", "fc00:2::46", "fc00:3::1"}) {
    check_dropped(node.receive(kHosts, from_host(segment)), DropReason::kSidFromOutside);
  }
  check_dropped(node.receive(kEast, wrapped("fc00:1::77", 4, for_host())), DropReason::kSidUnknown);
  check_dropped(node.receive(kHosts, from_host("2001:db8:77::1")), DropReason::kNoRoute);
  check_dropped(node.receive(kHosts, between(to_b(), ip("10.1.0.9"), ip("192.0.2.1"))), DropReason::kNoRoute);
}

TEST_CASE("a TTL that ends here is told of, with the packet as it came", "[forwarder]") {
  SmallNode node;
  for (const std::uint8_t hops : {std::uint8_t{0}, std::uint8_t{1}}) {
    const Bytes packet = between(to_b(), ip("10.1.0.9"), ip("10.2.0.9"), hops);
    const Verdict verdict = node.receive(kHosts, packet);
    CHECK(verdict.kind == Kind::kSlowPath);
    CHECK(verdict.slow == Slow::kTtlExpired);
    CHECK(verdict.reason == DropReason::kTtlExpired);
    CHECK(verdict.entered);
    CHECK(node.left == packet);
    const Bytes arriving = between(for_host(), ip("10.2.0.9"), ip("10.1.0.9"), hops);
    CHECK(node.receive(kEast, wrapped("fc00:1::46", 4, arriving)).slow == Slow::kTtlExpired);
    CHECK(node.left == arriving);
  }
}

TEST_CASE("what does not fit is told of with the size that would have", "[forwarder]") {
  SmallNode node;
  node.states->set(kEast, false);  // all by west: 64 bytes of headers
  const auto of_size = [](std::size_t size) { return to_b(1, size - 28); };
  CHECK(sent_by(node, node.receive(kHosts, of_size(1536)), kWest).size() == 1600);
  const Verdict verdict = node.receive(kHosts, of_size(1537));
  CHECK(verdict.slow == Slow::kTooBig);
  CHECK(verdict.mtu == 1536);
  CHECK(verdict.entered);
  CHECK(node.left == of_size(1537));
  // To b by the route, which is repaired: the repair's headers count.
  const auto fast = [](std::size_t size) {
    return between(ipv4({.traffic_class = 46 << 2}, udp(1, 2, size - 28)), ip("10.1.0.9"), ip("10.2.0.9"));
  };
  CHECK(sent_by(node, node.receive(kHosts, fast(1496)), kWest).size() == 1600);
  CHECK(node.receive(kHosts, fast(1497)).mtu == 1496);
  // To a host behind a port of 1280.
  const auto arriving = [](std::size_t size) {
    return between(ipv4({}, udp(5, 6, size - 28)), ip("10.2.0.9"), ip("10.9.0.9"));
  };
  CHECK(node.receive(kEast, wrapped("fc00:1::46", 4, arriving(1280))).kind == Kind::kSend);
  CHECK(node.receive(kEast, wrapped("fc00:1::46", 4, arriving(1281))).mtu == 1280);
  check_dropped(node.receive(kEast, wrapped("fc00:3::1", 4, Bytes(1561, 0))), DropReason::kTooBig);
}

TEST_CASE("hosts of two ports of one node reach each other, and that is no traffic of the network", "[forwarder]") {
  SmallNode node;
  const Bytes packet = between(ipv4({}, udp(1, 2)), ip("10.1.0.9"), ip("10.9.0.9"));
  const Verdict verdict = node.receive(kHosts, packet);
  CHECK(sent_by(node, verdict, kMore) == with_hops(packet, 1));
  CHECK_FALSE(verdict.entered);
}

TEST_CASE("a next hop that is not known waits for its answer", "[forwarder]") {
  SmallNode node;
  const Bytes packet = for_host("10.1.0.77");
  Verdict verdict = node.receive(kEast, wrapped("fc00:1::46", 4, packet));
  CHECK(verdict.slow == Slow::kResolve);
  CHECK(verdict.port == kHosts);
  CHECK(verdict.next_hop == ip("10.1.0.77"));
  CHECK(node.left == with_hops(packet, 1));
  node.neighbors = {};
  verdict = node.receive(kHosts, to_b());
  CHECK(verdict.slow == Slow::kResolve);
  CHECK(verdict.next_hop == *node.facts.ports[verdict.port].neighbor);
  CHECK(verdict.entered);
  ExactFrame held{node.left, 14};
  const Verdict sent = Forwarder{node.facts, *node.states}.send_to(held.buffer(), verdict.port, {1, 2, 3, 4, 5, 6});
  CHECK(sent.kind == Kind::kSend);
  CHECK(sent.port == verdict.port);
  const auto& mac = node.facts.ports[verdict.port].mac;
  CHECK(held.bytes() == Bytes{1, 2, 3, 4, 5, 6} + Bytes{mac.begin(), mac.end()} + be16(0x86dd) + node.left);
}

TEST_CASE("packets for the node's own addresses go to the control thread", "[forwarder]") {
  SmallNode node;
  const Bytes ping = between(ipv4({.protocol = 1}, {8, 0, 0, 0, 1, 2, 3, 4}), ip("10.1.0.9"), ip("10.1.0.1"));
  CHECK(node.receive_frame(kHosts, Bytes{2, 0, 0, 0, 0, 0x10, 2, 9, 9, 9, 9, 9, 8, 0} + ping + Bytes(18, 0)).slow ==
        Slow::kOwnAddress);
  CHECK(node.left == ping);  // without Ethernet's padding
  CHECK(node.receive(kHosts, between(ping, ip("10.1.0.9"), ip("10.9.0.1"))).slow == Slow::kOwnAddress);
  CHECK(node.receive(kHosts, between(ping, ip("10.1.0.9"), ip("10.9.0.1"), 1)).slow == Slow::kOwnAddress);
  CHECK(node.receive(kEast, wrapped("fc00:1::46", 4, between(ping, ip("10.2.0.9"), ip("10.1.0.1")))).slow ==
        Slow::kOwnAddress);
  CHECK(node.receive(kEast, between(ipv6(58, Bytes(8, 0)), ip("fd00:1::2"), ip("fd00:1::1"))).slow ==
        Slow::kOwnAddress);
}

TEST_CASE("neighbour messages go to the control thread as whole frames, hellos are told apart", "[forwarder]") {
  SmallNode node;
  const Bytes arp = Bytes(6, 0xff) + Bytes{2, 9, 9, 9, 9, 9} + be16(0x0806) + Bytes(46, 0);
  for (const std::size_t port : {kHosts, kEast}) {
    const Verdict verdict = node.receive_frame(port, arp);
    CHECK(verdict.kind == Kind::kSlowPath);
    CHECK(verdict.slow == Slow::kNeighbors);
    CHECK(node.left == arp);
  }
  const Bytes body = Bytes{135, 0, 0, 0, 0, 0, 0, 0} + listed(ip("fd00:1::1"));
  const Bytes question = Bytes{0x33, 0x33, 0xff, 0, 0, 1, 2, 9, 9, 9, 9, 9} + be16(0x86dd) +
                         between(ipv6(58, body), ip("fd00:1::2"), ip("ff02::1:ff00:1"), 255);
  for (const std::size_t port : {kHosts, kEast}) {
    CHECK(node.receive_frame(port, question).slow == Slow::kNeighbors);
    CHECK(node.left == question);
  }
  const auto hello = hello_frame({2, 9, 9, 9, 9, 9}, true);
  CHECK(node.receive_frame(kEast, {hello.begin(), hello.end()}).kind == Kind::kHello);
}

TEST_CASE("what is not for this station, or no plain IP, goes no further", "[forwarder]") {
  SmallNode node;
  const Bytes head{2, 0, 0, 0, 0, 0x10, 2, 9, 9, 9, 9, 9};
  check_dropped(node.receive_frame(kHosts, Bytes{2, 0, 0, 0, 0, 0x77, 2, 9, 9, 9, 9, 9} + be16(0x0800) + to_b()),
                DropReason::kNotForUs);
  check_dropped(node.receive_frame(kHosts, head + be16(0x8100) + vlan(5, 0x0800, to_b())), DropReason::kNotForUs);
  check_dropped(node.receive_frame(kHosts, head + be16(0x8847) + be32(0x12140) + to_b()), DropReason::kNotForUs);
  check_dropped(node.receive_frame(kHosts, head + be16(0x88cc) + Bytes(50, 1)), DropReason::kNotForUs);
  check_dropped(node.receive_frame(kEast, Bytes{2, 0, 0, 0, 0, 0x11, 2, 9, 9, 9, 9, 9} + be16(0x0800) + to_b()),
                DropReason::kNotForUs);
  check_dropped(node.receive_frame(kHosts, Bytes(13, 0)), DropReason::kMalformed);
  check_dropped(node.receive_frame(kHosts, {}), DropReason::kMalformed);
  check_dropped(node.receive(kHosts, between(ipv4({.claimed = 2000}, udp(1, 2)), ip("10.1.0.9"), ip("10.2.0.9"))),
                DropReason::kMalformed);
  check_dropped(node.receive(kHosts, {0x45, 0, 0, 20}), DropReason::kMalformed);
  Bytes long_claim = wrapped("fc00:1::46", 4, for_host());
  ++long_claim[5];
  check_dropped(node.receive(kEast, long_claim), DropReason::kMalformed);
  // To everybody's station, or to or from addresses that stay on a link.
  check_dropped(node.receive_frame(kHosts, Bytes(6, 0xff) + Bytes{2, 9, 9, 9, 9, 9} + be16(0x0800) + to_b()),
                DropReason::kNotForUs);
  for (const char* to : {"224.0.0.5", "255.255.255.255", "169.254.1.1", "127.0.0.1", "0.0.0.0"}) {
    check_dropped(node.receive(kHosts, between(to_b(), ip("10.1.0.9"), ip(to))), DropReason::kNotForUs);
    check_dropped(node.receive(kHosts, between(to_b(), ip(to), ip("10.2.0.9"))), DropReason::kNotForUs);
  }
  for (const char* to : {"ff02::1", "ff0e::5", "fe80::1", "::", "::1"}) {
    const Bytes v6 = ipv6(17, udp(1, 2));
    check_dropped(node.receive(kHosts, between(v6, ip("2001:db8:1::9"), ip(to))), DropReason::kNotForUs);
    check_dropped(node.receive(kHosts, between(v6, ip(to), ip("2001:db8:2::9"))), DropReason::kNotForUs);
    check_dropped(node.receive(kEast, between(v6, ip("fe80::1"), ip(to))), DropReason::kNotForUs);
  }
}

TEST_CASE("without room for headers a packet is dropped, not written over", "[forwarder]") {
  SmallNode node;
  const Bytes frame = Bytes{2, 0, 0, 0, 0, 0x10, 2, 9, 9, 9, 9, 9} + be16(0x0800) + to_b();
  for (std::uint32_t headroom = 0; headroom < 80; ++headroom) {
    ExactFrame held{frame, headroom};
    const Verdict verdict = node.forward(held, kHosts);
    const std::uint32_t needed = node.receive(kHosts, to_b()).port == kEast ? 40 : 64;  // Ethernet's own 14 come and go
    REQUIRE((verdict.kind == Kind::kSend) == (headroom >= needed));
    if (headroom < needed) REQUIRE(verdict.reason == DropReason::kNoMemory);
  }
}

TEST_CASE("the node's own packets go to hosts of its own and across the network, uncounted", "[forwarder]") {
  SmallNode node;
  Verdict verdict = node.originate(between(ipv4({}, udp(1, 2)), ip("10.1.0.1"), ip("10.1.0.9")));
  CHECK(verdict.kind == Kind::kSend);
  CHECK(verdict.port == kHosts);
  const Bytes across = between(ipv4({}, udp(1, 2)), ip("10.1.0.1"), ip("10.2.0.9"));
  verdict = node.originate(across);
  CHECK(verdict.kind == Kind::kSend);
  CHECK_FALSE(verdict.entered);
  const std::ptrdiff_t headers = verdict.port == kEast ? 54 : 78;
  CHECK(Bytes(node.left.begin() + headers, node.left.end()) == across);
  CHECK(node.originate(between(across, ip("10.1.0.1"), ip("10.9.0.1"))).slow == Slow::kOwnAddress);
  check_dropped(node.originate({}), DropReason::kMalformed);
  check_dropped(node.originate({0x60, 0, 0}), DropReason::kMalformed);
}

TEST_CASE("a decremented TTL leaves the checksum that a fresh sum gives, also where that is zero", "[forwarder]") {
  SmallNode node;
  bool met_edge = false;
  for (std::size_t id = 0; id < 65536; id += 13) {
    const Bytes packet = between(ipv4({.id = id}, udp(1, 2)), ip("10.2.0.9"), ip("10.1.0.9"));
    const Verdict verdict = node.receive(kEast, wrapped("fc00:1::46", 4, packet));
    REQUIRE(payload_of(node.left) == with_hops(packet, 1));
    REQUIRE(verdict.kind == Kind::kSend);
  }
  Bytes edge = between(ipv4({}, udp(1, 2)), ip("10.2.0.9"), ip("10.1.0.9"));
  for (std::size_t id = 0; id < 65536; ++id) {  // the one identification whose new checksum is zero
    edge[4] = static_cast<std::uint8_t>(id >> 8);
    edge[5] = static_cast<std::uint8_t>(id);
    put_checksum(edge);
    if (edge[10] != 0xfe || edge[11] != 0xff) continue;
    const Verdict verdict = node.receive(kEast, wrapped("fc00:1::46", 4, edge));
    REQUIRE(verdict.kind == Kind::kSend);
    CHECK(payload_of(node.left) == with_hops(edge, 1));
    met_edge = true;
  }
  CHECK(met_edge);
}

TEST_CASE("programs that a node cannot follow are refused with a reason", "[forwarding_table]") {
  const SmallNode node;
  const auto refused = [&](auto change) {
    NodeProgram program = SmallNode::program();
    change(program);
    const auto table = ForwardingTable::compile(program, node.facts, nullptr);
    REQUIRE_FALSE(table);
    CHECK(table.error().code == ErrorCode::kBadInput);
    return table.error().message;
  };
  const std::vector<IpAddress> too_many(17, ip("fc00:2::46"));
  CHECK(refused([](auto& p) { p.routes[0].port = std::string{"north"}; }) == "this node has no port north");
  CHECK(refused([](auto& p) { p.routes[0].port = std::string{"hosts"}; }).find("leads to hosts") != std::string::npos);
  CHECK(refused([](auto& p) { p.routes[0].repair->port = std::string{"more"}; }).find("leads to hosts") !=
        std::string::npos);
  CHECK(refused([](auto& p) { p.adjacencies[0].port = std::string{"hosts"}; }).find("leads to hosts") !=
        std::string::npos);
  CHECK(refused([](auto& p) { p.demands[0].paths[0].port = std::string{"hosts"}; }).find("leads to hosts") !=
        std::string::npos);
  CHECK(refused([](auto& p) { p.demands[0].backups[0].failed_port = std::string{"x"}; }) == "this node has no port x");
  CHECK_FALSE(refused([](auto& p) { p.demands[0].backups[0].paths.clear(); }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].paths.clear(); }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].paths.resize(65, p.demands[0].paths[0]); }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].paths[0].segments.clear(); }).empty());
  CHECK_FALSE(refused([&](auto& p) { p.demands[0].paths[0].segments = too_many; }).empty());
  CHECK_FALSE(refused([&](auto& p) { p.routes[0].repair->segments = too_many; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].paths[0].segments = {ip("10.0.0.1")}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].destination = std::string{"z"}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.demands[0].cls = TrafficClass{16}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.classes[0].cls = TrafficClass{16}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.classes[0].dscps = {64}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.prefixes[0].node = std::string{"z"}; }).empty());
  CHECK_FALSE(refused([](auto& p) { p.egresses[0].decapsulation_sid = ip("10.0.0.1"); }).empty());
}

TEST_CASE("an egress keeps its counter through all later programs", "[forwarding_table]") {
  SmallNode node;
  const auto counter = [&](std::string_view address) {
    const IpAddress to = ip(address);
    return node.table->egress_of(std::span{to.bytes()}.first(to.size()))->counter;
  };
  const auto b = counter("10.2.0.1"), c = counter("10.3.0.1"), own = counter("10.1.0.1");
  NodeProgram next = SmallNode::program();
  std::swap(next.egresses[0], next.egresses[2]);
  next.egresses.insert(next.egresses.begin(), {"e", ip("fc00:5::46")});
  next.prefixes.push_back({*IpPrefix::parse("10.5.0.0/16"), "e"});
  node.install(next);
  CHECK(counter("10.2.0.1") == b);
  CHECK(counter("10.3.0.1") == c);
  CHECK(counter("10.1.0.1") == own);
  CHECK(counter("10.5.0.1") == node.table->counter_names().size() - 1);
  CHECK(std::set<std::uint32_t>{b, c, own, counter("10.4.0.1"), counter("10.5.0.1")}.size() == 5);
}

TEST_CASE("whatever bytes come, a packet is sent, dropped or handed over, and stays within its memory", "[forwarder]") {
  SmallNode node;
  const std::vector<std::pair<std::size_t, Bytes>> seeds{
      {kHosts, to_b()},
      {kHosts, between(ipv6(60, extension(17) + udp(1, 2)), ip("2001:db8:1::9"), ip("2001:db8:2::9"))},
      {kEast, steered({"fc00:1::1", "fc00:1::1:2", "fc00:2::46"}, 4, for_host())},
      {kEast, steered({"fc00:1::1", "fc00:1::46"}, 4, for_host())},
      {kWest, wrapped("fc00:1::1", 41, wrapped("fc00:1::46", 4, for_host()))}};
  Rng rng{9, "mutations"};
  std::array<std::size_t, 4> kinds{};
  for (int i = 0; i < 40'000; ++i) {
    const auto& [port, packet] = seeds[rng.below(seeds.size())];
    const auto& mac = node.facts.ports[port].mac;
    Bytes frame =
        Bytes{mac.begin(), mac.end()} + Bytes{2, 9, 9, 9, 9, 9} + be16(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd) + packet;
    for (std::uint64_t changes = rng.below(4); changes > 0; --changes) {
      frame[rng.below(8) == 0 ? rng.below(frame.size()) : 14 + rng.below(frame.size() - 14)] =
          static_cast<std::uint8_t>(rng.below(2) == 0 ? rng.below(8) : rng.next());
    }
    if (rng.below(4) == 0) frame.resize(rng.below(frame.size() + 1));
    for (const std::size_t up : {kEast, kWest}) node.states->set(up, rng.below(4) != 0);
    ExactFrame held{frame, static_cast<std::uint32_t>(rng.below(3) == 0 ? rng.below(200) : 400)};
    const std::uint32_t room = held.buffer().headroom + held.buffer().length;
    const Verdict verdict = node.forward(held, port);
    const PacketBuffer& now = held.buffer();
    REQUIRE(now.headroom + now.length + now.tailroom == room);
    ++kinds[static_cast<std::size_t>(verdict.kind)];
    if (verdict.kind == Kind::kSend) {
      REQUIRE(node.states->up(verdict.port));
      REQUIRE(now.length >= 14 + 20);
      REQUIRE(now.length <= 14 + node.facts.ports[verdict.port].mtu);
    } else if (verdict.kind == Kind::kDrop) {
      REQUIRE(static_cast<std::size_t>(verdict.reason) < kDropReasonCount);
    }
  }
  CHECK(kinds[0] > 3'000);
  CHECK(kinds[1] > 3'000);
  CHECK(kinds[2] > 100);
}

}  // namespace
}  // namespace wan::dataplane::test
