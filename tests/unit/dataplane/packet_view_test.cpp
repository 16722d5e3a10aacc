#include "dataplane/packet_view.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/random.h"
#include "dataplane/flow_observation.h"
#include "dataplane/link_type.h"
#include "tests/unit/dataplane/packet_bytes.h"

namespace wan::dataplane::test {
namespace {

constexpr std::uint16_t kLinkTypes[] = {0, 1, 9, 12, 14, 50, 101, 104, 108, 113, 228, 229, 276, 105, 999};

/// A frame of each kind that the parser knows.
std::vector<Bytes> samples() {
  const Bytes v4 = ipv4({.protocol = 6}, tcp(80, 4000, 0x12));
  const Bytes v6 = ipv6(17, udp(5000, 443));
  const Bytes chain = extension(43) + extension(44, 3, 4) + fragment_header(60, 0, true, 9) + extension(51) +
                      Bytes{17, 4, 0, 0} + Bytes(20, 1) + udp(1, 2);
  return {ethernet(0x0800, v4),
          ethernet(0x86dd, v6),
          ethernet(0x88a8, vlan(5, 0x8100, vlan(6, 0x9100, vlan(7, 0x8100, vlan(8, 0x0800, v4))))),
          ethernet(0x8926, Bytes{1, 2, 3, 4} + be16(0x86dd) + v6),
          ethernet(0x8847, be32(0x11040) + be32(0x12140) + v4),
          ethernet(0x8847, be32(0x12140) + v6),
          ethernet(0x8864, Bytes{0x11, 0, 0, 1} + be16(2 + v4.size()) + be16(0x0021) + v4),
          ethernet(8 + v4.size(), Bytes{0xaa, 0xaa, 3, 0, 0, 0} + be16(0x0800) + v4),
          ethernet(0x0800, ipv4({.protocol = 1, .options = Bytes(40, 1)}, {8, 0, 1, 2, 3, 4})),
          ethernet(0x0800, ipv4({.fragment = 0x2010}, Bytes(64, 3))),
          ethernet(0x86dd, ipv6(0, chain)),
          ethernet(0x0806, Bytes(28, 0)),
          Bytes(14, 0) + be16(0x0800) + v4,
          be16(0x86dd) + Bytes(18, 0) + v6,
          Bytes{2, 0, 0, 0} + v4,
          Bytes{0xff, 3, 0, 0x21} + v4,
          v4,
          v6};
}

/// What holds for any bytes: every offset within them, and every promise of the header comment.
void check_sound(const PacketView& view, std::size_t size) {
  REQUIRE(view.size == size);
  if (view.status != PacketStatus::kIp) return;
  REQUIRE((view.ip_version == 4 || view.ip_version == 6));
  REQUIRE(view.l3_offset >= view.link_length);
  REQUIRE(std::size_t{view.l3_offset} + view.ip_header_length <= size);
  REQUIRE(std::size_t{view.l3_offset} + view.ip_captured <= size);
  REQUIRE((view.ip_length == 0 || view.ip_captured <= view.ip_length));
  REQUIRE(view.vlan_tags <= 4);
  REQUIRE(view.mpls_labels <= 16);
  if (view.l4_offset != 0) {
    REQUIRE(view.l4_offset >= view.l3_offset + view.ip_header_length);
    REQUIRE(std::size_t{view.l4_offset} < std::size_t{view.l3_offset} + view.ip_captured);
    REQUIRE(view.fragment_offset == 0);
  } else {
    REQUIRE(view.source_port == 0);
    REQUIRE(view.destination_port == 0);
  }
  if (view.srh_offset != 0) REQUIRE(std::size_t{view.srh_offset} + 8 <= size);
  REQUIRE(unpack(pack(flow_key(view))) == flow_key(view));
}

/// The way without a view comes to the same.
void check_short_way(std::uint16_t link_type, const Bytes& frame) {
  const PacketView view = parse_link(link_type, frame);
  FlowObservation seen;
  seen.key.zero = 0xffff;  // whatever was there before
  seen.key.source.fill(0xee);
  REQUIRE(observe_frame(link_type, frame, 42, seen) == view.status);
  if (view.status != PacketStatus::kIp) return;
  const FlowObservation expected = observe(view, 42);
  REQUIRE(seen.key == expected.key);
  REQUIRE(seen.time_ns == 42);
  REQUIRE(seen.ip_length == expected.ip_length);
  REQUIRE(seen.tcp_flags == expected.tcp_flags);
  REQUIRE(seen.traffic_class == expected.traffic_class);
}

}  // namespace

TEST_CASE("a TCP packet over Ethernet and IPv4 is read field by field", "[packet_view]") {
  const Bytes frame = ethernet(
      0x0800, ipv4({.protocol = 6, .traffic_class = 0xb9, .id = 0x1234}, tcp(80, 4000, 0x12, 10)) + Bytes(6, 0));
  const PacketView view = parse_ethernet(frame);
  REQUIRE(view.status == PacketStatus::kIp);
  CHECK(view.ip_version == 4);
  CHECK(view.link_length == 14);
  CHECK(view.ethertype == 0x0800);
  CHECK(view.l3_offset == 14);
  CHECK(view.ip_header_length == 20);
  CHECK(view.l4_offset == 34);
  CHECK(view.ip_length == 50);
  CHECK(view.ip_captured == 50);  // without the padding
  CHECK(view.whole());
  CHECK(view.protocol == 6);
  CHECK(view.traffic_class == 0xb9);
  CHECK(view.hop_limit == 64);
  CHECK(view.source_port == 80);
  CHECK(view.destination_port == 4000);
  CHECK(view.tcp_flags == 0x12);
  CHECK(view.fragment_id == 0x1234);
  CHECK_FALSE(view.is_fragment());
  CHECK(view.headers_complete);
  const FlowKey key = flow_key(view);
  CHECK(key.source.to_string() == "10.0.0.1");
  CHECK(key.destination.to_string() == "10.0.0.2");
  CHECK(key.source_port == 80);
  CHECK(key.protocol == 6);
}

TEST_CASE("IPv6 is read behind up to four VLAN tags and not behind five", "[packet_view]") {
  Bytes inner = ipv6(17, udp(5000, 443), 0x2e);
  std::size_t type = 0x86dd;
  for (std::uint8_t tags = 0; tags <= 5; ++tags) {
    const PacketView view = parse_ethernet(ethernet(type, inner));
    if (tags == 5) {
      CHECK(view.status == PacketStatus::kNotIp);
      break;
    }
    REQUIRE(view.status == PacketStatus::kIp);
    CHECK(view.vlan_tags == tags);
    CHECK(view.link_length == 14 + 4 * tags);
    CHECK(view.ethertype == 0x86dd);
    CHECK(view.ip_version == 6);
    CHECK(view.ip_length == 52);
    CHECK(view.traffic_class == 0x2e);
    CHECK(view.destination_port == 443);
    inner = vlan(tags, type, inner);
    type = tags % 2 == 0 ? 0x8100 : 0x88a8;
  }
}

TEST_CASE("IP is found behind MPLS labels, PPPoE and LLC/SNAP", "[packet_view]") {
  const Bytes v4 = ipv4({}, udp(1, 2));
  const PacketView mpls = parse_ethernet(ethernet(0x8847, be32(0x11040) + be32(0x12140) + v4));
  REQUIRE(mpls.status == PacketStatus::kIp);
  CHECK(mpls.mpls_labels == 2);
  CHECK(mpls.link_length == 14);
  CHECK(mpls.l3_offset == 22);
  CHECK(mpls.destination_port == 2);
  const PacketView pppoe =
      parse_ethernet(ethernet(0x8864, Bytes{0x11, 0, 0, 1} + be16(2 + v4.size()) + be16(0x0021) + v4));
  REQUIRE(pppoe.status == PacketStatus::kIp);
  CHECK(pppoe.l3_offset == 22);
  const PacketView snap = parse_ethernet(ethernet(8 + v4.size(), Bytes{0xaa, 0xaa, 3, 0, 0, 0} + be16(0x0800) + v4));
  REQUIRE(snap.status == PacketStatus::kIp);
  CHECK(snap.l3_offset == 22);
  CHECK(parse_ethernet(ethernet(0x8847, be32(0x12140) + Bytes{0, 0, 0, 0} + v4)).status == PacketStatus::kNotIp);
  CHECK(parse_ethernet(ethernet(0x8847, be32(0x11040))).status == PacketStatus::kMalformed);
}

TEST_CASE("only the first fragment has ports, all keep their number and offset", "[packet_view]") {
  const PacketView first = parse_ethernet(ethernet(0x0800, ipv4({.id = 99, .fragment = 0x2000}, udp(7, 8))));
  CHECK(first.source_port == 7);
  CHECK(first.more_fragments);
  CHECK(first.fragment_id == 99);
  const PacketView later = parse_ethernet(ethernet(0x0800, ipv4({.id = 99, .fragment = 0x0003}, Bytes(24, 9))));
  CHECK(later.status == PacketStatus::kIp);
  CHECK(later.fragment_offset == 24);
  CHECK(later.l4_offset == 0);
  CHECK(later.source_port == 0);
  CHECK(later.is_fragment());
  const PacketView v6 = parse_ip(ipv6(44, fragment_header(17, 1448, true, 0xabcdef01) + Bytes(16, 5)));
  CHECK(v6.protocol == 17);
  CHECK(v6.fragment_offset == 1448);
  CHECK(v6.more_fragments);
  CHECK(v6.fragment_id == 0xabcdef01);
  CHECK(v6.l4_offset == 0);
}

TEST_CASE("extension headers are followed up to eight, and segment routing is recognised", "[packet_view]") {
  const PacketView srv6 = parse_ip(ipv6(43, extension(4, 3, 4) + ipv4({}, udp(1, 2))));
  CHECK(srv6.srh_offset == 40);
  CHECK(srv6.protocol == 4);
  CHECK(srv6.l4_offset == 64);
  CHECK(srv6.source_port == 0);
  for (std::size_t count = 0; count <= 12; ++count) {
    Bytes chain = udp(1, 2);
    for (std::size_t i = 0; i < count; ++i) chain = extension(i == 0 ? 17 : 60) + chain;
    const PacketView view = parse_ip(ipv6(count == 0 ? 17 : 60, chain));
    REQUIRE(view.status == PacketStatus::kIp);
    CHECK(view.headers_complete == (count <= 8));
    CHECK(view.protocol == (count <= 8 ? 17 : 60));
    CHECK(view.destination_port == (count <= 8 ? 2 : 0));
  }
  const PacketView cut = parse_ip(ipv6(60, extension(17, 4).size() > 8 ? Bytes{17, 3, 0, 0, 0, 0, 0, 0} : Bytes{}));
  CHECK(cut.status == PacketStatus::kIp);
  CHECK_FALSE(cut.headers_complete);
  CHECK(cut.protocol == 60);
}

TEST_CASE("headers that contradict themselves are malformed, cut packets are not", "[packet_view]") {
  const Bytes good = ipv4({}, udp(1, 2, 100));
  Bytes short_header = good;
  short_header[0] = 0x44;
  CHECK(parse_ethernet(ethernet(0x0800, short_header)).status == PacketStatus::kMalformed);
  Bytes wrong_version = good;
  wrong_version[0] = 0x65;
  CHECK(parse_ethernet(ethernet(0x0800, wrong_version)).status == PacketStatus::kMalformed);
  CHECK(parse_ethernet(ethernet(0x0800, ipv4({.claimed = 19}, udp(1, 2)))).status == PacketStatus::kMalformed);
  CHECK(parse_ethernet(ethernet(0x86dd, good)).status == PacketStatus::kMalformed);
  CHECK(parse_ethernet(Bytes(13, 0)).status == PacketStatus::kMalformed);

  Bytes cut = ethernet(0x0800, good);
  cut.resize(14 + 20 + 8);
  const PacketView view = parse_ethernet(cut);
  CHECK(view.status == PacketStatus::kIp);
  CHECK(view.ip_length == 128);
  CHECK(view.ip_captured == 28);
  CHECK_FALSE(view.whole());
  CHECK(view.destination_port == 2);

  const PacketView offloaded = parse_ethernet(ethernet(0x0800, ipv4({.claimed = 0}, udp(1, 2))));
  CHECK(offloaded.status == PacketStatus::kIp);
  CHECK(offloaded.ip_captured == 32);
  CHECK_FALSE(offloaded.whole());
  CHECK(offloaded.destination_port == 2);
}

TEST_CASE("a transport header beyond the claimed length is padding", "[packet_view]") {
  const PacketView view = parse_ethernet(ethernet(0x0800, ipv4({.claimed = 22}, udp(1, 2))));
  CHECK(view.status == PacketStatus::kIp);
  CHECK(view.ip_captured == 22);
  CHECK(view.destination_port == 0);
  CHECK(view.l4_offset == 0);
}

TEST_CASE("a jumbo payload option gives the length of a packet with payload length zero", "[packet_view]") {
  const Bytes options = Bytes{17, 0, 0xc2, 4} + be32(100'000);
  const PacketView view = parse_ip(ipv6(0, options + udp(1, 2), 0, 0));
  CHECK(view.status == PacketStatus::kIp);
  CHECK(view.ip_length == 100'040);
  CHECK(view.destination_port == 2);
  CHECK(parse_ip(ipv6(17, {}, 0, 0)).ip_length == 40);
}

TEST_CASE("every link type leads to the same packet", "[link_type]") {
  const Bytes v4 = ipv4({}, udp(1, 2));
  const Bytes v6 = ipv6(17, udp(1, 2));
  const auto ports_behind = [](std::uint16_t type, const Bytes& frame) {
    const PacketView view = parse_link(type, frame);
    return view.status == PacketStatus::kIp ? view.destination_port : 0;
  };
  CHECK(ports_behind(1, ethernet(0x0800, v4)) == 2);
  CHECK(ports_behind(113, Bytes(14, 0) + be16(0x86dd) + v6) == 2);
  CHECK(ports_behind(276, be16(0x0800) + Bytes(18, 0) + v4) == 2);
  for (const std::uint16_t raw : std::initializer_list<std::uint16_t>{12, 14, 101, 228})
    CHECK(ports_behind(raw, v4) == 2);
  CHECK(ports_behind(229, v6) == 2);
  CHECK(ports_behind(0, Bytes{2, 0, 0, 0} + v4) == 2);
  CHECK(ports_behind(0, Bytes{0, 0, 0, 30} + v6) == 2);
  CHECK(ports_behind(108, Bytes{0, 0, 0, 24} + v6) == 2);
  CHECK(ports_behind(9, Bytes{0xff, 3, 0, 0x57} + v6) == 2);
  CHECK(ports_behind(9, Bytes{0x21} + v4) == 2);
  CHECK(ports_behind(50, Bytes{0x0f, 0, 8, 0} + v4) == 2);
  CHECK(ports_behind(104, Bytes{0x0f, 0, 8, 0} + v4) == 2);
  CHECK(parse_link(105, v4).status == PacketStatus::kNotIp);
}

TEST_CASE("no prefix of a frame leads the parser beyond its bytes", "[packet_view]") {
  for (const Bytes& sample : samples()) {
    for (std::size_t size = 0; size <= sample.size(); ++size) {
      const Bytes prefix(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));  // its own allocation
      for (const std::uint16_t type : kLinkTypes) {
        check_sound(parse_link(type, prefix), size);
        check_short_way(type, prefix);
      }
    }
  }
}

TEST_CASE("no mutation of a frame leads the parser beyond its bytes", "[packet_view]") {
  constexpr std::uint64_t kSeed = 20'240'601;
  INFO("seed " << kSeed);
  Rng rng{kSeed, "frames"};
  const auto originals = samples();
  std::size_t parsed = 0;
  for (int round = 0; round < 60'000; ++round) {
    Bytes frame = originals[rng.below(originals.size())];
    for (std::uint64_t n = rng.below(6); n > 0; --n) {
      frame[rng.below(frame.size())] = static_cast<std::uint8_t>(rng.next());
    }
    frame.resize(rng.below(4) == 0 ? rng.below(frame.size() + 1) : frame.size());
    frame.shrink_to_fit();
    const std::uint16_t type = rng.below(2) == 0 ? std::uint16_t{1} : kLinkTypes[rng.below(std::size(kLinkTypes))];
    const PacketView view = parse_link(type, frame);
    check_sound(view, frame.size());
    if (view.status == PacketStatus::kIp) ++parsed;
    check_short_way(type, frame);
  }
  CHECK(parsed > 1000);
}

}  // namespace wan::dataplane::test
