#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/block_routing.h"
#include "core/result.h"

namespace wan::controller {

/// What a block's demands do while others are raised.
enum class BlockPhase : std::uint8_t {
  kWaiting,  ///< not there yet
  kGrowing,  ///< carry a fraction of their rates that all growing demands have in common
  kStopped,  ///< carry their rates, on whatever paths suit the others
};

/// The largest common fraction, and the prices that prove it.
struct CommonFraction {
  double fraction = 0.0;       ///< at most 1
  double precision = 0.0;      ///< what the linear program's tolerances may make of it
  double gap = 0.0;            ///< no routing reaches more than fraction + gap: what prices say, or 1 - fraction
  double worth = 0.0;          ///< of all links' room at the prices; the growing demands' whole rates pay 1
  std::vector<double> prices;  ///< by link, 1/(bit/s), >= 0: the linear program's own duals, never a mixture of several
  /// [block][target] of growing blocks, summing to 1: rate x cheapest allowed path under the prices. No routing that
  /// leaves all others the fraction gives a demand more than fraction + gap / its part.
  std::vector<std::vector<double>> part;
  int pricings = 0;  ///< searches for the cheapest tree of every block
};

/// Raises the growing demands together as far as links allow while the stopped ones keep what they have, all of them
/// free to be re-routed: column generation over trees until none is missing (Clp). The routing has the shares that
/// reach the fraction.
///
/// Stopped demands are asked for all but 10^-10 of their rates, so that what one program leaves by its tolerance does
/// not make the next one infeasible; it is a part of the rates themselves, and nothing adds up. Where that is too
/// little for Clp, or its duals are a multiple of what proves nothing (full links of stopped demands, at any price),
/// the same with 10^-9 and 10^-8.
/// @param phase            by block of the routing
/// @param reached          a fraction that the present shares of the growing blocks reach; a hint
/// @param utilization_max  part of each link's capacity that may be filled
/// @error kInternal: Clp gave up
/// Source: Dantzig and Wolfe 1960; trees for columns as in 0001.
[[nodiscard]] Result<CommonFraction> raise_together(BlockRouting& routing, std::span<const BlockPhase> phase,
                                                    double reached, double utilization_max);

}  // namespace wan::controller
