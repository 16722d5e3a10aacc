#pragma once

#include <cstddef>
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

  [[nodiscard]] std::size_t member_count() const;  ///< of one member's parameters
  [[nodiscard]] std::size_t parameter_count() const { return members * member_count(); }
  bool operator==(const CorrectionShape&) const = default;
};

/// A trained network, which answers without the library that trained it (models/torch/correction_training.h).
///
/// A member is: embedding [pairs][embedding]; first layer [hidden][features] on the features and [embedding][hidden] on
/// the embedding, biases [hidden]; second layer [hidden][hidden], biases [hidden]; last layer [hidden], bias [1]. SiLU
/// between the layers.
/// Threads: `correct` is reentrant. Equal numbers give equal answers, to the last bit, on every machine: each sum over
/// inputs is made of fused multiply-adds in a fixed order (the answers are those of libtorch 1.13 with oneDNN 2.6 and
/// AVX-512).
class CorrectionNet {
 public:
  /// @param parameters  member by member, the parts in the order above
  /// @error kBadInput: not `shape.parameter_count()` numbers, or one that is not finite
  [[nodiscard]] static Result<CorrectionNet> from_parameters(const CorrectionShape& shape,
                                                             std::span<const float> parameters);

  [[nodiscard]] const CorrectionShape& shape() const { return shape_; }
  /// As they were given.
  [[nodiscard]] const std::vector<float>& parameters() const { return parameters_; }

  /// What to add to the base forecast of each pair at one interval.
  /// @param features  [feature][pair]
  /// @param out       by pair
  /// Cost: (features + hidden + 1) x hidden multiplications a pair and member, 16 pairs at once with AVX-512; some
  /// hundred times that where the processor cannot fuse (before 2013).
  void correct(std::span<const float> features, std::span<float> out) const;

 private:
  CorrectionNet(const CorrectionShape& shape, std::vector<float> parameters);

  /// A member's numbers in the order in which `correct` reads them.
  struct Member {
    std::vector<float> of_pairs, first, second, second_biases, last;
    float last_bias = 0.0F;
  };

  CorrectionShape shape_;
  std::vector<float> parameters_;
  std::vector<Member> members_;
};

}  // namespace wan::models
