#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/traffic_matrix.h"
#include "models/daily_steps.h"
#include "models/lag_model.h"
#include "models/pair_columns.h"
#include "models/season_profile.h"

namespace wan::models {

/// A pair's last values in bit/s, newest first.
using LagWindow = std::array<double, LagModel::kLags>;
/// @param history  not empty; what it lacks of LagModel::kLags intervals is taken to be as its oldest
[[nodiscard]] LagWindow window_of(std::span<const TrafficMatrix> history, std::size_t position);

/// The newest intervals turned on their side: what is done for every pair is one loop over numbers that lie together.
struct RecentTraffic {
  std::size_t pair_count = 0;
  std::vector<double> bps;        ///< [LagModel::kLags][pair], newest first
  std::vector<double> scale_bps;  ///< by pair, as LagModel::scale_bps

  [[nodiscard]] std::span<const double> lag(std::size_t lag) const {
    return std::span{bps}.subspan(lag * pair_count, pair_count);
  }
};
/// @param lags     for its scales
/// @param history  as for `window_of`
[[nodiscard]] RecentTraffic recent_traffic(const PairIndex& pairs, const LagModel& lags,
                                           std::span<const TrafficMatrix> history);

/// The lag model's view of one interval to come, by pair.
struct BaseForecast {
  std::vector<double> scale_bps;  ///< above zero
  std::vector<float> forecast;    ///< in units of the scale
};

/// @param history  oldest first, not empty; what it lacks of LagModel::kLags intervals is taken to be as its oldest
/// Cost: 24 multiplications a pair.
[[nodiscard]] BaseForecast forecast_base(const PairIndex& pairs, const LagModel& lags,
                                         std::span<const TrafficMatrix> history);

/// What both descriptions of a pair rest on, each [...][pair].
struct PairSigns {
  static constexpr std::size_t kMovements = 9;
  static constexpr std::size_t kSpikeSigns = 6;

  std::vector<double> relative;  ///< [LagModel::kLags]: the last values in units of the scale, newest first
  /// How the totals of source, destination and network moved of late: newest and second newest value and older half of
  /// the last 12, relative to their mean, in proportion to the pair's newest value.
  std::vector<double> movements;
  /// What tells a spike from a step: medians of the newest 3, 5 and 9 values relative to the newest, the newest step
  /// cut short (its direction then counts more than its size) narrowly and widely, and the distance from the mean of 6.
  std::vector<double> spikes;
  std::vector<double> medians_of_five_bps;  ///< by pair
};
[[nodiscard]] PairSigns signs_of(const PairIndex& pairs, const RecentTraffic& recent);

/// How many numbers describe one pair at one interval to the learned correction.
inline constexpr std::size_t kFeatureCount =
    LagModel::kLags + 10 + SeasonProfile::kCycles + PairSigns::kMovements + PairSigns::kSpikeSigns;

/// What the learned correction sees, in units that do not depend on the size of a network: [kFeatureCount][pair], each
/// within [-4, 6]. In order: the last 24 values and the base forecast relative to the local scale; how busy the pair is
/// now and how large it is among the network's; how restless it was; medians of its newest 3, 5 and 9 values and its
/// newest step, cut short, relative to the newest value; what its seasons foretell; how the totals of its source, its
/// destination and the network moved of late; three harmonics of the time of day. The last two in proportion to the
/// newest value.
///
/// Training and forecasting describe an interval by this one function.
///
/// @param target         when the interval to be forecast begins
/// @param own_surprises  by pair, for a row that `seasons` was made from: it is left out of what they foretell. Empty
/// otherwise
/// @param out            [kFeatureCount][pair]
void describe(const PairIndex& pairs, const LagModel& lags, const SeasonProfile& seasons,
              std::span<const TrafficMatrix> history, Timestamp target, const BaseForecast& base,
              std::span<const float> own_surprises, std::span<float> out);

/// `describe` in two parts: what does not depend on the base forecast and its seasons...
void describe_pairs(const LagModel& lags, const RecentTraffic& recent, const PairSigns& signs, Timestamp target,
                    std::span<float> out);
/// ...and what does.
/// @param base_forecast  by pair, in units of the scale
void describe_expected(const SeasonProfile& seasons, Timestamp target, std::span<const float> base_forecast,
                       std::span<const float> own_surprises, std::span<float> out);

/// How many numbers a linear forecast of one pair is made from, and how many of them without the last ones.
inline constexpr std::size_t kRegressionInputs = LagModel::kInputs + PairSigns::kMovements + 2 + PairSigns::kSpikeSigns;
inline constexpr std::size_t kRegressionInputsPlain = kRegressionInputs - PairSigns::kSpikeSigns;

/// What a PanelRegression sees, each within [-4, 6]. In order: the last 24 values, the training mean and the scale, in
/// units of the scale; how the totals of its source, its destination and the network moved of late, in proportion to
/// the newest value; how the pair usually moves at this time of day; then the signs of a spike, as in `describe`.
///
/// @param lags    for its means
/// @param target  when the interval to be forecast begins
/// @param own     what `daily` holds of the row itself and its neighbours and is to leave out; empty otherwise
/// @param out     [kRegressionInputs][pair]
void describe_linear(const LagModel& lags, const DailySteps& daily, const RecentTraffic& recent, const PairSigns& signs,
                     Timestamp target, const DailySteps::Neighbours& own, std::span<float> out);

}  // namespace wan::models
