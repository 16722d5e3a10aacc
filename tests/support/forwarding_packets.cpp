// Writes packets that forwarding makes, a line each: what it is, and its bytes in hexadecimal.
// tests/system/srv6_scapy.py compares them with those of another implementation.

#include <cstdio>
#include <string>
#include <vector>

#include "dataplane/icmp.h"
#include "dataplane/neighbor_messages.h"
#include "dataplane/srv6.h"

namespace {

using namespace wan;
using namespace wan::dataplane;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

void write(const std::string& name, std::span<const std::uint8_t> bytes) {
  std::printf("%s ", name.c_str());
  for (const std::uint8_t byte : bytes) std::printf("%02x", byte);
  std::printf("\n");
}

std::vector<std::uint8_t> bytes_of(std::string_view hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string{hex.substr(i, 2)}, nullptr, 16)));
  }
  return bytes;
}

}  // namespace

/// Its arguments are an IPv4 and an IPv6 packet in hexadecimal.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const MacAddress own{2, 0, 0, 0, 0, 1}, theirs{2, 0, 0, 0, 0, 2};
  for (const bool v6 : {false, true}) {
    const std::vector<std::uint8_t> inner = bytes_of(argv[v6 ? 2 : 1]);
    const std::string family = v6 ? "v6" : "v4";
    for (std::size_t count = 1; count <= kSegmentsMax; ++count) {
      std::vector<IpAddress> segments;
      for (std::size_t i = 1; i < count; ++i) segments.push_back(ip("fc00:0:" + std::to_string(i + 1) + "::1"));
      segments.push_back(ip("fc00:0:99::46"));
      std::vector<std::uint8_t> memory(kOuterBytesMax + inner.size());
      std::copy(inner.begin(), inner.end(), memory.begin() + kOuterBytesMax);
      PacketBuffer packet{.data = memory.data() + kOuterBytesMax,
                          .length = static_cast<std::uint32_t>(inner.size()),
                          .headroom = kOuterBytesMax};
      const OuterHeaders outer{ip("fc00:0:1::1").bytes(), segments};
      if (!outer.push(packet, v6 ? 41 : 4, 0xb9, 0x12345)) return 1;
      std::string name = "encapsulated-" + family + "-" + std::to_string(count);
      write(name, packet.bytes());
      for (std::size_t left = count - 1; left > 0; --left) {
        advance_segment(packet, parse_segment_packet(packet.bytes()).routing);
        name = "advanced-" + family + "-" + std::to_string(count) + "-" + std::to_string(left - 1);
        write(name, packet.bytes());
      }
    }
    const IpAddress router = ip(v6 ? "2001:db8:1::1" : "10.1.0.1"), host = ip(v6 ? "2001:db8:1::9" : "10.1.0.9");
    if (const auto error = time_exceeded(inner, router)) write("exceeded-" + family, *error);
    if (const auto error = packet_too_big(inner, router, 1436)) write("too-big-" + family, *error);
    if (const auto reply = echo_reply(inner)) write("echo-" + family, *reply);
    write("request-" + family, neighbor_request(own, router, host, nullptr));
    write("confirm-" + family, neighbor_request(own, router, host, &theirs));
    write("reply-" + family, neighbor_reply(own, router, {.sender = host, .target = router, .mac = theirs}));
  }
  return 0;
}
