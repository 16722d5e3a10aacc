#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "core/time.h"

namespace wan::models {

/// What tends to happen to each pair at a given time of the hour, of the quarter day and of the day: the mean surprise
/// of the lag model in that slot over the training rows, drawn towards zero where few rows were seen.
///
/// Backups and batch jobs that run by the clock show here. Surprises count in units of the pair's local scale.
class SeasonProfile {
 public:
  static constexpr std::size_t kCycles = 3;
  static constexpr std::array<std::chrono::seconds, kCycles> kCycleLengths{std::chrono::hours{1}, std::chrono::hours{6},
                                                                           std::chrono::hours{24}};
  /// A row's surprise counts within these bounds, so that one outlier does not make a season.
  static constexpr float kSurpriseMin = -1.0F;
  static constexpr float kSurpriseMax = 2.0F;

  /// How many slots such a profile has: the sizes of its arrays before there is one.
  /// @param interval  above zero
  [[nodiscard]] static std::size_t slot_count(std::chrono::seconds interval);

  /// @param interval  of the series, above zero: the width of a slot, but a cycle has at most 1440 slots
  SeasonProfile(std::size_t pair_count, std::chrono::seconds interval);

  /// Adds the surprises of one row, by pair.
  void add(Timestamp target, std::span<const float> surprises);
  /// The mean surprise of a pair at a time.
  [[nodiscard]] float expected(std::size_t cycle, Timestamp target, std::size_t pair) const;
  /// The same of all pairs.
  /// @param out  by pair
  void expected(std::size_t cycle, Timestamp target, std::span<float> out) const;
  /// The same without the row itself, whose surprise was `own`: what the other rows foretell of it.
  [[nodiscard]] float expected_without(std::size_t cycle, Timestamp target, std::size_t pair, float own) const;

  /// For keeping in a file: [cycle][slot] rows seen, then [cycle][slot][pair] sums.
  [[nodiscard]] std::span<const float> counts() const { return counts_; }
  [[nodiscard]] std::span<const float> sums() const { return sums_; }
  /// @return false, and nothing changes, when the sizes are not those of this profile
  [[nodiscard]] bool restore(std::vector<float> counts, std::vector<float> sums);

 private:
  [[nodiscard]] std::size_t slot(std::size_t cycle, Timestamp target) const;

  std::size_t pair_count_;
  std::array<std::chrono::seconds, kCycles> slot_width_{};
  std::array<std::size_t, kCycles + 1> first_slot_{};
  std::vector<float> counts_;  // by slot, cycle after cycle
  std::vector<float> sums_;    // [slot][pair]
};

}  // namespace wan::models
