#include "dataplane/neighbor_messages.h"

#include <catch2/catch.hpp>

#include "core/random.h"
#include "dataplane/big_endian.h"
#include "tests/unit/dataplane/small_node.h"

namespace wan::dataplane::test {
namespace {

constexpr MacAddress kOwn{2, 0, 0, 0, 0, 1}, kTheirs{2, 0, 0, 0, 0, 2};

/// As Scapy makes it: Ether(src='02:00:00:00:00:02', dst='33:33:ff:00:00:01') /
/// IPv6(src='fd00::2', dst='ff02::1:ff00:1') / ICMPv6ND_NS(tgt='fd00::1') /
/// ICMPv6NDOptSrcLLAddr(lladdr='02:00:00:00:00:02').
const Bytes kSolicitation =
    Bytes{0x33, 0x33, 0xff, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255} +
    Bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1} +
    Bytes{135, 0, 0x7d, 0x97, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 2};
const Bytes kAdvertisement =
    Bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255} +
    Bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1} +
    Bytes{136, 0, 0, 0, 0xe0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 1, 2, 0, 0, 0, 0, 2};
const Bytes kArpRequest = Bytes(6, 0xff) +
                          Bytes{2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2} +
                          Bytes{0, 0, 0, 0, 0, 0, 10, 0, 0, 1};

/// With the checksum that it should have.
Bytes summed(Bytes frame) {
  frame[56] = frame[57] = 0;
  std::array<std::uint8_t, 16> from{}, to{};
  std::copy_n(frame.begin() + 22, 16, from.begin());
  std::copy_n(frame.begin() + 38, 16, to.begin());
  store_be16(frame.data() + 56,
             ipv6_checksum(IpAddress::v6(from), IpAddress::v6(to), 58, std::span{frame}.subspan(54)));
  return frame;
}
Bytes changed(Bytes frame, std::size_t at, std::uint8_t value) {
  frame.at(at) = value;
  return summed(frame);
}

TEST_CASE("requests and replies are read", "[neighbors]") {
  auto message = parse_neighbor_message(kArpRequest);
  REQUIRE(message);
  CHECK(message->kind == NeighborMessage::Kind::kRequest);
  CHECK(message->sender == ip("10.0.0.2"));
  CHECK(message->target == ip("10.0.0.1"));
  CHECK(message->mac == kTheirs);
  Bytes reply = kArpRequest + Bytes(18, 0);
  reply[21] = 2;
  message = parse_neighbor_message(reply);
  REQUIRE(message);
  CHECK(message->kind == NeighborMessage::Kind::kReply);
  CHECK(message->target == ip("10.0.0.2"));

  CHECK(summed(kSolicitation) == kSolicitation);
  message = parse_neighbor_message(kSolicitation);
  REQUIRE(message);
  CHECK(message->kind == NeighborMessage::Kind::kRequest);
  CHECK(message->sender == ip("fd00::2"));
  CHECK(message->target == ip("fd00::1"));
  CHECK(message->mac == kTheirs);
  message = parse_neighbor_message(summed(kAdvertisement));
  REQUIRE(message);
  CHECK(message->kind == NeighborMessage::Kind::kReply);
  CHECK(message->target == ip("fd00::2"));
  Bytes bare(kAdvertisement.begin(), kAdvertisement.end() - 8);  // the option may be left out
  bare[19] = 24;
  bare[11] = 9;
  message = parse_neighbor_message(summed(bare));
  REQUIRE(message);
  CHECK(message->mac == MacAddress{2, 0, 0, 0, 0, 9});
}

