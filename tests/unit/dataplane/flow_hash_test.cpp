#include "dataplane/flow_hash.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/random.h"

namespace wan::dataplane::test {
namespace {

std::array<std::uint8_t, 16> counting_secret() {
  std::array<std::uint8_t, 16> secret{};
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i);
  return secret;
}

PackedFlowKey numbered(std::uint32_t number) {
  PackedFlowKey key;
  key.source = {10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                static_cast<std::uint8_t>(number)};
  key.destination = {10, 0, 0, 1};
  key.protocol = 17;
  return key;
}

}  // namespace

TEST_CASE("SipHash gives its authors' test vectors", "[flow_hash]") {
  const std::array<std::uint64_t, 2> secret{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::array<std::uint8_t, 15> input{};
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i);
  CHECK(sip_hash(secret, input.data(), 0) == 0x726fdb47dd0e0e31);
  CHECK(sip_hash(secret, input.data(), 8) == 0x93f5f5799a932462);
  CHECK(sip_hash(secret, input.data(), 15) == 0xa129ca6149be45e5);
}

TEST_CASE("each kind of hash spreads neighbouring flows evenly and depends on the secret", "[flow_hash]") {
  const auto kind = GENERATE(FlowHash::Kind::kBest, FlowHash::Kind::kPortable);
  const FlowHash hash{counting_secret(), kind};
  auto other_secret = counting_secret();
  other_secret[15] ^= 1;
  const FlowHash other{other_secret, kind};
  constexpr std::size_t kBuckets = 256;
  constexpr std::uint32_t kKeys = 65'536;
  std::array<int, kBuckets> high{};
  std::array<int, kBuckets> low{};
  std::set<std::uint64_t> distinct;
  std::size_t same = 0;
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    const std::uint64_t value = hash(numbered(i));
    ++high[value >> 56];
    ++low[value & 0xff];
    distinct.insert(value);
    if (other(numbered(i)) == value) ++same;
  }
  CHECK(distinct.size() == kKeys);
  CHECK(same == 0);
  for (const auto& buckets : {high, low}) {
    double chi_squared = 0.0;
    for (const int count : buckets) chi_squared += (count - 256.0) * (count - 256.0) / 256.0;
    CHECK(chi_squared < 400.0);  // 255 degrees of freedom: mean 255, standard deviation 23
  }
}

TEST_CASE("any bit of the key changes about half of the hash", "[flow_hash]") {
  const auto kind = GENERATE(FlowHash::Kind::kBest, FlowHash::Kind::kPortable);
  const FlowHash hash{counting_secret(), kind};
  Rng rng{7, "keys"};
  for (std::size_t bit = 0; bit < 8 * sizeof(PackedFlowKey); ++bit) {
    int changed = 0;
    for (int n = 0; n < 64; ++n) {
      PackedFlowKey key = numbered(static_cast<std::uint32_t>(rng.next()));
      const std::uint64_t before = hash(key);
      reinterpret_cast<std::uint8_t*>(&key)[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      changed += __builtin_popcountll(before ^ hash(key));
    }
    INFO("bit " << bit);
    CHECK(std::abs(changed - 64 * 32) < 64 * 5);
  }
}

TEST_CASE("hashing many keys at once gives what hashing each does", "[flow_hash]") {
  const auto kind = GENERATE(FlowHash::Kind::kBest, FlowHash::Kind::kPortable);
  const FlowHash hash{counting_secret(), kind};
  struct alignas(64) Spaced {
    PackedFlowKey key;
  };
  std::array<Spaced, 33> keys;
  for (std::uint32_t i = 0; i < keys.size(); ++i) keys[i].key = numbered(i * 77);
  std::array<std::uint64_t, 33> hashes{};
  hash.many(&keys[0].key, sizeof(Spaced), keys.size(), hashes.data());
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(hashes[i] == hash(keys[i].key));
}

}  // namespace wan::dataplane::test
