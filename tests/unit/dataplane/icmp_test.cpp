#include "dataplane/icmp.h"

#include <catch2/catch.hpp>

#include "core/random.h"
#include "dataplane/big_endian.h"
#include "dataplane/neighbor_messages.h"
#include "tests/unit/dataplane/small_node.h"

namespace wan::dataplane::test {
namespace {

const IpAddress kOwn4 = ip("10.1.0.1"), kOwn6 = ip("2001:db8:1::1");

Bytes v4(const Ipv4& header, const Bytes& payload, std::string_view from = "10.1.0.9",
         std::string_view to = "10.2.0.9") {
  return between(ipv4(header, payload), ip(from), ip(to));
}
Bytes v6(std::uint8_t next, const Bytes& payload, std::string_view from = "2001:db8:1::9",
         std::string_view to = "2001:db8:2::9") {
  return between(ipv6(next, payload), ip(from), ip(to));
}

/// Lengths and both checksums are right; returns the ICMP message.
Bytes checked(const std::optional<std::vector<std::uint8_t>>& packet, const IpAddress& from, const IpAddress& to) {
  REQUIRE(packet);
  const PacketView view = parse_ip(*packet);
  REQUIRE(view.status == PacketStatus::kIp);
  REQUIRE(view.whole());
  REQUIRE(view.ip_length == packet->size());
  const FlowKey flow = flow_key(view);
  REQUIRE(flow.source == from);
  REQUIRE(flow.destination == to);
  REQUIRE(view.hop_limit == 64);
  const std::size_t header = view.ip_version == 4 ? 20 : 40;
  const Bytes icmp(packet->begin() + static_cast<std::ptrdiff_t>(header), packet->end());
  if (view.ip_version == 4) {
    REQUIRE(flow.protocol == 1);
    REQUIRE(has_sound_header(*packet));
    REQUIRE(checksum_finish(checksum_add(icmp, 0)) == 0);
  } else {
    REQUIRE(flow.protocol == 58);
    REQUIRE(ipv6_checksum(from, to, 58, icmp) == 0);
  }
  return icmp;
}
Bytes head(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}
Bytes tail(const Bytes& bytes, std::size_t from) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end()};
}

TEST_CASE("errors quote the packet, as much as fits the least packet that everybody takes", "[icmp]") {
  for (const std::size_t size : {0U, 1U, 37U, 520U, 521U, 1400U, 1452U}) {
    const Bytes small = v4({}, udp(1, 2, size)), large = v6(17, udp(1, 2, size));
    Bytes icmp = checked(time_exceeded(small, kOwn4), kOwn4, ip("10.1.0.9"));
    CHECK(head(icmp, 2) == Bytes{11, 0});
    CHECK(tail(icmp, 8) == head(small, std::min<std::size_t>(small.size(), 548)));
    icmp = checked(time_exceeded(large, kOwn6), kOwn6, ip("2001:db8:1::9"));
    CHECK(head(icmp, 2) == Bytes{3, 0});
    CHECK(tail(icmp, 8) == head(large, std::min<std::size_t>(large.size(), 1232)));
    icmp = checked(packet_too_big(small, kOwn4, 1436), kOwn4, ip("10.1.0.9"));
    CHECK(head(icmp, 2) == Bytes{3, 4});
    CHECK(load_be32(icmp.data() + 4) == 1436);
    icmp = checked(packet_too_big(large, kOwn6, 1436), kOwn6, ip("2001:db8:1::9"));
    CHECK(head(icmp, 2) == Bytes{2, 0});
    CHECK(load_be32(icmp.data() + 4) == 1436);
  }
}

