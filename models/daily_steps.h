#pragma once

#include <array>
#include <chrono>
#include <span>
#include <vector>

#include "core/time.h"

namespace wan::models {

/// How each pair tends to move from one interval to the next at each time of the day: the mean step over the training
/// days, drawn towards zero as if one more day had brought none.
///
/// Steps count in units of the pair's local scale. Threads: any number of readers.
class DailySteps {
 public:
  /// A step counts within plus and minus this, so that one outlier does not make a habit.
  static constexpr float kStepMax = 0.5F;

  /// How many slots there are: the sizes of the arrays before they are.
  /// @param interval  above zero
  [[nodiscard]] static std::size_t slot_count(std::chrono::seconds interval);

  /// @param interval  of the series, above zero: the width of a slot, but a day has at most 1440 slots
  DailySteps(std::size_t pair_count, std::chrono::seconds interval);

  /// Adds the steps that led to one row, by pair.
  void add(Timestamp row, std::span<const float> steps);

  struct Usual {
    float step = 0.0F;    ///< at that time
    float around = 0.0F;  ///< with half of the steps one interval earlier and later: clocks and jobs are not that exact
  };
  /// Steps by pair as they were added for the row before a row, for itself and for the row after it; empty where none
  /// were.
  using Neighbours = std::array<std::span<const float>, 3>;

  [[nodiscard]] Usual usual(Timestamp row, std::size_t pair) const { return usual_without(row, pair, {}); }
  /// The same without what the row's own day brought: what the other days foretell of it.
  [[nodiscard]] Usual usual_without(Timestamp row, std::size_t pair, const Neighbours& own) const;

  /// The same for all pairs.
  /// @param step, around  by pair
  void usual_without(Timestamp row, const Neighbours& own, std::span<float> step, std::span<float> around) const;

  /// For keeping in a file: [slot] rows seen, then [slot][pair] sums.
  [[nodiscard]] std::span<const float> counts() const { return counts_; }
  [[nodiscard]] std::span<const float> sums() const { return sums_; }
  /// @return false, and nothing changes, when the sizes are not those of this profile
  [[nodiscard]] bool restore(std::vector<float> counts, std::vector<float> sums);

 private:
  [[nodiscard]] std::size_t slot(Timestamp row) const;
  using Slots = std::array<std::size_t, 3>;  // of the row before, the row and the row after it
  [[nodiscard]] Slots slots_around(Timestamp row) const;
  [[nodiscard]] Usual usual_in(const Slots& slots, std::size_t pair, const Neighbours& own) const;

  std::size_t pair_count_;
  std::chrono::seconds interval_;
  std::chrono::seconds slot_width_;
  std::vector<float> counts_;  // by slot
  std::vector<float> sums_;    // [slot][pair]
};

}  // namespace wan::models
