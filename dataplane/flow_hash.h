#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet_view.h"

namespace wan::dataplane {

/// A keyed 64-bit hash of flow keys: without the secret nobody can choose flows that fall into one bucket.
///
/// AES instructions where the processor has them (two rounds on each block of the key, three on their sum, all round
/// keys secret), SipHash-2-4 elsewhere; the two give different values. Threads: a value; const calls are reentrant.
/// Source: Aumasson and Bernstein, SipHash: a fast short-input PRF, INDOCRYPT 2012
class FlowHash {
 public:
  enum class Kind { kBest, kPortable };
  explicit FlowHash(const std::array<std::uint8_t, 16>& secret, Kind kind = Kind::kBest);

  /// Hashes `count` keys that lie `stride` bytes apart from `first` on.
  void many(const PackedFlowKey* first, std::size_t stride, std::size_t count, std::uint64_t* hashes) const {
    many_(*this, first, stride, count, hashes);
  }
  [[nodiscard]] std::uint64_t operator()(const PackedFlowKey& key) const {
    std::uint64_t hash = 0;
    many(&key, sizeof key, 1, &hash);
    return hash;
  }

 private:
  using Many = void (*)(const FlowHash&, const PackedFlowKey*, std::size_t, std::size_t, std::uint64_t*);
  static void many_portable(const FlowHash& self, const PackedFlowKey* first, std::size_t stride, std::size_t count,
                            std::uint64_t* hashes);
  static void many_aes(const FlowHash& self, const PackedFlowKey* first, std::size_t stride, std::size_t count,
                       std::uint64_t* hashes);

  static constexpr std::size_t kRoundKeys = 12;
  std::array<std::uint64_t, 2> secret_{};
  alignas(16) std::array<std::uint64_t, 2 * kRoundKeys> round_keys_{};
  Many many_;
};

/// SipHash-2-4 of the bytes, as its authors' test vectors have it.
[[nodiscard]] std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& secret, const std::uint8_t* bytes,
                                     std::size_t size);

}  // namespace wan::dataplane
