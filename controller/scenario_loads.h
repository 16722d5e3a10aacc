#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wan::controller {

/// Utilisation of every link in every scenario, with its exponentials: what a scenario plan's prices come from.
///
/// Rows are links, columns scenarios, padded to whole vector registers with columns of weight 0. The objective is the
/// soft maximum's mean or, with a tail below 1, its smoothed conditional value at risk: the mean of the worst `tail` of
/// the scenarios. The latter is min over t of t + mean(max(u, t) - t) / tail, so all it takes is one more row, at
/// utilisation t in every scenario, and weights divided by the tail; t is best again at every `refresh`.
///
/// Further columns are limited: groups of as many columns as there are scenarios, each with a part of the traffic that
/// must stay at its `limit`, or below. A scenario's excess weighs `kLimitWeight` times what its utilisation does, and
/// nothing while it is below: the same row has the limits.
///
/// A blunt column, where there is one, comes last: the mean of the scenarios scaled by `kBluntScale`, so that its soft
/// maximum is that much blunter and also sees links well below the fullest.
/// Source: Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, J. Risk 2000, theorem 1.
struct ScenarioLoads {
  static constexpr double kLimitWeight = 8.0;
  static constexpr double kBluntScale = 0.05;
  static constexpr double kCounts = 1e-8;  ///< an exponential below this in all scenarios gives a link no price

  /// So many columns filled up to whole vector registers.
  [[nodiscard]] static constexpr std::size_t padded(std::size_t columns) {
    return (columns + kLanes - 1) / kLanes * kLanes;
  }
  static constexpr std::size_t kLanes = 8;  ///< doubles in the widest vector register

  /// @param tail   in (0, 1]; 1: the mean over all scenarios
  /// @param blunt  weight of the blunt column's largest utilisation, before scaling, beside the scenarios'; 0: none
  ScenarioLoads(std::size_t link_count, std::size_t scenario_count, double tail = 1.0, std::size_t limited_groups = 0,
                double blunt = 0.0);

  std::size_t links;
  std::size_t scenarios;                 ///< the first columns
  std::size_t limited;                   ///< columns after them
  std::size_t weighed;                   ///< all of these and the blunt one
  std::size_t rows;                      ///< links, and the row at level and limits where there are any
  std::size_t stride;                    ///< columns with padding
  double tail;                           ///< part of the scenarios that counts: the worst
  double level = 0.0;                    ///< t above: about the least of the maxima that count
  std::vector<double> limit;             ///< by limited column: utilisation
  double eta = 1.0;                      ///< sharpness of the soft maximum, 1 / utilisation
  std::vector<double> weight;            ///< by column: of a scenario its probability / tail; 0 for padding
  std::vector<double> inverse_capacity;  ///< by link; 0 for a link that is down
  std::vector<double> utilization;       ///< [row][column]
  std::vector<double> exponential;       ///< [row][column] exp(eta (utilisation - shift))
  std::vector<double> shift;             ///< by column: the largest utilisation when last refreshed
  std::vector<double> sum;               ///< by column: sum of exponentials over rows
  std::vector<double> pull;              ///< by column: weight / sum, what an exponential there makes of a price
  std::vector<std::uint8_t> counts;      ///< by row: whether it is near enough to the top in some scenario to matter

  /// Recomputes level, shift, exponentials and sums from the utilisations.
  void refresh();
  /// By scenario: the (unsmoothed) largest utilisation.
  [[nodiscard]] std::vector<double> largest_utilizations() const;
  /// Weighted mean of these.
  [[nodiscard]] double expected_utilization() const;
  /// The same over the worst `tail` of them: what is minimised, unsmoothed.
  [[nodiscard]] double risk_utilization() const;
  /// What limited columns that are above their limits add to it.
  [[nodiscard]] double excess() const;
  /// What is minimised: with tail 1, the weighted mean of (1 / eta) ln sum exp(eta utilisation); by how much limited
  /// columns are above their limits, as softly; and the blunt column's.
  [[nodiscard]] double soft_utilization() const;
  [[nodiscard]] bool has_blunt() const { return weighed > scenarios + limited; }
  /// Its blunt part: the soft maximum of the blunt column at full scale; 0 where there is none, or it was dropped.
  [[nodiscard]] double blunt_utilization() const;
  /// What the blunt column weighs beside the scenarios.
  [[nodiscard]] double blunt_weight() const { return has_blunt() ? weight[weighed - 1] * kBluntScale : 0.0; }
  void drop_blunt();
};

/// The mean of the worst `tail` of equally likely values; the last one counts in part.
/// @param tail  in (0, 1]
[[nodiscard]] double tail_mean(std::vector<double> values, double tail);

}  // namespace wan::controller
