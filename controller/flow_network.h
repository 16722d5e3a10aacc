#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/tree_search.h"
#include "core/topology.h"

namespace wan::controller {

/// A topology as the flow solver sees it: links that are up, parallel ones of equal delay taken together as one bundle.
///
/// Traffic over a bundle is spread by capacity, which loads its links equally: no plan over the single links has a
/// smaller largest utilisation. Flat arrays, all by bundle unless said otherwise.
/// Threads: any number of readers.
struct FlowNetwork {
  explicit FlowNetwork(const Topology& topology);

  [[nodiscard]] std::size_t node_count() const { return in_first.size() - 1; }
  [[nodiscard]] std::size_t size() const { return from.size(); }

  std::vector<std::uint32_t> from, to;
  std::vector<double> capacity, inverse_capacity;   // bits per second
  std::vector<double> delay;                        // seconds
  std::vector<std::uint32_t> out_first;             // node -> first of the bundles that leave it; one more than nodes
  std::vector<std::uint32_t> in_first, in_bundles;  // the same of those that enter it, by way of `in_bundles`
  std::vector<std::uint32_t> bundle_of;             // by link of the topology; kNone for one that is down
  std::vector<double> part_of_bundle;               // by link of the topology: its share of the bundle's capacity
  TreeSearchGraph graph;                            // its links are bundles

  static constexpr std::uint32_t kNone = UINT32_MAX;
};

}  // namespace wan::controller
