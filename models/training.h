#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/learned_model.h"

namespace wan::models {

struct TrainOptions {
  std::uint64_t seed = 1;
  std::size_t epochs = 20;      ///< above zero; bounds the time, so that equal inputs give equal models
  std::size_t members = 2;      ///< above zero
  std::string network;          ///< a name for the card
  std::string library_version;  ///< for the card
  /// Called now and then with the work done and the work in all; may be empty.
  std::function<void(std::size_t, std::size_t)> on_progress;
};

/// Fewest intervals that a model can be trained on.
inline constexpr std::size_t kTrainingIntervalsMin = 100;

/// Trains the learned forecaster on all intervals of a series.
///
/// First on the first four fifths, to choose the ridge and how much correction to apply by the error on the last fifth,
/// whose scores stand on the card; then once more on everything with what was chosen.
///
/// @error kBadInput: fewer than kTrainingIntervalsMin intervals, or no traffic in them; kShapeMismatch: the matrices
/// are
///        not of the topology's nodes; kUnsupported: so many pairs and intervals that training would need over 4 GiB
/// Threads: reentrant; starts `members` threads and joins them.
/// Cost: Abilene's ten days (2,880 intervals, 132 pairs) take under a minute on two cores, twice that on busy ones.
/// Determinism: equal series and options give equal models on one kind of machine.
[[nodiscard]] Result<ModelBundle> train_model(const Topology& topology, const TrafficSeries& series,
                                              const TrainOptions& options);

/// Fewest intervals that a model must not have seen when its training goes on.
inline constexpr std::size_t kNewIntervalsMin = 12;
/// Passes over the rows that are enough for a network that is trained already.
inline constexpr std::size_t kResumeEpochs = 5;

/// Goes on training a model on a series that reaches further than what it was trained on.
///
/// What was chosen in the first training stays. The linear parts are fitted anew on all rows of the series; the network
/// goes on from where it was, with half the step. The rows that are new are first forecast by the model as it was: that
/// is the score on the new card, and from it the weights of the experts and the bands go on learning.
///
/// @param series   its rows before `before.card.trained_until`, at least kTrainingIntervalsMin, and the new ones, at
///                 least kNewIntervalsMin
/// @error as train_model; kShapeMismatch: another interval or number of classes; kBadInput: too few rows, old or new
[[nodiscard]] Result<ModelBundle> resume_training(const Topology& topology, const TrafficSeries& series,
                                                  const ModelBundle& before, const TrainOptions& options);

}  // namespace wan::models