TEST_CASE("malformed neighbour messages are refused", "[neighbors]") {
  const auto refused = [](const Bytes& frame) { return !parse_neighbor_message(frame).has_value(); };
  for (std::size_t size = 0; size < kArpRequest.size(); ++size) {
    CHECK(refused({kArpRequest.begin(), kArpRequest.begin() + static_cast<std::ptrdiff_t>(size)}));
  }
  for (std::size_t size = 0; size < kSolicitation.size(); ++size) {
    CHECK(refused({kSolicitation.begin(), kSolicitation.begin() + static_cast<std::ptrdiff_t>(size)}));
  }
  for (std::size_t at = 12; at < 22; ++at) {  // hardware and protocol of the ARP packet, or no known operation
    Bytes frame = kArpRequest;
    frame[at] ^= 0x10;
    CHECK(refused(frame));
  }
  CHECK(refused(changed(kSolicitation, 21, 254)));   // has crossed a router
  CHECK(refused(changed(kSolicitation, 55, 1)));     // code
  CHECK(refused(changed(kSolicitation, 54, 133)));   // another message
  CHECK(refused(changed(kSolicitation, 62, 0xff)));  // target is a group
  CHECK(refused(changed(kSolicitation, 79, 0)));     // option without length
  CHECK(refused(changed(kSolicitation, 79, 2)));     // option beyond the end
  CHECK(refused(changed(kSolicitation, 22, 0xff)));  // from a group
  CHECK(refused(changed(kSolicitation, 20, 17)));
  CHECK(refused(changed(kSolicitation, 14, 0x40)));
  Bytes wrong_sum = kSolicitation;
  ++wrong_sum[57];
  CHECK(refused(wrong_sum));
  for (std::size_t at = 22; at < kSolicitation.size(); ++at) {
    wrong_sum = kSolicitation;
    wrong_sum[at] ^= 1;
    CHECK(refused(wrong_sum));
  }
  // A check whether an address is free comes from no address, to the group, and without an option (RFC 4861, 7.1.1).
  Bytes probe = kSolicitation;
  std::fill_n(probe.begin() + 22, 16, std::uint8_t{0});
  CHECK(refused(summed(probe)));
  probe.erase(probe.end() - 8, probe.end());
  probe[19] = 24;
  CHECK_FALSE(refused(summed(probe)));
  std::copy_n(kAdvertisement.begin() + 38, 16, probe.begin() + 38);
  CHECK(refused(summed(probe)));
  // An advertisement to everybody answers nobody (7.1.2).
  Bytes told = kAdvertisement;
  std::copy_n(kSolicitation.begin() + 38, 16, told.begin() + 38);
  CHECK(refused(summed(told)));
  CHECK_FALSE(refused(changed(told, 58, 0x20)));
}

TEST_CASE("what is written is read back", "[neighbors]") {
  Rng rng{3, "neighbours"};
  for (int i = 0; i < 500; ++i) {
    const auto last = [&] { return static_cast<std::uint8_t>(1 + rng.below(254)); };
    const bool v6 = rng.below(2) == 0;
    const auto address = [&] {
      if (!v6) return IpAddress::v4({10, last(), last(), last()});
      return IpAddress::v6({0x20, 1, last(), last(), 0, 0, 0, 0, 0, 0, 0, 0, 0, last(), last(), last()});
    };
    const IpAddress own = address(), theirs = address();
    const Bytes asked = neighbor_request(kOwn, own, theirs, rng.below(2) == 0 ? &kTheirs : nullptr);
    auto message = parse_neighbor_message(asked);
    REQUIRE(message);
    REQUIRE(message->kind == NeighborMessage::Kind::kRequest);
    REQUIRE(message->sender == own);
    REQUIRE(message->target == theirs);
    REQUIRE(message->mac == kOwn);
    const Bytes answered = neighbor_reply(kTheirs, theirs, *message);
    REQUIRE(Bytes(answered.begin(), answered.begin() + 6) == Bytes(kOwn.begin(), kOwn.end()));
    message = parse_neighbor_message(answered);
    REQUIRE(message);
    REQUIRE(message->kind == NeighborMessage::Kind::kReply);
    REQUIRE(message->target == theirs);
    REQUIRE(message->mac == kTheirs);
  }
}

TEST_CASE("requests have the bytes that other stations expect", "[neighbors]") {
  CHECK(neighbor_request(kTheirs, ip("fd00::2"), ip("fd00::1"), nullptr) == kSolicitation);
  CHECK(neighbor_request(kTheirs, ip("10.0.0.2"), ip("10.0.0.1"), nullptr) == kArpRequest + Bytes(18, 0));
  // Who checks whether an address is free is told by a message to everybody.
  const Bytes reply =
      neighbor_reply(kOwn, ip("fd00::1"), {.sender = ip("::"), .target = ip("fd00::1"), .mac = kTheirs});
  CHECK(Bytes(reply.begin(), reply.begin() + 6) == Bytes{0x33, 0x33, 0, 0, 0, 1});
  CHECK(parse_neighbor_message(reply));
}

TEST_CASE("the Internet checksum is that of RFC 1071, whatever the length", "[neighbors]") {
  const Bytes rfc{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(checksum_finish(checksum_add(rfc, 0)) == static_cast<std::uint16_t>(~0xddf2));
  Rng rng{5, "sums"};
  for (int i = 0; i < 300; ++i) {
    Bytes bytes(rng.below(i < 290 ? 200 : 200'000));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(i % 3 == 0 ? 0xff : rng.next());
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) sum += std::uint64_t{bytes[at]} << (at % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    REQUIRE(checksum_finish(checksum_add(bytes, 0)) == static_cast<std::uint16_t>(~sum));
  }
}

}  // namespace
}  // namespace wan::dataplane::test
