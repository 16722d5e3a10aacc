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
/// Cost: Abilene's ten days (2,880 intervals, 132 pairs) take half a minute on two cores.
/// Determinism: equal series and options give equal models on one kind of machine.
[[nodiscard]] Result<ModelBundle> train_model(const Topology& topology, const TrafficSeries& series,
                                              const TrainOptions& options);

}  // namespace wan::models
