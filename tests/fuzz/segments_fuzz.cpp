// Any bytes behind an IPv6 header, taken apart and advanced segment by segment.

#include <cstring>

#include "dataplane/srv6.h"
#include "tests/fuzz/expectations.h"
#include "tests/unit/dataplane/wired_network.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using wan::dataplane::SegmentPacket;
  using wan::fuzz::expect;
  if (size < wan::dataplane::kIpv6HeaderBytes || size > 4096) return 0;
  wan::dataplane::test::Bytes bytes{data, data + size};
  bytes[0] = 0x60;
  bytes[4] = static_cast<std::uint8_t>((size - 40) >> 8);
  bytes[5] = static_cast<std::uint8_t>(size - 40);
  wan::dataplane::test::ExactFrame held{bytes, 0};
  auto& packet = held.buffer();
  const std::uint32_t room = packet.length;
  for (int advances = 0;; ++advances) {
    expect(advances <= 255, "segments come to an end");
    expect(packet.headroom + packet.length == room && packet.length >= 40, "the packet stays within its memory");
    expect(std::size_t{packet.data[4]} * 256 + packet.data[5] + 40 == packet.length, "the length is told");
    const SegmentPacket parsed = wan::dataplane::parse_segment_packet(packet.bytes());
    if (parsed.kind != SegmentPacket::Kind::kRouting || parsed.routing.segments_left == 0) return 0;
    expect(40 + parsed.routing.size <= packet.length, "the routing header is there");
    const std::uint8_t* next = packet.data + 40 + 8 + 16 * (std::size_t{parsed.routing.segments_left} - 1);
    wan::dataplane::Sid wanted{};
    std::memcpy(wanted.data(), next, 16);
    wan::dataplane::advance_segment(packet, parsed.routing);
    expect(std::memcmp(packet.data + 24, wanted.data(), 16) == 0, "the next segment is the destination");
    if (parsed.routing.segments_left == 1) {
      expect(packet.data[6] == parsed.routing.next_header, "what the routing header stood before follows");
      return 0;
    }
  }
}
