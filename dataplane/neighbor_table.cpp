#include "dataplane/neighbor_table.h"

#include <algorithm>
#include <bit>

namespace wan::dataplane {

NeighborTable::NeighborTable(std::span<const Entry> entries, std::span<const PortFacts> ports)
    : core_(ports.size()), slots_(std::bit_ceil(std::max<std::size_t>(2 * entries.size(), 2))) {
  for (const Entry& entry : entries) {
    const auto bytes = std::span{entry.address.bytes()}.first(entry.address.size());
    if (ports[entry.port].neighbor == entry.address) core_[entry.port] = entry.mac;
    std::size_t at = home_of(entry.port, bytes);
    while (slots_[at].size != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = Slot{entry.address.bytes(), entry.port, static_cast<std::uint8_t>(bytes.size()), entry.mac};
  }
}

std::size_t NeighborTable::home_of(std::size_t port, std::span<const std::uint8_t> address) const {
  std::uint64_t mixed = 0xcbf29ce484222325ULL ^ port;
  for (const std::uint8_t byte : address) mixed = (mixed ^ byte) * 0x100000001b3ULL;
  return static_cast<std::size_t>(mixed ^ (mixed >> 32)) & (slots_.size() - 1);
}

const MacAddress* NeighborTable::host(std::size_t port, std::span<const std::uint8_t> address) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = home_of(port, address); slots_[at].size != 0; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.port == port && slot.size == address.size() &&
        std::equal(address.begin(), address.end(), slot.address.begin())) {
      return &slot.mac;
    }
  }
  return nullptr;
}

}  // namespace wan::dataplane
