#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "models/evaluation.h"
#include "models/learned_model.h"
#include "models/program/row_range.h"
#include "models/significance.h"

namespace wan::models {

/// One forecaster of an evaluation with what it reached.
struct Contestant {
  std::string name;  ///< "model", "ewma_0.3", ...
  const Forecaster* forecaster = nullptr;
  std::unique_ptr<Forecaster> owned{};      ///< null for the model
  std::vector<Score> scores{};              ///< by horizon
  std::vector<PairedTest> against_model{};  ///< by horizon: loss of the model minus loss of this one
  double milliseconds_per_forecast = 0.0;   ///< one interval ahead
};

struct BaselineOptions {
  std::span<const TrafficMatrix> training;  ///< to fit on, without a scored row
  std::chrono::seconds interval{0};         ///< of the traffic, above zero
};

/// The model, then the baselines: last value; EWMA with 0.3, 0.5, 0.7 and as fitted; AR(12) per pair; mean and peak of
/// 12; the same time a day before and, where `training` spans two weeks, a week before; vector AR(3). The fitted EWMA
/// and AR(12) are those kept with the model.
///
/// @param notes  gets a line for each baseline that this traffic does not allow
[[nodiscard]] std::vector<Contestant> make_contestants(const ModelBundle& model, const BaselineOptions& options,
                                                       std::vector<std::string>& notes);

/// Scores all on the same rows and tests each against the first.
/// @error what a forecaster says
[[nodiscard]] Result<void> score_contestants(std::vector<Contestant>& contestants,
                                             std::span<const TrafficMatrix> intervals, const RowRange& rows,
                                             std::span<const std::size_t> horizons, const Clock& clock,
                                             const std::function<void(std::size_t, std::size_t)>& on_progress);

/// The place of the baseline with the smallest error at one of the horizons.
[[nodiscard]] std::size_t best_baseline(const std::vector<Contestant>& contestants, std::size_t horizon_place);

}  // namespace wan::models
