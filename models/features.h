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

/// The lag model's view of one interval to come, by pair.
struct BaseForecast {
  std::vector<double> scale_bps;  ///< above zero
  std::vector<float> forecast;    ///< in units of the scale
};

/// @param history  oldest first, not empty; what it lacks of LagModel::kLags intervals is taken to be as its oldest
/// Cost: 24 multiplications a pair.
[[nodiscard]] BaseForecast forecast_base(const PairIndex& pairs, const LagModel& lags,
                                         std::span<const TrafficMatrix> history);

/// How many numbers describe one pair at one interval to the learned correction.
inline constexpr std::size_t kFeatureCount = LagModel::kLags + 10 + SeasonProfile::kCycles + 9 + 6;

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

/// How many numbers a linear forecast of one pair is made from, and how many of them without the last ones.
inline constexpr std::size_t kRegressionInputs = LagModel::kInputs + 9 + 2 + 6;
inline constexpr std::size_t kRegressionInputsPlain = kRegressionInputs - 6;

/// What a PanelRegression sees, each within [-4, 6]. In order: the last 24 values, the training mean and the scale, in
/// units of the scale; how the totals of its source, its destination and the network moved of late, in proportion to
/// the newest value; how the pair usually moves at this time of day; then the signs of a spike, as in `describe`.
///
/// @param lags    for its scales
/// @param target  when the interval to be forecast begins
/// @param own     what `daily` holds of the row itself and its neighbours and is to leave out; empty otherwise
/// @param out     [pair][kRegressionInputs]
void describe_linear(const PairIndex& pairs, const LagModel& lags, const DailySteps& daily,
                     std::span<const TrafficMatrix> history, Timestamp target, const DailySteps::Neighbours& own,
                     std::span<float> out);

}  // namespace wan::models
