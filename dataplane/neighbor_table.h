#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ip_address.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

/// Which link-layer address a next hop has: a snapshot for the packet path. Immutable; any number of readers.
class NeighborTable {
 public:
  struct Entry {
    std::uint16_t port = 0;
    IpAddress address;
    MacAddress mac{};
  };

  NeighborTable() = default;
  /// @param ports  of the node: the neighbours of core ports are kept by port
  NeighborTable(std::span<const Entry> entries, std::span<const PortFacts> ports);

  /// Of the router at the other end of a core port; null: not known yet.
  [[nodiscard]] const MacAddress* core_neighbor(std::size_t port) const {
    return port < core_.size() && core_[port] ? &*core_[port] : nullptr;
  }
  /// Of a host behind an access port.
  [[nodiscard]] const MacAddress* host(std::size_t port, std::span<const std::uint8_t> address) const;

 private:
  struct Slot {
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;
    std::uint8_t size = 0;  // 4 or 16; 0: free
    MacAddress mac{};
  };
  [[nodiscard]] std::size_t home_of(std::size_t port, std::span<const std::uint8_t> address) const;

  std::vector<std::optional<MacAddress>> core_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace wan::dataplane
