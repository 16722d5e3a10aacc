#include "models/season_profile.h"

#include <algorithm>
#include <cassert>

namespace wan::models {
namespace {

constexpr std::int64_t kSlotsMax = 1440;
/// As many rows of zero surprise are added to every slot; 32 was best on Abilene's validation rows, of 8 to 64.
constexpr float kDrawToZero = 32.0F;

}  // namespace

std::size_t SeasonProfile::slot_count(std::chrono::seconds interval) {
  return SeasonProfile{0, interval}.counts_.size();
}

SeasonProfile::SeasonProfile(std::size_t pair_count, std::chrono::seconds interval) : pair_count_{pair_count} {
  assert(interval.count() > 0);
  for (std::size_t cycle = 0; cycle < kCycles; ++cycle) {
    const std::chrono::seconds length = kCycleLengths[cycle];
    slot_width_[cycle] = std::max(interval, std::chrono::seconds{length.count() / kSlotsMax});
    const auto slots =
        static_cast<std::size_t>((length + slot_width_[cycle] - std::chrono::seconds{1}) / slot_width_[cycle]);
    first_slot_[cycle + 1] = first_slot_[cycle] + slots;
  }
  counts_.assign(first_slot_[kCycles], 0.0F);
  sums_.assign(first_slot_[kCycles] * pair_count, 0.0F);
}

void SeasonProfile::add(Timestamp target, std::span<const float> surprises) {
  assert(surprises.size() == pair_count_);
  for (std::size_t cycle = 0; cycle < kCycles; ++cycle) {
    const std::size_t here = slot(cycle, target);
    counts_[here] += 1.0F;
    float* const sums = &sums_[here * pair_count_];
    for (std::size_t pair = 0; pair < pair_count_; ++pair) {
      sums[pair] += std::clamp(surprises[pair], kSurpriseMin, kSurpriseMax);
    }
  }
}

float SeasonProfile::expected(std::size_t cycle, Timestamp target, std::size_t pair) const {
  const std::size_t here = slot(cycle, target);
  return sums_[here * pair_count_ + pair] / (counts_[here] + kDrawToZero);
}

void SeasonProfile::expected(std::size_t cycle, Timestamp target, std::span<float> out) const {
  assert(out.size() == pair_count_);
  const std::size_t here = slot(cycle, target);
  const float* const sums = &sums_[here * pair_count_];
  const float count = counts_[here] + kDrawToZero;
  for (std::size_t pair = 0; pair < pair_count_; ++pair) out[pair] = sums[pair] / count;
}

float SeasonProfile::expected_without(std::size_t cycle, Timestamp target, std::size_t pair, float own) const {
  const std::size_t here = slot(cycle, target);
  const float others = sums_[here * pair_count_ + pair] - std::clamp(own, kSurpriseMin, kSurpriseMax);
  return others / (counts_[here] - 1.0F + kDrawToZero);
}

bool SeasonProfile::restore(std::vector<float> counts, std::vector<float> sums) {
  if (counts.size() != counts_.size() || sums.size() != sums_.size()) return false;
  counts_ = std::move(counts);
  sums_ = std::move(sums);
  return true;
}

std::size_t SeasonProfile::slot(std::size_t cycle, Timestamp target) const {
  const auto length = kCycleLengths[cycle].count();
  const auto phase = ((target.time_since_epoch().count() % length) + length) % length;
  return first_slot_[cycle] + static_cast<std::size_t>(phase / slot_width_[cycle].count());
}

}  // namespace wan::models
