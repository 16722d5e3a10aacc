#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/topology.h"
#include "models/baselines.h"
#include "models/expert_mix.h"
#include "models/expert_panel.h"
#include "models/forecaster.h"
#include "models/lag_model.h"
#include "models/model_card.h"
#include "models/model_file.h"
#include "models/prediction_bands.h"
#include "models/recent_losses.h"

namespace wan::models {

/// The learned forecaster: experts that err in different ways, put together pair by pair by how each did of late.
///
/// One interval ahead it is the mixture of an ExpertPanel; while the mixture does worse than the fitted EWMA on the
/// newest intervals (RecentLosses::drifted) it is that EWMA. Further ahead, a lag model fitted for that distance is put
/// together with this forecast in shares that the validation rows chose.
/// Threads: any number of readers.
class LearnedModel final : public Forecaster {
 public:
  /// What forecasts beyond one interval, by horizon from 2 to kHorizonMax.
  struct Further {
    std::vector<LagModel> lags;
    std::vector<float> shares;  ///< of the lag model beside the forecast for the next interval, in [0, 1]
  };

  /// @param trained_until  end of the training rows
  LearnedModel(ExpertPanel panel, ExpertMix mix, Further further, Timestamp trained_until);

  std::string_view name() const override { return "learned"; }
  std::size_t history_intervals() const override;
  /// @error kInternal, beside those of a Forecaster: the forecast is not finite, as with numbers that no training gives
  /// Cost: 0.33 ms for 462 pairs on one core (GEANT, rows 400 to 480; p99 0.46 ms) when it was called with the history
  /// one interval shorter before; otherwise up to 48 times that.
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override;
  Result<std::vector<TrafficMatrix>> ahead(std::span<const TrafficMatrix> history, std::size_t horizon) const override;

  /// Whether `next` falls back on the EWMA after this history.
  /// @error as `next`
  [[nodiscard]] Result<bool> falls_back(std::span<const TrafficMatrix> history) const;

  [[nodiscard]] const ExpertPanel& panel() const { return panel_; }
  [[nodiscard]] const ExpertMix& mix() const { return mix_; }
  [[nodiscard]] const Further& further() const { return further_; }
  void set_further_shares(std::vector<float> shares) { further_.shares = std::move(shares); }
  /// All learned numbers. A model made from them forecasts the same to the last bit.
  [[nodiscard]] std::vector<NamedArray> to_arrays() const;

 private:
  [[nodiscard]] Result<RecentLosses> look_back(std::span<const TrafficMatrix> history) const;
  [[nodiscard]] TrafficMatrix nearest(Timestamp newest, const RecentLosses& recent) const;
  /// @param further  forecasts for 2 intervals ahead and more, as yet those for the next one
  void move_towards_lag_models(std::span<const TrafficMatrix> history, std::span<TrafficMatrix> further) const;

  ExpertPanel panel_;
  ExpertMix mix_;
  Further further_;
  std::vector<LagPredictor> by_further_;  // of further_.lags
  Timestamp trained_until_;
  std::unique_ptr<RecentLossFinder> finder_;
};

/// A model with its card and with the baselines fitted on the same rows.
struct ModelBundle {
  ModelCard card;
  std::unique_ptr<LearnedModel> learned;
  Ar12 ar12;
  PredictionBands bands;  ///< around `learned`, as they stood at the end of the training rows
};

/// Makes the folder that a model will go into, so that a long training does not end at a folder that cannot be.
/// @error kIo
[[nodiscard]] Result<void> make_model_folder(const std::filesystem::path& folder);

/// Writes `weights.bin`, then `card.json`, into a folder, which is made where it does not exist. Sets the card's
/// weights_digest.
/// @error kIo
[[nodiscard]] Result<void> save_model(const std::filesystem::path& folder, ModelBundle& model);

/// The arrays of `weights.bin`.
[[nodiscard]] std::vector<NamedArray> to_arrays(const ModelBundle& model);

/// Puts a model together.
/// @param arrays  as `to_arrays` gives them, in any order
/// @error kBadInput: an array is missing, does not fit the card or holds a value that it cannot have. No claim on the
///        card makes this allocate more than a few times what the arrays take
[[nodiscard]] Result<ModelBundle> assemble_model(const ModelCard& card, std::vector<NamedArray> arrays);

/// @error kNotFound, kIo; kBadInput: damaged, or as `assemble_model`
[[nodiscard]] Result<ModelBundle> load_model(const std::filesystem::path& folder);

/// That a model was trained for this network.
/// @error kShapeMismatch
[[nodiscard]] Result<void> check_model_fits(const ModelCard& card, const Topology& topology);

}  // namespace wan::models