TEST_CASE("there is no error about errors, later fragments, or what comes from or goes to no single host", "[icmp]") {
  const auto told = [](const Bytes& packet) {
    const IpAddress& own = packet[0] >> 4 == 4 ? kOwn4 : kOwn6;
    const bool exceeded = time_exceeded(packet, own).has_value();
    REQUIRE(packet_too_big(packet, own, 1400).has_value() == exceeded);
    return exceeded;
  };
  for (const std::uint8_t type : Bytes{3, 4, 5, 11, 12})
    CHECK_FALSE(told(v4({.protocol = 1}, Bytes{type, 0} + Bytes(40, 0))));
  for (const std::uint8_t type : Bytes{0, 8, 13, 14}) CHECK(told(v4({.protocol = 1}, Bytes{type, 0} + Bytes(40, 0))));
  for (const std::uint8_t type : Bytes{1, 2, 3, 4, 100, 127}) CHECK_FALSE(told(v6(58, Bytes{type, 0} + Bytes(40, 0))));
  for (const std::uint8_t type : Bytes{128, 129}) CHECK(told(v6(58, Bytes{type, 0} + Bytes(40, 0))));
  CHECK_FALSE(told(v6(60, extension(58) + Bytes{1, 0} + Bytes(40, 0))));
  CHECK(told(v4({.fragment = 0x2000}, udp(1, 2))));
  CHECK_FALSE(told(v4({.fragment = 0x2001}, udp(1, 2))));
  CHECK_FALSE(told(v4({.protocol = 1, .fragment = 0x0001}, udp(1, 2))));
  CHECK_FALSE(told(v6(44, fragment_header(17, 8, false, 1) + udp(1, 2))));
  for (const char* address : {"0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255"}) {
    CHECK_FALSE(told(v4({}, udp(1, 2), address)));
    CHECK_FALSE(told(v4({}, udp(1, 2), "10.1.0.9", address)));
  }
  for (const char* address : {"::", "ff02::1"}) {
    CHECK_FALSE(told(v6(17, udp(1, 2), address)));
    CHECK_FALSE(told(v6(17, udp(1, 2), "2001:db8:1::9", address)));
  }
  CHECK_FALSE(time_exceeded(v4({}, udp(1, 2)), kOwn6));
  CHECK_FALSE(time_exceeded({}, kOwn4));
  CHECK_FALSE(time_exceeded(Bytes{0x45, 0, 0}, kOwn4));
  // Nor about an error of ours.
  const auto error = time_exceeded(v4({}, udp(1, 2)), kOwn4);
  CHECK_FALSE(told(*error));
  CHECK_FALSE(told(*time_exceeded(v6(17, udp(1, 2)), kOwn6)));
}

TEST_CASE("an echo request is answered with what it held", "[icmp]") {
  Rng rng{1, "pings"};
  for (int i = 0; i < 300; ++i) {
    Bytes data(rng.below(1400));
    for (auto& byte : data) byte = static_cast<std::uint8_t>(rng.next());
    const Bytes rest = Bytes{0, 0, 0x12, 0x34, 0, 9} + data;
    Bytes icmp = checked(echo_reply(v4({.protocol = 1, .options = Bytes(4 * rng.below(3), 1)}, Bytes{8, 0} + rest)),
                         ip("10.2.0.9"), ip("10.1.0.9"));
    CHECK(head(icmp, 2) == Bytes{0, 0});
    CHECK(tail(icmp, 4) == tail(rest, 2));
    icmp = checked(echo_reply(v6(58, Bytes{128, 0} + rest)), ip("2001:db8:2::9"), ip("2001:db8:1::9"));
    CHECK(head(icmp, 2) == Bytes{129, 0});
    CHECK(tail(icmp, 4) == tail(rest, 2));
  }
}

TEST_CASE("nothing else is answered as an echo request", "[icmp]") {
  const Bytes ping{8, 0, 0, 0, 1, 2, 3, 4}, ping6{128, 0, 0, 0, 1, 2, 3, 4};
  CHECK(echo_reply(v4({.protocol = 1}, ping)));
  CHECK_FALSE(echo_reply(v4({.protocol = 1}, head(ping, 7))));
  CHECK_FALSE(echo_reply(v4({.protocol = 58}, ping6)));
  CHECK_FALSE(echo_reply(v4({.protocol = 17}, ping)));
  CHECK_FALSE(echo_reply(v4({.protocol = 1}, Bytes{0, 0, 0, 0, 1, 2, 3, 4})));
  CHECK_FALSE(echo_reply(v4({.protocol = 1, .fragment = 0x2000}, ping)));
  CHECK_FALSE(echo_reply(v4({.protocol = 1, .fragment = 1}, ping)));
  CHECK_FALSE(echo_reply(v4({.protocol = 1, .claimed = 200}, ping)));
  CHECK_FALSE(echo_reply(v4({.protocol = 1}, ping, "224.0.0.1")));
  CHECK_FALSE(echo_reply(v4({.protocol = 1}, ping, "10.1.0.9", "255.255.255.255")));
  CHECK(echo_reply(v6(58, ping6)));
  CHECK_FALSE(echo_reply(v6(58, Bytes{129, 0, 0, 0, 1, 2, 3, 4})));
  CHECK_FALSE(echo_reply(v6(58, ping6, "ff02::1")));
  CHECK_FALSE(echo_reply({}));
}

TEST_CASE("a rate limit lets a burst through, then so many a second", "[icmp]") {
  RateLimit limit{100.0};
  const Duration start = std::chrono::seconds{50};
  int burst = 0, later = 0;
  for (int i = 0; i < 1000; ++i) burst += limit.allow(start);
  CHECK(burst == 100);
  for (int ms = 1; ms <= 2000; ++ms) later += limit.allow(start + std::chrono::milliseconds{ms});
  CHECK(later >= 199);
  CHECK(later <= 201);
}

}  // namespace
}  // namespace wan::dataplane::test
