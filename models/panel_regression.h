#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/features.h"
#include "models/pair_columns.h"

namespace wan::models {

/// A linear forecast one interval ahead for every pair, whose weights are drawn towards those of the whole network, in
/// each direction as far as the pairs are alike in it.
///
/// Beside a pair's own past it sees how the totals of its source, its destination and the network moved, and how it
/// usually moves at this time of day (`describe_linear`). Both halves are in units of the pair's local scale.
struct PanelRegression {
  std::vector<float> weights;  ///< [pair][kRegressionInputs]
};

/// Forecasts by a regression, all pairs at once.
class RegressionPredictor {
 public:
  explicit RegressionPredictor(const PanelRegression& fit) : weights_{turned(fit.weights, kRegressionInputs)} {}

  /// @param inputs  [kRegressionInputs][pair], as `describe_linear` gives them
  /// @param out     by pair, divided by the local scale; not below zero
  void predict(std::span<const float> inputs, std::span<double> out) const;

 private:
  std::vector<float> weights_;  // [kRegressionInputs][pair]
};

/// Training rows of all pairs.
struct RegressionRows {
  std::size_t pairs = 0;
  std::size_t rows = 0;
  std::vector<float> inputs;   ///< [pair][row][kRegressionInputs]
  std::vector<float> targets;  ///< [pair][row], divided by the local scale
  std::vector<float> scales;   ///< [pair][row], bit/s, above zero
  std::vector<bool> alive;     ///< by pair: whether it carried anything; others say nothing about how pairs differ
};

/// Fits for least absolute error by iteratively reweighted least squares, errors below 2 % of the scale counting as
/// squares. The weights of the network minimise the error summed over it. Around them the weights of pairs are taken to
/// scatter normally with a covariance that is estimated along with them: empirical Bayes by expectation-maximisation
/// (Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. Royal Statist. Soc. B
/// 1977, section 4.5 on variance components; errors here have Laplace's distribution). We begin with pairs that are
/// nearly alike, stop after 12 rounds and draw twice as hard as the estimate then says: all three keep pairs closer to
/// the network than the rows alone would, on which the weights were fitted as well.
///
/// @param used  how many inputs, from the first; the weights of the others are zero
/// Cost: about 500 multiplications a pair, row and iteration (12); Abilene's ten days take 3 s.
[[nodiscard]] PanelRegression fit_panel_regression(const RegressionRows& seen, std::size_t used);

}  // namespace wan::models
