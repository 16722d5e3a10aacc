#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "controller/scenario_loads.h"

namespace wan::controller {

/// One demand's candidate paths and its share on each.
struct SplitView {
  std::span<const double> rate;          ///< by column: bits per second
  std::span<const std::uint32_t> first;  ///< path -> first of its links; one more than paths
  std::span<const std::uint32_t> links;
  std::span<const double> delay_price;  ///< by path: what its delay costs the objective at full share
  std::span<double> share;              ///< by path, sums to 1
  std::span<const double> anchor{};     ///< by path: the share that the plan in force has there; empty: a free choice
  double change_price = 0.0;            ///< what it costs to move the whole demand away from the plan in force
  double gain_min = 0.0;                ///< a move that cannot lower the objective by more is not worth its time
};

/// Moves share from the demand's dearest path in use to its cheapest one, by a safeguarded Newton step on the objective
/// (with the price of change: convex, with a kink where a path is back at its share in force), and keeps the loads in
/// step. Never raises the objective.
/// @param scratch  working memory, resized as needed
/// @return         the share that moved
double improve_split(ScenarioLoads& loads, const SplitView& split, std::vector<double>& scratch);

/// By link: what one more unit of share of this demand on the link would add to the objective.
void demand_link_prices(const ScenarioLoads& loads, std::span<const double> rate, std::span<double> price);

}  // namespace wan::controller
