#include "dataplane/neighbor_resolver.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/dataplane/small_node.h"

namespace wan::dataplane::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = NeighborResolver::Outcome;
constexpr MacAddress kHost{2, 8, 8, 8, 8, 9};
constexpr std::size_t kHosts = 0, kEast = 1;

/// A resolver of the small node; time goes on by hand.
struct Resolving {
  SmallNode node;
  NeighborResolver resolver{node.facts, {}};
  Duration now{seconds{100}};
  int packets[64]{};

  Outcome tick(Duration later = Duration{0}) {
    now += later;
    return resolver.tick(now);
  }
  Outcome receive(const Bytes& frame, std::size_t port = kHosts) { return resolver.receive(frame, port, now); }
  bool wait(int packet, std::string_view next_hop, Outcome& outcome, std::size_t port = kHosts) {
    return resolver.wait(&packets[packet], port, ip(next_hop), outcome, now);
  }
  Bytes answer_of(std::string_view host, const MacAddress& mac = kHost) {
    const IpAddress own = ip(host).is_v6() ? ip("2001:db8:1::1") : ip("10.1.0.1");
    return neighbor_reply(mac, ip(host), {.sender = own, .target = ip(host), .mac = node.facts.ports[kHosts].mac});
  }
  bool knows(std::string_view address, std::size_t port = kHosts) {
    const auto entries = resolver.entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return entry.address == ip(address) && entry.port == port; });
  }
};

TEST_CASE("a packet waits for its next hop and is ready when that answers", "[neighbors]") {
  for (const char* host : {"10.1.0.9", "2001:db8:1::9"}) {
    Resolving it;
    (void)it.tick();
    Outcome outcome;
    REQUIRE(it.wait(0, host, outcome));
    REQUIRE(outcome.send.size() == 1);
    CHECK(outcome.send[0].port == kHosts);
    const auto question = parse_neighbor_message(outcome.send[0].bytes);
    REQUIRE(question);
    CHECK(question->target == ip(host));
    REQUIRE(it.wait(1, host, outcome));
    CHECK(outcome.send.size() == 1);  // asked already
    CHECK_FALSE(it.knows(host));
    outcome = it.receive(it.answer_of(host));
    CHECK(outcome.changed);
    REQUIRE(outcome.ready.size() == 2);
    CHECK(outcome.ready[0].packet == &it.packets[0]);
    CHECK(outcome.ready[1].packet == &it.packets[1]);
    CHECK(outcome.ready[1].next_hop == kHost);
    CHECK(it.knows(host));
    outcome = {};
    REQUIRE(it.wait(2, host, outcome));  // found since the packet was looked at
    CHECK(outcome.ready.size() == 1);
    CHECK_FALSE(it.receive(it.answer_of(host)).changed);
  }
}

TEST_CASE("a next hop that does not answer is asked five times, then its packets are given up", "[neighbors]") {
  Resolving it;
  (void)it.tick();
  Outcome outcome;
  REQUIRE(it.wait(0, "10.1.0.9", outcome));
  std::size_t asked = outcome.send.size(), given_up = 0;
  for (int i = 0; i < 300; ++i) {
    outcome = it.tick(milliseconds{5});
    asked += static_cast<std::size_t>(std::count_if(outcome.send.begin(), outcome.send.end(),
                                                    [](const auto& frame) { return frame.port == kHosts; }));
    given_up += outcome.given_up.size();
    if (given_up > 0) break;
  }
  CHECK(asked == static_cast<std::size_t>(NeighborResolver::kTriesMax));
  CHECK(given_up == 1);
  CHECK(it.now - seconds{100} == NeighborResolver::kTriesMax * NeighborResolver::kRetryAfter);
  REQUIRE(it.wait(1, "10.1.0.9", outcome = {}));
  CHECK(outcome.send.size() == 1);  // from the start again
}

TEST_CASE("only so many packets wait for one next hop, and all are accounted for", "[neighbors]") {
  Resolving it;
  Outcome outcome;
  for (int i = 0; i < 40; ++i) CHECK(it.wait(i, "10.1.0.9", outcome) == (i < 8));
  CHECK(it.wait(41, "10.1.0.10", outcome));
  CHECK(it.receive(it.answer_of("10.1.0.9")).ready.size() == 8);
}

