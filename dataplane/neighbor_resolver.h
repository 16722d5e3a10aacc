#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/units.h"
#include "dataplane/neighbor_messages.h"
#include "dataplane/neighbor_table.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

/// Finds out, and keeps finding out, which link-layer addresses the next hops have; keeps a few packets meanwhile.
///
/// Known neighbours are asked again every `kFreshFor` and forgotten when they leave `kTriesMax` requests without an
/// answer. A sender that asks for one of our addresses is learnt from its question. Nothing is learnt for addresses
/// outside the port's prefixes.
/// Threads: one owner; time comes in as an argument.
class NeighborResolver {
 public:
  static constexpr Duration kRetryAfter = std::chrono::milliseconds{200};
  static constexpr Duration kFreshFor = std::chrono::seconds{30};
  static constexpr int kTriesMax = 5;
  static constexpr std::size_t kWaitingMax = 8;  ///< packets that wait for one neighbour
  static constexpr std::size_t kNeighborsMax = 65'536;

  /// A packet that waits; what it is, is its owner's business.
  using Packet = void*;
  struct Static {
    std::size_t port = 0;
    MacAddress mac{};
  };

  /// @param node   outlives it; the neighbours of core ports are looked for at once
  /// @param fixed  core neighbours that never change and are never asked for
  NeighborResolver(const NodeFacts& node, std::span<const Static> fixed);

  struct Frame {
    std::size_t port = 0;
    std::vector<std::uint8_t> bytes;
  };
  struct Ready {
    std::size_t port = 0;
    MacAddress next_hop{};
    Packet packet = nullptr;
  };
  /// What is to be done after a call.
  struct Outcome {
    std::vector<Frame> send;
    std::vector<Ready> ready;      ///< their next hop is known now
    std::vector<Packet> given_up;  ///< it did not answer
    bool changed = false;          ///< `entries` are others than before
  };

  /// A frame that may be an ARP or neighbour discovery message.
  [[nodiscard]] Outcome receive(std::span<const std::uint8_t> frame, std::size_t port, Duration now);
  /// A packet that waits for a next hop on a port.
  /// @return  false: it is not kept, too many wait already
  [[nodiscard]] bool wait(Packet packet, std::size_t port, const IpAddress& next_hop, Outcome& outcome, Duration now);
  /// To be called every few milliseconds.
  [[nodiscard]] Outcome tick(Duration now);
  /// A port came up: its neighbours are asked for at once.
  void port_came_up(std::size_t port);

  [[nodiscard]] std::vector<NeighborTable::Entry> entries() const;

 private:
  struct Neighbor {
    std::optional<MacAddress> mac;
    bool fixed = false;
    int tries = 0;
    Duration next_try{0};
    std::deque<Packet> waiting;
  };
  using Key = std::pair<std::size_t, IpAddress>;

  void learn(std::size_t port, const IpAddress& address, const MacAddress& mac, bool create, Outcome& outcome,
             Duration now);
  void ask(const Key& key, Neighbor& neighbor, Outcome& outcome, Duration now) const;
  [[nodiscard]] bool is_on_link(std::size_t port, const IpAddress& address) const;

  const NodeFacts& node_;
  std::map<Key, Neighbor> neighbors_;
};

}  // namespace wan::dataplane
