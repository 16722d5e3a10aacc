#include "models/prediction_bands.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace wan::models {
namespace {

constexpr std::size_t kShareCount = PredictionBands::kShares.size();
constexpr float kFirstUsualMiss = 0.1F;
constexpr float kMissRate = 0.04F;  // of the moving average of misses
constexpr float kLevelRate = 0.02F;
constexpr double kLevelPart = 0.2;  // of the level in the unit: a forecast of nothing does not promise nothing
constexpr float kQuantileRate = 0.05F;
constexpr float kWideningRate = 0.4F;
constexpr float kWideningMin = 0.2F;
constexpr float kWideningMax = 5.0F;
constexpr double kPooledRows = 20.0;  // what the quantiles of all entries count beside an entry's own
constexpr float kUsualMissMin = 1e-4F;
constexpr float kNumberMax = 1e30F;  // far beyond what misses of rates come to; with a widening still finite
constexpr float kMissMax = 50.0F;    // a miss counts as at most so many usual ones

float clipped(double miss) { return static_cast<float>(std::clamp(miss, -50.0, 50.0)); }

/// The value that the next one is below with this probability, or the one further from the middle: split conformal
/// prediction's quantile. Reorders the values.
float take_quantile(std::vector<float>& values, double share) {
  const auto count = static_cast<double>(values.size());
  const double rank = share < 0.5 ? std::floor(share * (count + 1.0)) : std::ceil(share * (count + 1.0));
  const auto place = static_cast<std::size_t>(std::clamp(rank - 1.0, 0.0, count - 1.0));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

bool all_within(std::span<const float> numbers, float minimum, float maximum) {
  return std::all_of(numbers.begin(), numbers.end(), [&](float v) { return v >= minimum && v <= maximum; });
}

}  // namespace

PredictionBands::PredictionBands(std::size_t entries) : entries_{entries}, level_bps_(entries, 0.0F) {
  constexpr std::array<float, kShareCount> kBell{-2.06F, -0.845F, 0.0F, 0.845F, 2.06F};  // in mean absolute deviations
  for (OfHorizon& horizon : horizons_) {
    horizon.usual_miss.assign(entries, kFirstUsualMiss);
    for (const float offset : kBell) horizon.offsets.insert(horizon.offsets.end(), entries, offset);
  }
}

double PredictionBands::unit_bps(std::size_t entry, double forecast_bps) const {
  return forecast_bps + kLevelPart * static_cast<double>(level_bps_[entry]) + 1.0;
}

void PredictionBands::follow_level(std::span<const double> measured_bps) {
  for (std::size_t i = 0; i < entries_; ++i) {
    const auto measured = static_cast<float>(measured_bps[i]);
    level_bps_[i] = level_bps_[i] == 0.0F ? measured : level_bps_[i] + kLevelRate * (measured - level_bps_[i]);
  }
}

void PredictionBands::record(std::size_t horizon, std::span<const double> forecast_bps,
                             std::span<const double> measured_bps) {
  assert(horizon >= 1 && horizon <= kHorizonMax && forecast_bps.size() == entries_ && measured_bps.size() == entries_);
  OfHorizon& at = horizons_[horizon - 1];
  std::size_t alive = 0, held = 0;
  for (std::size_t i = 0; i < entries_; ++i) {
    if (level_bps_[i] == 0.0F && measured_bps[i] == 0.0) continue;  // never carried anything
    const double relative = (measured_bps[i] - forecast_bps[i]) / unit_bps(i, forecast_bps[i]);
    const float miss = clipped(relative / static_cast<double>(at.usual_miss[i]));
    const float lower = at.offsets[i];
    const float upper = at.offsets[(kShareCount - 1) * entries_ + i];
    // Nothing is below zero: a band that reaches there holds whatever is under its upper end.
    const bool above_lower = miss >= at.widening * lower || measured_bps[i] <= 0.0;
    ++alive;
    if (above_lower && miss <= at.widening * upper) ++held;
    for (std::size_t share = 0; share < kShareCount; ++share) {
      float& offset = at.offsets[share * entries_ + i];
      const auto promised = static_cast<float>(kShares[share]);
      offset += kQuantileRate * (miss > at.widening * offset ? promised : promised - 1.0F);
    }
    at.usual_miss[i] +=
        kMissRate * (std::min(static_cast<float>(std::abs(relative)), kMissMax * at.usual_miss[i]) - at.usual_miss[i]);
    at.usual_miss[i] = std::max(at.usual_miss[i], kUsualMissMin);
  }
  if (alive > 0) {
    const float gap = static_cast<float>(kCoverage - static_cast<double>(held) / static_cast<double>(alive));
    at.widening = std::clamp(at.widening * std::exp(kWideningRate * gap), kWideningMin, kWideningMax);
  }
  if (horizon == 1) follow_level(measured_bps);
}

void PredictionBands::learn(std::size_t horizon, std::span<const std::vector<double>> forecasts,
                            std::span<const std::vector<double>> measured) {
  assert(horizon >= 1 && horizon <= kHorizonMax && forecasts.size() == measured.size());
  if (forecasts.empty()) return;
  OfHorizon& at = horizons_[horizon - 1];
  if (horizon == 1) {
    for (const std::vector<double>& row : measured) follow_level(row);
  }
  std::vector<std::vector<float>> own(entries_);
  std::vector<float> pooled;
  for (std::size_t i = 0; i < entries_; ++i) {
    if (level_bps_[i] == 0.0F) continue;
    double sum = 0.0;
    for (std::size_t row = 0; row < forecasts.size(); ++row) {
      own[i].push_back(static_cast<float>((measured[row][i] - forecasts[row][i]) / unit_bps(i, forecasts[row][i])));
      sum += std::abs(static_cast<double>(own[i].back()));
    }
    at.usual_miss[i] = std::max(static_cast<float>(sum / static_cast<double>(own[i].size())), kUsualMissMin);
    for (float& miss : own[i]) miss /= at.usual_miss[i];
    pooled.insert(pooled.end(), own[i].begin(), own[i].end());
  }
  if (pooled.empty()) return;
  const double rows = static_cast<double>(forecasts.size());
  const auto weight = static_cast<float>(rows / (rows + kPooledRows));
  for (std::size_t share = 0; share < kShareCount; ++share) {
    const float of_all = take_quantile(pooled, kShares[share]);
    for (std::size_t i = 0; i < entries_; ++i) {
      const float of_own = own[i].empty() ? of_all : take_quantile(own[i], kShares[share]);
      at.offsets[share * entries_ + i] = of_all + weight * (of_own - of_all);
    }
  }
}

std::vector<double> PredictionBands::around(std::size_t horizon, std::span<const double> forecast_bps) const {
  assert(horizon >= 1 && horizon <= kHorizonMax && forecast_bps.size() == entries_);
  const OfHorizon& at = horizons_[horizon - 1];
  std::vector<double> bands(kShareCount * entries_);
  for (std::size_t i = 0; i < entries_; ++i) {
    const double step = unit_bps(i, forecast_bps[i]) * static_cast<double>(at.usual_miss[i] * at.widening);
    const bool silent = level_bps_[i] == 0.0F;  // never carried anything
    double highest = 0.0;
    for (std::size_t share = 0; share < kShareCount; ++share) {
      const double bound = forecast_bps[i] + step * static_cast<double>(at.offsets[share * entries_ + i]);
      highest = silent ? 0.0 : std::max(highest, bound);
      bands[share * entries_ + i] = highest;
    }
  }
  return bands;
}

std::vector<float> PredictionBands::to_numbers() const {
  std::vector<float> numbers = level_bps_;
  for (const OfHorizon& at : horizons_) {
    numbers.push_back(at.widening);
    numbers.insert(numbers.end(), at.usual_miss.begin(), at.usual_miss.end());
    numbers.insert(numbers.end(), at.offsets.begin(), at.offsets.end());
  }
  return numbers;
}

bool PredictionBands::restore(std::span<const float> numbers) {
  if (numbers.size() != number_count(entries_)) return false;
  const std::size_t each = 1 + entries_ * (1 + kShareCount);
  if (!all_within(numbers.first(entries_), 0.0F, kNumberMax)) return false;
  for (std::size_t horizon = 0; horizon < kHorizonMax; ++horizon) {
    const auto own = numbers.subspan(entries_ + horizon * each, each);
    if (!all_within(own.first(1), kWideningMin, kWideningMax)) return false;
    if (!all_within(own.subspan(1, entries_), kUsualMissMin, kNumberMax)) return false;
    if (!all_within(own.subspan(1 + entries_), -kNumberMax, kNumberMax)) return false;
  }
  std::copy_n(numbers.begin(), entries_, level_bps_.begin());
  numbers = numbers.subspan(entries_);
  for (OfHorizon& at : horizons_) {
    at.widening = numbers[0];
    std::copy_n(numbers.begin() + 1, entries_, at.usual_miss.begin());
    std::copy_n(numbers.begin() + 1 + static_cast<std::ptrdiff_t>(entries_), at.offsets.size(), at.offsets.begin());
    numbers = numbers.subspan(each);
  }
  return true;
}

}  // namespace wan::models
