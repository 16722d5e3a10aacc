#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/topology.h"

namespace wan::simulator {

/// Cheapest ways from one node under prices, without some links and within a delay: the verifier's own search.
class RuledDistance {
 public:
  explicit RuledDistance(const Topology& topology);

  /// By node; infinite where there is no way. Links that are down are not used.
  /// @param avoided  by link
  [[nodiscard]] std::vector<double> from(NodeId source, std::span<const double> price,
                                         const std::vector<bool>& avoided) const;
  /// The same with every way within a delay. Keeps all ways to a node of which none is both cheaper and faster.
  [[nodiscard]] std::vector<double> within(NodeId source, std::span<const double> price,
                                           const std::vector<bool>& avoided, std::int64_t delay_max_ns) const;

 private:
  const Topology& topology_;
};

}  // namespace wan::simulator
