#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace wan::dataplane {

/// Which path each share of the flows takes: flows are hashed onto slots, and each slot has one path.
///
/// A share is exact to less than a slot (0.1 % of the demand). When shares change, only as many slots get another path
/// as must: the sum of what shares grow.
class PathSlots {
 public:
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::size_t kPathsMax = 64;

  struct Share {
    std::uint64_t path_id = 0;  ///< the same path before and after has the same id
    double fraction = 0.0;
  };

  /// @param shares    at most `kPathsMax`, distinct ids, fractions above zero
  /// @param before    the slots in force, or none; and the ids of its paths, by position
  PathSlots(std::span<const Share> shares, const PathSlots* before, std::span<const std::uint64_t> ids_before);

  /// The position in `shares` of the path that flows with this hash take.
  [[nodiscard]] std::size_t path_of(std::uint32_t flow_hash) const { return path_of_slot_[flow_hash % kSlots]; }
  [[nodiscard]] std::span<const std::uint8_t> slots() const { return path_of_slot_; }

 private:
  std::array<std::uint8_t, kSlots> path_of_slot_{};
};

}  // namespace wan::dataplane
