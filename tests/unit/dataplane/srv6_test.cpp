#include "dataplane/srv6.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"
#include "dataplane/forwarder.h"
#include "tests/unit/dataplane/wired_network.h"

namespace wan::dataplane::test {
namespace {

IpAddress sid(std::size_t node, std::uint8_t function) {
  return IpAddress::v6({0xfc, 0, 0, 0, 0, static_cast<std::uint8_t>(node), 0, 0, 0, 0, 0, 0, 0, 0, 0, function});
}
constexpr Sid kSource{0xfc, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

Bytes from_hex(std::string_view text) {
  const auto digit = [](char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

TEST_CASE("encapsulation has the bytes that RFC 8986 and RFC 8754 say", "[srv6]") {
  const Bytes inner =
      between(ipv4({.traffic_class = 0xb8}, udp(1, 2)), IpAddress::v4({10, 0, 0, 1}), IpAddress::v4({10, 0, 0, 2}));
  SECTION("one segment: no routing header") {
    const std::vector<IpAddress> segments{sid(2, 0x46)};
    ExactFrame frame{inner, 40};
    REQUIRE(OuterHeaders{kSource, segments}.push(frame.buffer(), 4, 0xb8, 0xfabcdef));
    CHECK(frame.bytes() == from_hex("6b8bcdef"
                                    "0020"
                                    "04"
                                    "40"
                                    "fc000000000100000000000000000001"
                                    "fc000000000200000000000000000046") +
                               inner);
  }
  SECTION("three segments: the first one only in the destination, the others reversed") {
    const std::vector<IpAddress> segments{sid(2, 1), sid(3, 1), sid(4, 0x46)};
    ExactFrame frame{inner, 80};
    REQUIRE(OuterHeaders{kSource, segments}.push(frame.buffer(), 4, 0, 5));
    CHECK(frame.bytes() == from_hex("60000005"
                                    "0048"
                                    "2b"
                                    "40"
                                    "fc000000000100000000000000000001"
                                    "fc000000000200000000000000000001"
                                    "04"
                                    "04"
                                    "04"
                                    "02"
                                    "01"
                                    "00"
                                    "0000"
                                    "fc000000000400000000000000000046"
                                    "fc000000000300000000000000000001") +
                               inner);
  }
}

TEST_CASE("segment lists of 1 to 16 advance one by one and end as the packet that went in", "[srv6]") {
  Rng rng{4, "srv6"};
  for (std::size_t count = 1; count <= kSegmentsMax; ++count) {
    for (const bool v6 : {false, true}) {
      std::vector<IpAddress> segments;
      for (std::size_t i = 0; i < count; ++i) segments.push_back(sid(rng.below(256), static_cast<std::uint8_t>(i)));
      const Bytes inner = v6 ? ipv6(17, udp(1, 2)) : ipv4({}, udp(3, 4, rng.below(100)));
      const OuterHeaders outer{kSource, segments};
      REQUIRE(outer.size() == 40 + (count == 1 ? 0 : 8 + 16 * (count - 1)));
      REQUIRE(outer.size() <= kOuterBytesMax);
      REQUIRE(IpAddress::v6(outer.first_segment()) == segments[0]);
      ExactFrame tight{inner, outer.size() - 1};
      REQUIRE_FALSE(outer.push(tight.buffer(), 4, 0, 0));
      REQUIRE(tight.bytes() == inner);

      ExactFrame frame{inner, outer.size()};
      PacketBuffer& packet = frame.buffer();
      const std::uint8_t protocol = v6 ? 41 : 4;
      REQUIRE(outer.push(packet, protocol, 0, 0));
      for (std::size_t at = 0;; ++at) {
        INFO(count << " segments, at " << at);
        const Bytes bytes = frame.bytes();
        REQUIRE(Bytes(bytes.begin() + 24, bytes.begin() + 40) ==
                Bytes(segments[at].bytes().begin(), segments[at].bytes().end()));
        REQUIRE(bytes.size() == 40U + std::size_t{bytes[4]} * 256 + bytes[5]);
        const SegmentPacket parsed = parse_segment_packet(packet.bytes());
        if (at + 1 == count) {  // the routing header went with the last advance (PSP)
          REQUIRE(parsed.kind == SegmentPacket::Kind::kInner);
          REQUIRE(parsed.inner_protocol == protocol);
          packet.trim_front(kIpv6HeaderBytes);
          break;
        }
        REQUIRE(parsed.kind == SegmentPacket::Kind::kRouting);
        REQUIRE(parsed.routing.segments_left == count - 1 - at);
        REQUIRE(parsed.routing.last_entry == count - 2);
        REQUIRE(parsed.routing.next_header == protocol);
        advance_segment(packet, parsed.routing);
      }
      REQUIRE(frame.bytes() == inner);
    }
  }
}

TEST_CASE("a list that is not reduced, or has TLVs behind it, advances too", "[srv6]") {
  const Bytes inner = ipv6(17, udp(1, 2));
  const auto listed = [](const IpAddress& a) { return Bytes(a.bytes().begin(), a.bytes().end()); };
  const Bytes tlv{4, 6, 0, 0, 0, 0, 0, 0};
  const Bytes routing = Bytes{41, 5, 4, 1, 1, 0, 0, 0} + listed(sid(3, 0x46)) + listed(sid(2, 1)) + tlv;
  const Bytes packet = between(ipv6(43, routing + inner), sid(1, 1), sid(2, 1));
  ExactFrame frame{packet, 0};
  const SegmentPacket parsed = parse_segment_packet(frame.buffer().bytes());
  REQUIRE(parsed.kind == SegmentPacket::Kind::kRouting);
  CHECK(parsed.routing.size == 48);
  advance_segment(frame.buffer(), parsed.routing);
  CHECK(frame.bytes() == between(ipv6(41, inner), sid(1, 1), sid(3, 0x46)));
}

TEST_CASE("routing headers that do not hold what they claim are malformed, others are none of ours", "[srv6]") {
  const auto kind = [](std::uint8_t next, const Bytes& behind) {
    const Bytes packet = ipv6(next, behind);
    ExactFrame frame{packet, 0};
    return parse_segment_packet(frame.buffer().bytes()).kind;
  };
  using Kind = SegmentPacket::Kind;
  const Bytes room(200, 0);
  CHECK(kind(43, {}) == Kind::kMalformed);
  CHECK(kind(43, {41, 2, 4, 1, 0, 0, 0}) == Kind::kMalformed);
  CHECK(kind(43, Bytes{41, 2, 4, 1, 0, 0, 0, 0} + Bytes(15, 0)) == Kind::kMalformed);  // ends within the list
  CHECK(kind(43, Bytes{41, 0, 4, 0, 0, 0, 0, 0} + room) == Kind::kMalformed);          // no room for entry 0
  CHECK(kind(43, Bytes{41, 2, 4, 1, 1, 0, 0, 0} + room) == Kind::kMalformed);          // two entries in one's room
  CHECK(kind(43, Bytes{41, 3, 4, 1, 1, 0, 0, 0} + room) == Kind::kMalformed);
  CHECK(kind(43, Bytes{41, 2, 4, 2, 0, 0, 0, 0} + room) == Kind::kMalformed);  // left > last + 1
  CHECK(kind(43, Bytes{41, 255, 4, 1, 0, 0, 0, 0} + room) == Kind::kMalformed);
  CHECK(kind(43, Bytes{41, 2, 4, 1, 0, 0, 0, 0} + Bytes(16, 0)) == Kind::kRouting);
  CHECK(kind(43, Bytes{41, 2, 4, 0, 0, 0, 0, 0} + Bytes(16, 0)) == Kind::kRouting);
  CHECK(kind(43, Bytes{41, 2, 2, 1, 0, 0, 0, 0} + room) == Kind::kOther);  // another routing type
  CHECK(kind(17, room) == Kind::kOther);
  CHECK(kind(44, room) == Kind::kOther);
  CHECK(kind(4, room) == Kind::kInner);
  CHECK(kind(41, {}) == Kind::kInner);
}

TEST_CASE("a packet that would pass 65,535 bytes is not encapsulated", "[srv6]") {
  const std::vector<IpAddress> segments{sid(1, 1), sid(2, 0x46)};
  const OuterHeaders outer{kSource, segments};
  const std::uint32_t most = 65535 - 24;
  ExactFrame fits{Bytes(most, 0x45), 64}, not_quite{Bytes(most + 1, 0x45), 64};
  CHECK(outer.push(fits.buffer(), 4, 0, 0));
  CHECK(fits.bytes()[4] == 0xff);
  CHECK(fits.bytes()[5] == 0xff);
  CHECK_FALSE(outer.push(not_quite.buffer(), 4, 0, 0));
  CHECK(not_quite.buffer().length == most + 1);
}

}  // namespace
}  // namespace wan::dataplane::test
