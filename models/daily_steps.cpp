#include "models/daily_steps.h"

#include <algorithm>
#include <cassert>

namespace wan::models {
namespace {

constexpr std::chrono::seconds kDay = std::chrono::hours{24};
constexpr std::int64_t kSlotsMax = 1440;
constexpr float kRowsWithoutStep = 1.0F;  // added to every slot

}  // namespace

std::size_t DailySteps::slot_count(std::chrono::seconds interval) { return DailySteps{0, interval}.counts_.size(); }

DailySteps::DailySteps(std::size_t pair_count, std::chrono::seconds interval)
    : pair_count_{pair_count},
      interval_{interval},
      slot_width_{std::max(interval, std::chrono::seconds{kDay.count() / kSlotsMax})} {
  assert(interval.count() > 0);
  const auto slots = static_cast<std::size_t>((kDay + slot_width_ - std::chrono::seconds{1}) / slot_width_);
  counts_.assign(slots, 0.0F);
  sums_.assign(slots * pair_count, 0.0F);
}

void DailySteps::add(Timestamp row, std::span<const float> steps) {
  assert(steps.size() == pair_count_);
  const std::size_t here = slot(row);
  counts_[here] += 1.0F;
  float* const sums = &sums_[here * pair_count_];
  for (std::size_t pair = 0; pair < pair_count_; ++pair) sums[pair] += std::clamp(steps[pair], -kStepMax, kStepMax);
}

DailySteps::Usual DailySteps::usual_without(Timestamp row, std::size_t pair, const Neighbours& own) const {
  return usual_in(slots_around(row), pair, own);
}

void DailySteps::usual_without(Timestamp row, const Neighbours& own, std::span<float> step,
                               std::span<float> around) const {
  assert(step.size() == pair_count_ && around.size() == pair_count_);
  const Slots slots = slots_around(row);
  for (std::size_t pair = 0; pair < pair_count_; ++pair) {
    const Usual usual = usual_in(slots, pair, own);
    step[pair] = usual.step;
    around[pair] = usual.around;
  }
}

DailySteps::Usual DailySteps::usual_in(const Slots& slots, std::size_t pair, const Neighbours& own) const {
  std::array<float, 3> steps{};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    float sum = sums_[slots[i] * pair_count_ + pair];
    float count = counts_[slots[i]];
    if (!own[i].empty()) {
      sum -= std::clamp(own[i][pair], -kStepMax, kStepMax);
      count -= 1.0F;
    }
    steps[i] = sum / (std::max(count, 0.0F) + kRowsWithoutStep);
  }
  return {.step = steps[1], .around = steps[1] + 0.5F * (steps[0] + steps[2])};
}

bool DailySteps::restore(std::vector<float> counts, std::vector<float> sums) {
  if (counts.size() != counts_.size() || sums.size() != sums_.size()) return false;
  counts_ = std::move(counts);
  sums_ = std::move(sums);
  return true;
}

DailySteps::Slots DailySteps::slots_around(Timestamp row) const {
  return {slot(row - interval_), slot(row), slot(row + interval_)};
}

std::size_t DailySteps::slot(Timestamp row) const {
  const std::int64_t phase = ((row.time_since_epoch().count() % kDay.count()) + kDay.count()) % kDay.count();
  return static_cast<std::size_t>(phase / slot_width_.count());
}

}  // namespace wan::models
