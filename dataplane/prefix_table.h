#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ip_address.h"

namespace wan::dataplane {

/// Longest-prefix match over IPv4 and IPv6 prefixes: for each length in use, longest first, one probe of a hash table.
///
/// Immutable; any number of readers.  Cost: one probe a length that occurs (a handful in a network of customers'
/// prefixes), each about 5 ns.
class PrefixTable {
 public:
  struct Entry {
    IpPrefix prefix;
    std::uint32_t value = 0;
  };

  PrefixTable() = default;
  /// Of equal prefixes the first counts.
  explicit PrefixTable(std::span<const Entry> entries);

  /// @param address  4 bytes (IPv4) or 16 (IPv6) in network order
  [[nodiscard]] std::optional<std::uint32_t> find(std::span<const std::uint8_t> address) const;

 private:
  struct Key {
    std::uint64_t high = 0, low = 0;
    std::uint32_t length_and_family = 0;
    bool operator==(const Key&) const = default;
  };
  struct Slot {
    Key key;
    std::uint32_t value = 0;
    bool used = false;
  };
  [[nodiscard]] static Key key_of(std::span<const std::uint8_t> address, unsigned length);
  [[nodiscard]] std::size_t home_of(const Key& key) const;

  std::vector<Slot> slots_;               // a power of two, at most half full
  std::vector<std::uint8_t> v4_lengths_;  // in use, longest first
  std::vector<std::uint8_t> v6_lengths_;
};

}  // namespace wan::dataplane
