#include "dataplane/flow_hash.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wan::dataplane {
namespace {

std::uint64_t little_endian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

const PackedFlowKey* at(const PackedFlowKey* first, std::size_t bytes) {
  return reinterpret_cast<const PackedFlowKey*>(reinterpret_cast<const std::byte*>(first) + bytes);
}

}  // namespace

std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& secret, const std::uint8_t* bytes, std::size_t size) {
  SipState state{secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d, secret[0] ^ 0x6c7967656e657261,
                 secret[1] ^ 0x7465646279746573};
  const std::size_t whole = size / 8;
  for (std::size_t i = 0; i < whole; ++i) state.absorb(little_endian(bytes + 8 * i, 8));
  state.absorb(little_endian(bytes + 8 * whole, size % 8) | std::uint64_t{size} << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

FlowHash::FlowHash(const std::array<std::uint8_t, 16>& secret, Kind kind)
    : secret_{little_endian(secret.data(), 8), little_endian(secret.data() + 8, 8)}, many_{many_portable} {
  for (std::size_t i = 0; i < round_keys_.size(); ++i) {
    const auto number = static_cast<std::uint8_t>(i);
    round_keys_[i] = sip_hash(secret_, &number, 1);
  }
#if defined(__x86_64__)
  if (kind == Kind::kBest && __builtin_cpu_supports("aes")) many_ = many_aes;
#else
  static_cast<void>(kind);
#endif
}

void FlowHash::many_portable(const FlowHash& self, const PackedFlowKey* first, std::size_t stride, std::size_t count,
                             std::uint64_t* hashes) {
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = sip_hash(self.secret_, reinterpret_cast<const std::uint8_t*>(at(first, i * stride)), sizeof *first);
  }
}

#if defined(__x86_64__)
// Each block of the key goes through two rounds under keys of its own before the three are added: a difference that an
// attacker chooses has spread over all 16 bytes, by secret amounts, before it could meet one that cancels it.
__attribute__((target("aes,sse4.1"))) void FlowHash::many_aes(const FlowHash& self, const PackedFlowKey* first,
                                                              std::size_t stride, std::size_t count,
                                                              std::uint64_t* hashes) {
  const auto* keys = reinterpret_cast<const __m128i*>(self.round_keys_.data());
  __m128i k[kRoundKeys];
  for (std::size_t i = 0; i < kRoundKeys; ++i) k[i] = _mm_load_si128(keys + i);
  for (std::size_t i = 0; i < count; ++i) {
    const PackedFlowKey* key = at(first, i * stride);
    __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key->source.data()));
    __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key->destination.data()));
    __m128i c = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&key->source_port));
    a = _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(a, k[0]), k[1]), k[2]);
    b = _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(b, k[3]), k[4]), k[5]);
    c = _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(c, k[6]), k[7]), k[8]);
    __m128i sum = _mm_xor_si128(_mm_xor_si128(a, b), c);
    sum = _mm_aesenc_si128(_mm_aesenc_si128(_mm_aesenc_si128(sum, k[9]), k[10]), k[11]);
    hashes[i] = static_cast<std::uint64_t>(_mm_cvtsi128_si64(sum));
  }
}
#else
void FlowHash::many_aes(const FlowHash& self, const PackedFlowKey* first, std::size_t stride, std::size_t count,
                        std::uint64_t* hashes) {
  many_portable(self, first, stride, count, hashes);
}
#endif

}  // namespace wan::dataplane
