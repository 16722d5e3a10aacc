#include "dataplane/prefix_table.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"

namespace wan::dataplane {
namespace {

/// Close to each other, so that prefixes nest.
IpAddress drawn_address(Rng& rng, bool v6) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = v6 ? 0x20 : 10;
  const std::size_t size = v6 ? 16 : 4;
  for (std::size_t i = 1; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(rng.below(4) == 0 ? rng.below(256) : rng.below(3) * 0x55);
  }
  return v6 ? IpAddress::v6(bytes) : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::span<const std::uint8_t> wire(const IpAddress& address) {
  return std::span{address.bytes()}.first(address.size());
}

TEST_CASE("the longest prefix is found as a search through all of them finds it", "[prefix_table]") {
  std::size_t found = 0, missed = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng{seed, "prefixes"};
    std::vector<PrefixTable::Entry> entries;
    for (std::uint64_t count = rng.below(seed % 10 == 0 ? 2000 : 60); count > 0; --count) {
      const bool v6 = rng.below(2) == 0;
      IpAddress address = drawn_address(rng, v6);
      if (!entries.empty() && rng.below(3) == 0) address = entries[rng.below(entries.size())].prefix.address;
      const std::size_t bits = address.size() * 8;
      const auto length = static_cast<std::uint8_t>(rng.below(8) == 0 ? bits * rng.below(2) : rng.below(bits + 1));
      entries.push_back({{address.masked(length), length}, static_cast<std::uint32_t>(entries.size())});
    }
    const PrefixTable table{entries};
    for (int i = 0; i < 400; ++i) {
      IpAddress address = drawn_address(rng, rng.below(2) == 0);
      if (!entries.empty() && rng.below(2) == 0) address = entries[rng.below(entries.size())].prefix.address;
      if (!entries.empty() &&
          rng.below(3) == 0) {  // next to a prefix: its last bit, or the first one behind, is another
        const IpPrefix& near = entries[rng.below(entries.size())].prefix;
        const std::size_t bits = near.address.size() * 8;
        const std::size_t bit = std::min<std::size_t>(bits - 1, near.length - (near.length > 0 ? rng.below(2) : 0));
        auto bytes = near.address.bytes();
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (0x80 >> bit % 8));
        address = near.address.is_v6() ? IpAddress::v6(bytes) : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
      }
      const PrefixTable::Entry* best = nullptr;
      for (const auto& entry : entries) {
        if (!entry.prefix.contains(address)) continue;
        if (best == nullptr || entry.prefix.length > best->prefix.length) best = &entry;
      }
      INFO("seed " << seed << ", " << address.to_string());
      const auto value = table.find(wire(address));
      REQUIRE(value.has_value() == (best != nullptr));
      if (best != nullptr) REQUIRE(*value == best->value);
      (best != nullptr ? found : missed) += 1;
    }
  }
  CHECK(found > 30'000);
  CHECK(missed > 5'000);
}

TEST_CASE("an empty prefix table finds nothing, and default routes of one family are not the other's",
          "[prefix_table]") {
  const IpAddress v4 = IpAddress::v4({0, 0, 0, 0}), v6 = IpAddress::v6({});
  CHECK_FALSE(PrefixTable{}.find(wire(v4)));
  CHECK_FALSE(PrefixTable{{}}.find(wire(v6)));
  const std::vector<PrefixTable::Entry> one{{{v4, 0}, 7}};
  CHECK(PrefixTable{one}.find(wire(IpAddress::v4({255, 1, 2, 3}))) == 7U);
  CHECK_FALSE(PrefixTable{one}.find(wire(v6)));
}

}  // namespace
}  // namespace wan::dataplane
