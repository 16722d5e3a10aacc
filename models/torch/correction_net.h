#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/result.h"

namespace wan::models {

/// The learned half of the forecaster: a small neural network, shared by all pairs, that corrects the lag model.
struct CorrectionShape {
  std::size_t pairs = 0;
  std::size_t features = 0;
  std::size_t embedding = 4;  ///< numbers learned for each pair
  std::size_t hidden = 32;    ///< units in each of two hidden layers
  std::size_t members = 2;    ///< networks trained from different seeds; the correction is their mean

  [[nodiscard]] std::size_t parameter_count() const;
  bool operator==(const CorrectionShape&) const = default;
};

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

/// Threads: `correct` is reentrant. Same shape, examples and schedule: same parameters (on one machine). libtorch's
/// exceptions stop in here.
class CorrectionNet {
 public:
  /// Trains every member on a thread of its own.
  /// @param on_batch  called with batches done and batches in all, on the calling thread; may be empty
  /// @error kInternal: libtorch failed, or the training did not stay finite
  [[nodiscard]] static Result<CorrectionNet> train(const CorrectionShape& shape, const CorrectionExamples& examples,
                                                   const CorrectionSchedule& schedule,
                                                   const std::function<void(std::size_t, std::size_t)>& on_batch);
  /// @error kBadInput: not `shape.parameter_count()` numbers, or one that is not finite
  [[nodiscard]] static Result<CorrectionNet> from_parameters(const CorrectionShape& shape,
                                                             std::span<const float> parameters);

  CorrectionNet(CorrectionNet&&) noexcept;
  CorrectionNet& operator=(CorrectionNet&&) noexcept;
  ~CorrectionNet();

  /// Member by member: embedding [pairs][embedding], then three layers, weights before biases.
  [[nodiscard]] std::vector<float> parameters() const;

  /// What to add to the base forecast of each pair at one interval. Runs on the calling thread alone.
  /// @param features  [feature][pair]
  /// @param out       by pair
  /// @error kInternal: libtorch failed
  [[nodiscard]] Result<void> correct(std::span<const float> features, std::span<float> out) const;

 private:
  struct Impl;
  explicit CorrectionNet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::models
