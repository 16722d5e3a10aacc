#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/result.h"
#include "models/correction_net.h"

namespace wan::models {

struct CorrectionSchedule {
  std::size_t epochs = 12;
  std::size_t rows_per_batch = 32;
  double learning_rate =
      2e-3;  ///< at its highest: it rises for a tenth of the training, then falls to zero as a cosine
  double weight_decay = 1e-2;
  std::uint64_t seed = 1;
  std::span<const float> start{};  ///< parameters to begin from, as many as the shape has; empty: drawn from the seed
};

/// Training rows, each with all pairs; the spans outlive the training.
struct CorrectionExamples {
  std::size_t rows = 0;
  std::span<const float> features;  ///< [row][feature][pair]
  std::span<const float> base;      ///< [row][pair]: what is corrected, in units of the local scale
  std::span<const float> target;    ///< [row][pair]: what the base should have been
  std::span<const float> weight;    ///< [row][pair]: how much an absolute error of 1 counts
};

/// Trains every member on a thread of its own. Same shape, examples and schedule: same parameters (on one machine).
/// @param on_batch  called with batches done and batches in all, on the calling thread; may be empty
/// @error kInternal: libtorch failed (its exceptions stop in here), or the training did not stay finite
[[nodiscard]] Result<CorrectionNet> train_correction_net(const CorrectionShape& shape,
                                                         const CorrectionExamples& examples,
                                                         const CorrectionSchedule& schedule,
                                                         const std::function<void(std::size_t, std::size_t)>& on_batch);

}  // namespace wan::models
