#include "models/recent_losses.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace wan::models {
namespace {

constexpr std::size_t kKeptBytesMax = std::size_t{256} << 20;
constexpr std::size_t kForecastsKept = 4;
constexpr std::size_t kDriftRows = 24;
constexpr std::size_t kDriftRowsMin = 6;
constexpr double kDriftShare = 0.05;
constexpr double kDriftErrors = 2.0;  // standard errors of the mean difference

std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
  return std::rotl((state ^ word) * 0x9e3779b97f4a7c15ULL, 29);
}

/// A digest over 64-bit words, many times as fast as `Digest`: it only ever meets numbers of this process. Four words
/// are mixed side by side, for one chain would wait for each product.
std::uint64_t digest_of(const TrafficMatrix& matrix) {
  constexpr std::size_t kChains = 4;
  std::array<std::uint64_t, kChains> states{1, 2, 3, 4};
  const auto bps = matrix.bps();
  std::size_t i = 0;
  for (; i + kChains <= bps.size(); i += kChains) {
    for (std::size_t chain = 0; chain < kChains; ++chain) {
      states[chain] = mixed(states[chain], std::bit_cast<std::uint64_t>(bps[i + chain]));
    }
  }
  for (; i < bps.size(); ++i) states[0] = mixed(states[0], std::bit_cast<std::uint64_t>(bps[i]));
  std::uint64_t digest = mixed(5, static_cast<std::uint64_t>(matrix.measured_at().time_since_epoch().count()));
  for (const std::uint64_t state : states) digest = mixed(digest, state);
  return digest;
}

RowLosses judge(const ExpertPanel& panel, const ExpertMix& mix, std::span<const float> forecasts,
                const TrafficMatrix& truth) {
  const std::size_t experts = panel.size();
  RowLosses row{.losses = std::vector<float>(forecasts.size(), 0.0F)};
  for (std::size_t pair = 0; pair < panel.pairs().size(); ++pair) {
    const auto of_pair = forecasts.subspan(pair * experts, experts);
    const double bps = truth.bps()[panel.pairs().position(pair)];
    mix.add_losses(pair, of_pair, bps, std::span{row.losses}.subspan(pair * experts, experts));
    row.model_error += std::abs(mix.by_prior(of_pair) - bps);
    row.baseline_error += std::abs(static_cast<double>(of_pair[ExpertPanel::kBaseline]) - bps);
  }
  return row;
}

/// @param newest  of the rows judged, any order
bool has_drifted(std::span<const std::shared_ptr<const RowLosses>> newest) {
  if (newest.size() < kDriftRowsMin) return false;
  const auto count = static_cast<double>(newest.size());
  double excess = 0.0, squares = 0.0, baseline = 0.0;
  for (const auto& row : newest) {
    const double difference = row->model_error - row->baseline_error;
    excess += difference;
    squares += difference * difference;
    baseline += row->baseline_error;
  }
  const double variance = std::max(squares - excess * excess / count, 0.0) / (count - 1.0);
  return excess > kDriftShare * baseline && excess > kDriftErrors * std::sqrt(variance * count);
}

}  // namespace

std::size_t RecentLossFinder::rows_for(std::size_t pairs, std::size_t experts) {
  return std::min(kRowsMax, kKeptBytesMax / std::max<std::size_t>(pairs * experts * sizeof(float), 1));
}

template <typename Value>
std::shared_ptr<const Value> RecentLossFinder::Memory<Value>::find(std::uint64_t key) {
  const std::lock_guard lock{mutex_};
  const auto found = kept_.find(key);
  return found == kept_.end() ? nullptr : found->second;
}

template <typename Value>
void RecentLossFinder::Memory<Value>::keep(std::uint64_t key, const std::shared_ptr<const Value>& value,
                                           std::size_t kept_max) {
  const std::lock_guard lock{mutex_};
  if (!kept_.emplace(key, value).second) return;
  oldest_first_.push_back(key);
  if (oldest_first_.size() <= kept_max) return;
  kept_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

/// A history with a digest of each of its matrices.
struct RecentLossFinder::Digested {
  std::span<const TrafficMatrix> intervals;
  std::vector<std::uint64_t> digests{};

  explicit Digested(std::span<const TrafficMatrix> history) : intervals{history} {
    for (const TrafficMatrix& matrix : history) digests.push_back(digest_of(matrix));
  }
  /// What a row is forecast from.
  [[nodiscard]] std::span<const TrafficMatrix> before(std::size_t row) const {
    const std::size_t length = std::min(row, LagModel::kLags);
    return intervals.subspan(row - length, length);
  }
  [[nodiscard]] std::uint64_t key_before(std::size_t row) const {
    std::uint64_t key = std::min(row, LagModel::kLags);
    for (std::size_t i = row - std::min(row, LagModel::kLags); i < row; ++i) key = mixed(key, digests[i]);
    return key;
  }
};

std::shared_ptr<const std::vector<float>> RecentLossFinder::forecast_after(const ExpertPanel& panel,
                                                                           const Digested& history, std::size_t row) {
  const std::uint64_t key = history.key_before(row);
  if (auto known = forecasts_.find(key)) return known;
  std::vector<float> forecasts(panel.pairs().size() * panel.size());
  panel.forecast(history.before(row), forecasts);
  auto kept = std::make_shared<const std::vector<float>>(std::move(forecasts));
  forecasts_.keep(key, kept, kForecastsKept);
  return kept;
}

RecentLosses RecentLossFinder::look_back(const ExpertPanel& panel, const ExpertMix& mix,
                                         std::span<const TrafficMatrix> history, Timestamp trained_until) {
  const std::size_t rows_max = rows_for(panel.pairs().size(), panel.size());
  const Digested known{history.last(std::min(history.size(), LagModel::kLags + rows_max))};
  std::vector<std::shared_ptr<const RowLosses>> judged;  // newest first
  for (std::size_t row = known.intervals.size(); row-- > 1 && known.intervals.size() - row <= rows_max;) {
    const TrafficMatrix& truth = known.intervals[row];
    if (truth.measured_at() < trained_until) break;
    if (truth.measured_at() - known.intervals[row - 1].measured_at() != panel.interval()) continue;
    const std::uint64_t key = mixed(known.key_before(row), known.digests[row]);
    auto losses = losses_.find(key);
    if (!losses) {
      losses = std::make_shared<const RowLosses>(judge(panel, mix, *forecast_after(panel, known, row), truth));
      losses_.keep(key, losses, 2 * rows_max);
    }
    judged.push_back(std::move(losses));
  }
  auto forecasts = forecast_after(panel, known, known.intervals.size());
  RecentLosses recent{.sums = std::vector<float>(forecasts->size(), 0.0F), .forecasts = std::move(forecasts)};
  for (auto losses = judged.rbegin(); losses != judged.rend(); ++losses) {
    for (std::size_t i = 0; i < recent.sums.size(); ++i) recent.sums[i] += (*losses)->losses[i];
  }
  recent.rows = judged.size();
  recent.drifted = has_drifted(std::span{judged}.first(std::min(judged.size(), kDriftRows)));
  return recent;
}

}  // namespace wan::models
