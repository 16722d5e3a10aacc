#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wan::controller {

/// Utilisation of every link in every scenario, with its exponentials: what a scenario plan's prices come from.
///
/// Rows are links, columns scenarios, padded to whole vector registers with columns of weight 0.
struct ScenarioLoads {
  ScenarioLoads(std::size_t link_count, std::size_t scenario_count);

  std::size_t links;
  std::size_t stride;                    ///< columns with padding
  double eta = 1.0;                      ///< sharpness of the soft maximum, 1 / utilisation
  std::vector<double> weight;            ///< by column: probability of the scenario; 0 for padding
  std::vector<double> inverse_capacity;  ///< by link; 0 for a link that is down
  std::vector<double> utilization;       ///< [link][column]
  std::vector<double> exponential;       ///< [link][column] exp(eta (utilisation - shift))
  std::vector<double> shift;             ///< by column: the largest utilisation when last refreshed
  std::vector<double> sum;               ///< by column: sum of exponentials over links

  /// Recomputes shift, exponentials and sums from the utilisations.
  void refresh();
  /// Weighted mean over scenarios of the (unsmoothed) largest utilisation.
  [[nodiscard]] double expected_utilization() const;
  /// Weighted mean of (1 / eta) ln sum exp(eta utilisation).
  [[nodiscard]] double soft_expected_utilization() const;
};

/// One demand's candidate paths and its share on each.
struct SplitView {
  std::span<const double> rate;          ///< by column: bits per second
  std::span<const std::uint32_t> first;  ///< path -> first of its links; one more than paths
  std::span<const std::uint32_t> links;
  std::span<const double> delay_price;  ///< by path: what its delay costs the objective at full share
  std::span<double> share;              ///< by path, sums to 1
};

/// Moves share from the demand's dearest path in use to its cheapest one, by a safeguarded Newton step on the expected
/// soft maximum, and keeps the loads in step. Never raises the objective.
/// @param scratch  working memory, resized as needed
/// @return         the share that moved
double improve_split(ScenarioLoads& loads, const SplitView& split, std::vector<double>& scratch);

/// By link: what one more unit of share of this demand on the link would add to the expected soft maximum.
void demand_link_prices(const ScenarioLoads& loads, std::span<const double> rate, std::span<double> price);

}  // namespace wan::controller
