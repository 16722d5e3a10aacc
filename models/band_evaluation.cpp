#include <algorithm>
#include <cassert>
#include <deque>

#include "models/evaluation.h"

namespace wan::models {
namespace {

/// The sums behind a score.
struct BandSums {
  std::size_t held = 0, entries = 0;
  double width = 0.0, pinball = 0.0, amount = 0.0;

  /// @param bands  [share][entry]
  void add(std::span<const double> bands, std::span<const double> truth) {
    const std::size_t count = truth.size();
    const auto lowest = bands.first(count);
    const auto highest = bands.last(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (highest[i] <= 0.0 && truth[i] <= 0.0) continue;
      ++entries;
      if (truth[i] >= lowest[i] && truth[i] <= highest[i]) ++held;
      width += highest[i] - lowest[i];
      amount += truth[i];
      for (std::size_t share = 0; share < PredictionBands::kShares.size(); ++share) {
        const double below = truth[i] - bands[share * count + i];
        pinball += std::max(PredictionBands::kShares[share] * below, (PredictionBands::kShares[share] - 1.0) * below);
      }
    }
  }

  [[nodiscard]] BandScore score() const {
    BandScore score{.entries = entries};
    if (entries > 0) score.coverage = static_cast<double>(held) / static_cast<double>(entries);
    if (amount > 0.0) {
      score.width = width / amount;
      score.pinball = pinball / amount / static_cast<double>(PredictionBands::kShares.size());
    }
    return score;
  }
};

/// What was said after one row.
struct Issued {
  std::vector<TrafficMatrix> ahead;
  std::vector<std::vector<double>> bands;  // by wanted horizon, as they were known then
};

Result<Issued> issue(const Forecaster& forecaster, const PredictionBands& bands, std::span<const TrafficMatrix> history,
                     std::span<const std::size_t> horizons, std::size_t furthest) {
  auto ahead = forecaster.ahead(history.last(std::min(history.size(), forecaster.history_intervals())), furthest);
  if (!ahead) return tl::unexpected{ahead.error()};
  Issued issued{.ahead = *std::move(ahead), .bands = {}};
  for (const std::size_t horizon : horizons) {
    issued.bands.push_back(bands.around(horizon, issued.ahead[horizon - 1].bps()));
  }
  return issued;
}

}  // namespace

Result<std::vector<BandScore>> score_bands(const Forecaster& forecaster, PredictionBands bands,
                                           std::span<const TrafficMatrix> intervals, std::size_t warm_from,
                                           std::size_t from, std::size_t to, std::span<const std::size_t> horizons) {
  const std::size_t furthest = *std::max_element(horizons.begin(), horizons.end());
  assert(furthest <= kHorizonMax && warm_from <= from);
  if (warm_from < furthest || from >= to || to > intervals.size()) {
    return fail(ErrorCode::kBadInput, "there are too few rows before the scored ones to forecast them from");
  }
  std::vector<BandSums> sums(horizons.size());
  std::deque<Issued> issued;  // newest first
  for (std::size_t newest = warm_from - furthest; newest < to; ++newest) {
    const auto truth = intervals[newest].bps();
    for (std::size_t i = 0; i < horizons.size() && newest >= warm_from; ++i) {
      const Issued& then = issued[horizons[i] - 1];
      if (newest >= from) sums[i].add(then.bands[i], truth);
      bands.record(horizons[i], then.ahead[horizons[i] - 1].bps(), truth);
    }
    auto now = issue(forecaster, bands, intervals.first(newest + 1), horizons, furthest);
    if (!now) return tl::unexpected{now.error()};
    issued.push_front(*std::move(now));
    if (issued.size() > furthest) issued.pop_back();
  }
  std::vector<BandScore> scores;
  for (const BandSums& sum : sums) scores.push_back(sum.score());
  return scores;
}

}  // namespace wan::models
