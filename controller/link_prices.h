#pragma once

#include <span>

namespace wan::controller {

/// Prices of links under the soft maximum (1/eta) ln sum exp(eta * utilisation): its gradient by load.
///
/// @param inverse_capacity  by link; 0 marks a link that is down and gets price 0
/// @param eta               sharpness; larger is closer to the maximum
/// @param price             out, by link; price x capacity sums to 1
/// Cost: one exponential a link, in vector registers where the machine has them.
void soft_max_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double eta,
                     std::span<double> price);

/// The step in [0, 1] that minimises soft maximum(utilization + step * change) + step * slope.
/// Within 1 % of the best step; both arrays by link.
[[nodiscard]] double soft_max_step(std::span<const double> utilization, std::span<const double> change, double eta,
                                   double slope);

/// The step in [0, 1] that minimises weight / eta * sum exp(eta * (utilization + step * change - 1)) + step * slope:
/// here utilisation 1 is a limit that may be touched and hardly passed.
[[nodiscard]] double barrier_step(std::span<const double> utilization, std::span<const double> change, double eta,
                                  double weight, double slope);

/// Prices under that barrier: weight * exp(eta * (utilization - 1)) * inverse_capacity.
void barrier_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double eta,
                    double weight, std::span<double> price);

}  // namespace wan::controller
