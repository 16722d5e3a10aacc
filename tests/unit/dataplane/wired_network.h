#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ip_address.h"
#include "core/node_program.h"
#include "dataplane/forwarder.h"
#include "dataplane/neighbor_table.h"
#include "tests/property/segment_routed_network.h"
#include "tests/unit/dataplane/packet_bytes.h"

namespace wan::dataplane::test {

/// The header's checksum, put in anew.
void put_checksum(Bytes& packet);
/// Whether an IPv4 packet's header sums up.
[[nodiscard]] bool has_sound_header(const Bytes& packet);
/// As `packet_bytes.h` makes them, between these addresses.
[[nodiscard]] Bytes between(Bytes packet, const IpAddress& from, const IpAddress& to, std::uint8_t hop_limit = 64);
[[nodiscard]] PackedFlowKey flow_of(const Bytes& packet);
/// The packet one hop on.
[[nodiscard]] Bytes with_hops(Bytes packet, int less);

/// A frame in a heap block that ends where the frame ends, so that a sanitizer sees every byte read beyond it.
class ExactFrame {
 public:
  ExactFrame(const Bytes& frame, std::uint32_t headroom);
  [[nodiscard]] PacketBuffer& buffer() { return buffer_; }
  [[nodiscard]] Bytes bytes() const { return {buffer_.data, buffer_.data + buffer_.length}; }

 private:
  std::unique_ptr<std::uint8_t[]> block_;
  PacketBuffer buffer_;
};

/// One node: what it is, what it was told, which neighbours it knows.
struct WiredNode {
  NodeFacts facts;
  std::unique_ptr<PortStates> states = std::make_unique<PortStates>();
  std::unique_ptr<const ForwardingTable> table;
  NeighborTable neighbors;

  void install(const NodeProgram& program);
  [[nodiscard]] Verdict forward(ExactFrame& frame, std::size_t in_port) const;
};

/// What became of a packet.
struct Trip {
  Verdict verdict;            ///< the last one
  std::size_t node = 0;       ///< that gave it
  Bytes packet;               ///< as it was then, from its IP header on where the verdict says so
  std::vector<LinkId> links;  ///< travelled
  Verdict entry;              ///< of the first node

  bool arrived = false;  ///< at the host that it is for
};

/// Forwarders wired as a topology says, frames carried between them in memory. Each node has hosts behind port 0:
/// 10.NODE.0.0/16 and 2001:db8:NODE::/64, whose last address byte is 1 to 8.
class WiredNetwork {
 public:
  static constexpr std::uint32_t kHeadroom = 512;
  WiredNetwork(const wan::test::SteeredNetwork& network, const std::vector<NodeProgram>& programs,
               std::uint32_t core_mtu = 1800);

  [[nodiscard]] static IpAddress host(std::size_t node, std::size_t number, bool v6);
  [[nodiscard]] static MacAddress host_mac(std::size_t node, const IpAddress& host);
  /// The segments' network as node programs need it: v6 prefixes beside the v4 ones.
  static void add_host_prefixes(wan::test::SteeredNetwork& network);

  /// Both directions of the pair that this link belongs to.
  void set_link(LinkId link, bool up);
  /// @param padding  bytes behind the packet in its first frame, as Ethernet adds
  [[nodiscard]] Trip send(std::size_t from, const Bytes& packet, std::size_t padding = 0) const;
  /// From a node's own port on, as it came in by it.
  [[nodiscard]] Trip carry(std::size_t node, std::size_t port, const Bytes& frame) const;

  [[nodiscard]] std::size_t port_of(LinkId link) const { return port_of_link_[link.index()]; }
  std::vector<WiredNode> nodes;

 private:
  const wan::test::SteeredNetwork& network_;
  std::vector<std::size_t> port_of_link_;
  std::vector<std::vector<std::optional<LinkId>>> link_of_port_;  // by node, port
};

}  // namespace wan::dataplane::test
