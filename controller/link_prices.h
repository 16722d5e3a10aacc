#pragma once

#include <span>

namespace wan::controller {

/// What one more bit per second on a link costs: e^(sharpness (utilisation - reference)) / capacity.
///
/// With the largest utilisation as reference this is, up to a factor, the gradient of the soft maximum
/// (1 / sharpness) ln sum e^(sharpness x utilisation).
/// @param price  out, by link. Exponents beyond +-700 count as 700
/// Cost: one exponential a link, in vector registers where the machine has them.
void link_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double sharpness,
                 double reference, std::span<double> price);

}  // namespace wan::controller
