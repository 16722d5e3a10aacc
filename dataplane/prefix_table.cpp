#include "dataplane/prefix_table.h"

#include <algorithm>
#include <bit>

#include "dataplane/big_endian.h"

namespace wan::dataplane {
namespace {

std::uint64_t load_be64(const std::uint8_t* at) { return (std::uint64_t{load_be32(at)} << 32) | load_be32(at + 4); }

/// The first `count` bits of a number that has 64.
std::uint64_t high_bits(std::uint64_t value, unsigned count) {
  if (count == 0) return 0;
  return count >= 64 ? value : value & ~(~std::uint64_t{0} >> count);
}

void add_length(std::vector<std::uint8_t>& lengths, std::uint8_t length) {
  const auto place = std::lower_bound(lengths.begin(), lengths.end(), length, std::greater<>{});
  if (place == lengths.end() || *place != length) lengths.insert(place, length);
}

}  // namespace

PrefixTable::Key PrefixTable::key_of(std::span<const std::uint8_t> address, unsigned length) {
  Key key;
  if (address.size() == 4) {
    key.high = high_bits(std::uint64_t{load_be32(address.data())} << 32, length);
    key.length_and_family = 0x400 | length;
  } else {
    key.high = high_bits(load_be64(address.data()), length);
    key.low = length > 64 ? high_bits(load_be64(address.data() + 8), length - 64) : 0;
    key.length_and_family = 0x600 | length;
  }
  return key;
}

std::size_t PrefixTable::home_of(const Key& key) const {
  std::uint64_t mixed = key.high * 0x9e3779b97f4a7c15ULL ^ std::rotl(key.low * 0xc2b2ae3d27d4eb4fULL, 31) ^
                        (std::uint64_t{key.length_and_family} * 0x165667b19e3779f9ULL);
  mixed ^= mixed >> 29;
  mixed *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::size_t>(mixed >> 32) & (slots_.size() - 1);
}

PrefixTable::PrefixTable(std::span<const Entry> entries) {
  slots_.resize(std::bit_ceil(std::max<std::size_t>(2 * entries.size(), 2)));
  for (const Entry& entry : entries) {
    const IpAddress& address = entry.prefix.address;
    const Key key = key_of(std::span{address.bytes()}.first(address.size()), entry.prefix.length);
    std::size_t at = home_of(key);
    while (slots_[at].used && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    if (slots_[at].used) continue;
    slots_[at] = Slot{key, entry.value, true};
    add_length(address.is_v6() ? v6_lengths_ : v4_lengths_, entry.prefix.length);
  }
}

std::optional<std::uint32_t> PrefixTable::find(std::span<const std::uint8_t> address) const {
  for (const std::uint8_t length : address.size() == 4 ? v4_lengths_ : v6_lengths_) {
    const Key key = key_of(address, length);
    for (std::size_t at = home_of(key); slots_[at].used; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return slots_[at].value;
    }
  }
  return std::nullopt;
}

}  // namespace wan::dataplane