TEST_CASE("a known host is asked again by name, and forgotten when it has gone", "[neighbors]") {
  Resolving it;
  Outcome outcome;
  REQUIRE(it.wait(0, "10.1.0.9", outcome));
  (void)it.receive(it.answer_of("10.1.0.9"));
  (void)it.tick(NeighborResolver::kFreshFor - milliseconds{1});
  const auto for_hosts = [](const Outcome& done) {
    std::vector<Bytes> frames;
    for (const auto& frame : done.send) {
      if (frame.port == kHosts) frames.push_back(frame.bytes);
    }
    return frames;
  };
  auto frames = for_hosts(it.tick(milliseconds{1}));
  REQUIRE(frames.size() == 1);
  CHECK(Bytes(frames[0].begin(), frames[0].begin() + 6) == Bytes(kHost.begin(), kHost.end()));  // not to everybody
  CHECK_FALSE(it.receive(it.answer_of("10.1.0.9")).changed);
  CHECK(it.knows("10.1.0.9"));
  (void)it.tick(NeighborResolver::kFreshFor);
  bool forgotten = false;
  for (int i = 0; i < 6; ++i) {
    CHECK(it.knows("10.1.0.9") == !forgotten);
    forgotten = it.tick(NeighborResolver::kRetryAfter).changed || forgotten;
  }
  CHECK(forgotten);
  CHECK_FALSE(it.knows("10.1.0.9"));
}

TEST_CASE("routers are asked for from the start and for ever, and at once when their port comes up", "[neighbors]") {
  Resolving it;
  const auto asked_east = [](const Outcome& done) {
    return std::count_if(done.send.begin(), done.send.end(), [](const auto& frame) { return frame.port == kEast; });
  };
  CHECK(asked_east(it.tick()) == 1);
  for (int i = 0; i < 50; ++i) CHECK(asked_east(it.tick(NeighborResolver::kRetryAfter)) == 1);
  Outcome outcome;
  CHECK(it.wait(0, "fd00:1::2", outcome, kEast));
  CHECK(it.tick(NeighborResolver::kRetryAfter).given_up.size() == 1);
  const Bytes answer = neighbor_reply({2, 7, 7, 7, 7, 1}, ip("fd00:1::2"),
                                      {.sender = ip("fd00:1::1"), .target = ip("fd00:1::2"), .mac = {2}});
  CHECK(it.receive(answer, kEast).changed);
  CHECK(it.knows("fd00:1::2", kEast));
  CHECK(asked_east(it.tick(seconds{1})) == 0);
  it.resolver.port_came_up(kEast);
  CHECK(asked_east(it.tick()) == 1);
  CHECK(it.knows("fd00:1::2", kEast));
}

TEST_CASE("who asks for one of our addresses is answered and learnt", "[neighbors]") {
  for (const char* host : {"10.1.0.9", "2001:db8:1::9"}) {
    Resolving it;
    const IpAddress own = ip(host).is_v6() ? ip("2001:db8:1::1") : ip("10.1.0.1");
    const Outcome outcome = it.receive(neighbor_request(kHost, ip(host), own, nullptr));
    REQUIRE(outcome.send.size() == 1);
    const auto answer = parse_neighbor_message(outcome.send[0].bytes);
    REQUIRE(answer);
    CHECK(answer->kind == NeighborMessage::Kind::kReply);
    CHECK(answer->target == own);
    CHECK(answer->mac == it.node.facts.ports[kHosts].mac);
    CHECK(it.knows(host));
    CHECK(it.receive(neighbor_request(kHost, ip(host), ip(host), nullptr)).send.empty());
  }
}

