#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "core/ip_address.h"
#include "dataplane/drop_reason.h"
#include "dataplane/forwarding_table.h"
#include "dataplane/neighbor_table.h"
#include "dataplane/node_facts.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/packet_view.h"

namespace wan::dataplane {

inline constexpr std::uint16_t kHelloEtherType = 0x88b5;  ///< IEEE 802: local experiments

/// Which ports may be sent to; written by whoever watches them, read by every packet.
class PortStates {
 public:
  [[nodiscard]] bool up(std::size_t port) const { return up_[port].load(std::memory_order_relaxed); }
  void set(std::size_t port, bool up) { up_[port].store(up, std::memory_order_relaxed); }

 private:
  std::array<std::atomic<bool>, NodeFacts::kPortsMax> up_{};
};

/// What is to become of a packet.
struct Verdict {
  enum class Kind : std::uint8_t {
    kSend,      ///< out of `port`; the frame is complete
    kDrop,      ///< for `reason`
    kSlowPath,  ///< for the control thread, see `slow`
    kHello,     ///< a neighbour's sign of life on the port it came in by
  };
  enum class Slow : std::uint8_t {
    kNeighbors,   ///< ARP or neighbour discovery
    kOwnAddress,  ///< an IP packet for one of the node's own addresses; `packet` starts at its IP header
    kResolve,     ///< `next_hop` on `port` is not known; `packet` starts at the IP header to be sent there
    kTtlExpired,  ///< dropped, and its source is to be told; `packet` starts at the IP header
    kTooBig,      ///< likewise; `mtu` would have fitted
  };
  Kind kind = Kind::kDrop;
  DropReason reason = DropReason::kMalformed;
  Slow slow = Slow::kNeighbors;
  std::uint16_t port = 0;
  std::uint32_t mtu = 0;
  IpAddress next_hop;
  /// Customer traffic that entered here: its class and egress counter, for the traffic matrix.
  bool entered = false;
  std::uint8_t cls = 0;
  std::uint32_t egress_counter = 0;
  std::uint32_t entered_bytes = 0;
};

/// The packet path: one frame in, one verdict out, headers rewritten in place.
///
/// Customers' packets are wrapped in the segment list that the plan gives them; packets on their way take their next
/// segment; those at their end are unwrapped and handed to the host. A hash of the 5-tuple (of the addresses alone for
/// fragments) keeps a flow on its path.
///
/// Threads: one owner each, over shared snapshots.  Never allocates, locks or throws.
class Forwarder {
 public:
  /// @param node, ports  outlive it
  Forwarder(const NodeFacts& node, const PortStates& ports) : node_{node}, ports_{ports} {}

  /// A frame that came in by a port. `packet` starts at the Ethernet header.
  /// @param view  of an access port's frames: what the parser found; not looked at for core ports
  [[nodiscard]] Verdict forward(PacketBuffer& packet, std::size_t in_port, const PacketView& view,
                                const ForwardingTable& table, const NeighborTable& neighbors) const;

  /// An IP packet of the node's own (an ICMP error, an echo reply): `packet` starts at the IP header.
  [[nodiscard]] Verdict originate(PacketBuffer& packet, const ForwardingTable& table,
                                  const NeighborTable& neighbors) const;

  /// An IP packet whose next hop has been found: puts the Ethernet header on.
  [[nodiscard]] Verdict send_to(PacketBuffer& packet, std::size_t port, const MacAddress& next_hop) const;

 private:
  struct Context;
  [[nodiscard]] Verdict from_customer(PacketBuffer& packet, std::size_t in_port, const PacketView& view,
                                      const Context& context) const;
  [[nodiscard]] Verdict enter(PacketBuffer& packet, const PacketView& view, bool own, const Context& context) const;
  [[nodiscard]] Verdict from_core(PacketBuffer& packet, std::size_t in_port, const Context& context) const;
  [[nodiscard]] Verdict follow_segments(PacketBuffer& packet, const Context& context) const;
  [[nodiscard]] Verdict deliver(PacketBuffer& packet, const Context& context) const;
  [[nodiscard]] Verdict send_by_route(PacketBuffer& packet, const ForwardingTable::SidTarget& route,
                                      const Context& context) const;
  [[nodiscard]] Verdict send_to_core(PacketBuffer& packet, std::size_t port, const Context& context) const;
  [[nodiscard]] Verdict send_to_host(PacketBuffer& packet, std::size_t port, std::span<const std::uint8_t> address,
                                     const Context& context) const;
  [[nodiscard]] bool is_own_address(std::span<const std::uint8_t> address) const;

  const NodeFacts& node_;
  const PortStates& ports_;
};

/// A hash over what stays the same for all packets of a flow, the same in every life of a node.
[[nodiscard]] std::uint32_t path_hash(const PacketView& view);

}  // namespace wan::dataplane
