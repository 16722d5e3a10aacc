#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

// Frames put together header by header, from the inside out.
namespace wan::dataplane::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes front, const Bytes& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

inline Bytes be16(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
inline Bytes be32(std::size_t value) { return be16(value >> 16 & 0xffff) + be16(value & 0xffff); }

inline Bytes ethernet(std::size_t type, const Bytes& payload) {
  return Bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} + be16(type) + payload;
}
/// What follows an EtherType of 0x8100, 0x88a8 or 0x9100.
inline Bytes vlan(std::size_t tag, std::size_t type, const Bytes& payload) { return be16(tag) + be16(type) + payload; }

inline Bytes tcp(std::size_t source, std::size_t destination, std::uint8_t flags, std::size_t payload = 4) {
  return be16(source) + be16(destination) + be32(1) + be32(2) + Bytes{0x50, flags} + be16(1024) + be32(0) +
         Bytes(payload, 'x');
}
inline Bytes udp(std::size_t source, std::size_t destination, std::size_t payload = 4) {
  return be16(source) + be16(destination) + be16(8 + payload) + be16(0) + Bytes(payload, 'x');
}

struct Ipv4 {
  std::uint8_t protocol = 17;
  Bytes source{10, 0, 0, 1};
  Bytes destination{10, 0, 0, 2};
  std::uint8_t traffic_class = 0;
  std::size_t id = 7;
  std::size_t fragment = 0;  ///< flags and offset, as on the wire
  Bytes options{};           ///< a multiple of four bytes
  long claimed = -1;         ///< total length, when it should not be the true one
};

inline Bytes ipv4(const Ipv4& ip, const Bytes& payload) {
  const std::size_t header = 20 + ip.options.size();
  const std::size_t total = ip.claimed < 0 ? header + payload.size() : static_cast<std::size_t>(ip.claimed);
  return Bytes{static_cast<std::uint8_t>(0x40 + header / 4), ip.traffic_class} + be16(total) + be16(ip.id) +
         be16(ip.fragment) + Bytes{64, ip.protocol, 0, 0} + ip.source + ip.destination + ip.options + payload;
}

inline Bytes ipv6(std::uint8_t next, const Bytes& payload, std::uint8_t traffic_class = 0, long claimed = -1) {
  const std::size_t length = claimed < 0 ? payload.size() : static_cast<std::size_t>(claimed);
  Bytes source{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  Bytes destination = source;
  destination.back() = 2;
  return be32(std::size_t{6} << 28 | std::size_t{traffic_class} << 20) + be16(length) + Bytes{next, 64} + source +
         destination + payload;
}
/// Hop-by-hop, destination options or routing of `units` x 8 bytes; routing type 4 is segment routing.
inline Bytes extension(std::uint8_t next, std::size_t units = 1, std::uint8_t third = 1) {
  Bytes header(8 * units, 0);
  header[0] = next;
  header[1] = static_cast<std::uint8_t>(units - 1);
  header[2] = third;
  return header;
}
inline Bytes fragment_header(std::uint8_t next, std::size_t offset, bool more, std::size_t id) {
  return Bytes{next, 0} + be16(offset | (more ? 1 : 0)) + be32(id);
}

}  // namespace wan::dataplane::test