TEST_CASE("what was not asked for, lies elsewhere or is our own is not learnt", "[neighbors]") {
  Resolving it;
  const auto request = [&](std::string_view from, const MacAddress& mac = kHost) {
    (void)it.receive(neighbor_request(mac, ip(from), ip(from).is_v6() ? ip("2001:db8:1::1") : ip("10.1.0.1"), nullptr));
    return it.knows(from);
  };
  CHECK_FALSE(it.receive(it.answer_of("10.1.0.9")).changed);  // nobody asked
  CHECK_FALSE(request("10.2.0.9"));
  CHECK_FALSE(request("0.0.0.0"));
  CHECK_FALSE(request("10.1.0.1"));
  CHECK_FALSE(request("2001:db8:2::9"));
  CHECK_FALSE(request("fd00:1::2"));
  CHECK_FALSE(request("10.1.0.9", {3, 0, 0, 0, 0, 1}));  // a group's address
  CHECK_FALSE(request("10.1.0.9", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  CHECK(request("10.1.0.9"));
  CHECK(it.resolver.entries().size() == 1);
  CHECK(it.receive({1, 2, 3}).send.empty());

  Resolving two;  // the second address of a port lies in the first one's prefix
  two.node.facts.ports[kHosts].addresses.push_back({ip("10.1.0.2"), 16});
  (void)two.receive(neighbor_request(kHost, ip("10.1.0.2"), ip("10.1.0.1"), nullptr));
  CHECK_FALSE(two.knows("10.1.0.2"));
}

TEST_CASE("a host that moves says so to all, and is found where it is", "[neighbors]") {
  Resolving it;
  Outcome outcome;
  REQUIRE(it.wait(0, "10.1.0.9", outcome));
  (void)it.receive(it.answer_of("10.1.0.9"));
  const MacAddress moved{2, 8, 8, 8, 8, 10};
  CHECK(it.receive(neighbor_request(moved, ip("10.1.0.9"), ip("10.1.0.9"), nullptr)).changed);
  CHECK(it.resolver.entries()[0].mac == moved);
  (void)it.receive(neighbor_request(moved, ip("10.1.0.10"), ip("10.1.0.10"), nullptr));
  CHECK_FALSE(it.knows("10.1.0.10"));
}

TEST_CASE("questions come from the port's address in the same prefix", "[neighbors]") {
  Resolving it;
  it.node.facts.ports[kHosts].addresses.push_back({ip("10.77.0.1"), 24});
  Outcome outcome;
  REQUIRE(it.wait(0, "10.77.0.9", outcome));
  CHECK(parse_neighbor_message(outcome.send.at(0).bytes)->sender == ip("10.77.0.1"));
  REQUIRE(it.wait(0, "10.1.0.9", outcome));
  CHECK(parse_neighbor_message(outcome.send.at(1).bytes)->sender == ip("10.1.0.1"));
}

TEST_CASE("fixed neighbours are known from the start, never asked for and never changed", "[neighbors]") {
  SmallNode node;
  const MacAddress mac{2, 7, 7, 7, 7, 7};
  const std::vector<NeighborResolver::Static> fixed{{kEast, mac}};
  NeighborResolver resolver{node.facts, fixed};
  REQUIRE(resolver.entries().size() == 1);
  for (int i = 0; i < 20; ++i) {
    for (const auto& frame : resolver.tick(i * seconds{20}).send) CHECK(frame.port != kEast);
  }
  (void)resolver.receive(neighbor_request(kHost, ip("fd00:1::2"), ip("fd00:1::1"), nullptr), kEast, seconds{500});
  resolver.port_came_up(kEast);
  CHECK(resolver.entries()[0].mac == mac);
}

TEST_CASE("a neighbour table finds what it was made of, by port and address", "[neighbors]") {
  SmallNode node;
  Rng rng{1, "hosts"};
  std::vector<NeighborTable::Entry> entries;
  for (std::uint16_t i = 0; i < 500; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8), low = static_cast<std::uint8_t>(i);
    entries.push_back(
        {static_cast<std::uint16_t>(i % 2 == 0 ? 0 : 3), IpAddress::v4({10, 1, high, low}), {2, 1, high, low, 0, 0}});
    entries.push_back(
        {0, IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, high, low}), {2, 2, high, low, 0, 0}});
  }
  entries.push_back({1, ip("fd00:1::2"), {2, 3, 0, 0, 0, 0}});
  const NeighborTable table{entries, node.facts.ports};
  for (const auto& entry : entries) {
    const auto bytes = std::span{entry.address.bytes()}.first(entry.address.size());
    REQUIRE(table.host(entry.port, bytes) != nullptr);
    REQUIRE(*table.host(entry.port, bytes) == entry.mac);
    REQUIRE(table.host(2, bytes) == nullptr);
  }
  REQUIRE(table.core_neighbor(1) != nullptr);
  CHECK(*table.core_neighbor(1) == MacAddress{2, 3, 0, 0, 0, 0});
  CHECK(table.core_neighbor(2) == nullptr);
  CHECK(table.core_neighbor(0) == nullptr);
  const IpAddress absent = ip("10.1.9.9");
  CHECK(table.host(0, std::span{absent.bytes()}.first(4)) == nullptr);
  CHECK(NeighborTable{}.host(0, std::span{absent.bytes()}.first(4)) == nullptr);
  CHECK(NeighborTable{}.core_neighbor(0) == nullptr);
}

}  // namespace
}  // namespace wan::dataplane::test
