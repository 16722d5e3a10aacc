#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/traffic_matrix.h"
#include "models/expert_panel.h"
#include "models/lag_model.h"
#include "models/model_card.h"
#include "models/pair_columns.h"

namespace wan::models {

/// What a training works on.
struct TrainingRows {
  const PairIndex& pairs;                    ///< outlives this
  std::span<const TrafficMatrix> intervals;  ///< outlive this
  std::chrono::seconds interval;
  std::vector<std::uint32_t> targets;  ///< rows to be forecast: those whose whole history lies before them without a
                                       ///< gap; all rows with a full history when gaps leave too few
};

[[nodiscard]] TrainingRows training_rows(const PairIndex& pairs, std::span<const TrafficMatrix> intervals,
                                         std::chrono::seconds interval);

/// What a lag model sees before a row.
[[nodiscard]] std::span<const TrafficMatrix> lag_history(std::span<const TrafficMatrix> intervals, std::size_t row);

/// The lag models of a panel: without and with the level inputs, drawn more and less to what all pairs share; the last
/// one is the same for all pairs.
[[nodiscard]] std::vector<LagModel> fit_panel_lags(const TrainingRows& rows);

/// Lag models for one horizon beyond one interval, one a ridge.
[[nodiscard]] std::vector<LagModel> fit_further(const TrainingRows& rows, const PairColumns& columns,
                                                std::size_t horizon, std::span<const double> ridges);
/// For 2 to kHorizonMax intervals ahead.
[[nodiscard]] std::vector<LagModel> fit_all_further(const TrainingRows& rows, double ridge);

/// The regressions of a panel: without and with the signs of a spike.
/// @param lags  for its scales
[[nodiscard]] Regressions fit_regressions(const TrainingRows& rows, const LagModel& lags);

/// Fits the regressions and trains the networks of a panel: one on the lag model that was chosen, one on the last,
/// which all pairs share.
///
/// @param before    a panel whose networks are gone on from; null: from the seed
/// @param on_batch  called with the batches done and all batches; may be empty
/// @error kInternal: libtorch failed or training did not stay finite
[[nodiscard]] Result<ExpertPanel> train_panel(const TrainingRows& rows, std::vector<LagModel> lags, double ewma_alpha,
                                              const HyperParameters& chosen, std::uint64_t seed,
                                              const ExpertPanel* before,
                                              const std::function<void(std::size_t, std::size_t)>& on_batch);

}  // namespace wan::models
