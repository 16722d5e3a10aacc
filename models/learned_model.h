#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/topology.h"
#include "models/baselines.h"
#include "models/features.h"
#include "models/forecaster.h"
#include "models/lag_model.h"
#include "models/model_card.h"
#include "models/model_file.h"
#include "models/pair_columns.h"
#include "models/season_profile.h"
#include "models/torch/correction_net.h"

namespace wan::models {

/// The forecast of one interval before it is put together, by pair.
struct PairForecast {
  BaseForecast base;
  std::vector<float> correction;  ///< what the network would add, in units of the local scale
};

/// The learned forecaster's parts: an autoregression, the seasons of its surprises, and a network that corrects it.
///
/// forecast = local scale * max(0, base + correction share * correction), pair by pair.
/// Threads: any number of readers.
class LearnedModel final : public Forecaster {
 public:
  LearnedModel(PairIndex pairs, LagModel lags, SeasonProfile seasons, CorrectionNet net, double correction_share,
               std::chrono::seconds interval);

  std::string_view name() const override { return "learned"; }
  std::size_t history_intervals() const override { return LagModel::kLags; }
  /// Cost: under 1 ms for 462 pairs on one core.
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override;

  /// The halves of `next`, for choosing how much correction to apply.
  [[nodiscard]] Result<PairForecast> forecast_pairs(std::span<const TrafficMatrix> history) const;
  [[nodiscard]] double correction_share() const { return correction_share_; }
  void set_correction_share(double share) { correction_share_ = share; }

  /// All learned numbers. A model made from them forecasts the same to the last bit.
  [[nodiscard]] std::vector<NamedArray> to_arrays() const;

 private:
  PairIndex pairs_;
  LagModel lags_;
  SeasonProfile seasons_;
  CorrectionNet net_;
  double correction_share_;
  std::chrono::seconds interval_;
};

/// A model with its card and with the baselines fitted on the same rows.
struct ModelBundle {
  ModelCard card;
  std::unique_ptr<LearnedModel> learned;
  Ar12 ar12;
};

/// Makes the folder that a model will go into, so that a long training does not end at a folder that cannot be.
/// @error kIo
[[nodiscard]] Result<void> make_model_folder(const std::filesystem::path& folder);

/// Writes `weights.bin`, then `card.json`, into a folder, which is made where it does not exist. Sets the card's
/// weights_digest.
/// @error kIo
[[nodiscard]] Result<void> save_model(const std::filesystem::path& folder, ModelBundle& model);

/// @error kNotFound, kIo; kBadInput: damaged, or its parts do not fit together
[[nodiscard]] Result<ModelBundle> load_model(const std::filesystem::path& folder);

/// That a model was trained for this network.
/// @error kShapeMismatch
[[nodiscard]] Result<void> check_model_fits(const ModelCard& card, const Topology& topology);

}  // namespace wan::models
