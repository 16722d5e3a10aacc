#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wan::models {

/// Puts several experts' forecasts of a pair together, each weighing the more the less it erred on that pair.
///
/// The weight of an expert is its network-wide prior times exp(-rate x sum of its losses on the pair): those of the
/// rows that training kept for choosing, and those of the newest rows, which the caller adds. Source: Cesa-Bianchi and
/// Lugosi, "Prediction, Learning, and Games", 2006, section 2.1 (exponentially weighted average forecaster). Losses are
/// clipped absolute errors beyond those of the mixture by priors, so that a jump that every expert missed says nothing.
struct ExpertMix {
  /// A loss counts within plus and minus this.
  static constexpr float kLossMax = 3.0F;

  std::size_t expert_count = 0;  ///< E, above zero
  double rate = 0.0;             ///< how fast weights follow losses; at least 0
  std::vector<float> unit_bps;   ///< by pair, above zero: the error that is a loss of 1
  std::vector<float> prior;      ///< by expert, sums to 1: weights before a pair's own losses
  std::vector<float> losses;     ///< [pair][expert], summed over the rows kept for choosing

  [[nodiscard]] std::size_t pair_count() const { return unit_bps.size(); }

  /// The mixture of one pair by priors alone.
  [[nodiscard]] double by_prior(std::span<const float> forecasts) const;
  /// Adds one row's losses of a pair.
  /// @param forecasts  by expert, bit/s
  /// @param sums       by expert
  void add_losses(std::size_t pair, std::span<const float> forecasts, double truth_bps, std::span<float> sums) const;
  /// The forecast of one pair.
  /// @param recent  by expert: losses beside those of training
  [[nodiscard]] double mix(std::size_t pair, std::span<const float> forecasts, std::span<const float> recent) const;
};

/// What the experts said for rows whose truth is known.
struct ExpertRecord {
  std::size_t rows = 0;
  std::vector<float> forecasts;  ///< [row][pair][expert], bit/s
  std::vector<double> truth;     ///< [row][pair], bit/s
};

/// Fits priors (exponentiated gradient on the summed absolute error) and rate, and collects the losses. The rate is the
/// one of 0.1, 0.2, 0.4 and 0.8 that forecasts the record best, row by row, each from the rows before it.
///
/// @param unit_bps  by pair, above zero
/// @param record    at least one row
/// Cost: some 100 multiplications a forecast in the record.
[[nodiscard]] ExpertMix fit_expert_mix(std::size_t expert_count, std::vector<float> unit_bps,
                                       const ExpertRecord& record);

}  // namespace wan::models
