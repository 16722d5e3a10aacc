#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/flow_network.h"

namespace wan::controller {

/// Makes the flow of one source carry another demand by the splits that it has.
///
/// From the far ends back to the source: what passes a node enters it in the parts in which it did before. Circles,
/// which carry nobody's traffic, are emptied on the way. Threads: one owner; keeps its working memory from call to
/// call.  Cost: O(bundles + nodes), and O(nodes) a circle.
class FlowFollower {
 public:
  explicit FlowFollower(const FlowNetwork& net) : net_{net} {}  // outlives this

  /// @param demand  by node: what the source sends there from now on, >= 0
  /// @param flow    by bundle, >= 0: what the source sent so far, in part perhaps (over bundles that are gone); changed
  /// @return        by node: what must yet be brought there, because nothing flowed in; valid until the next call
  [[nodiscard]] std::span<const double> follow(std::uint32_t source, std::span<const double> demand,
                                               std::span<double> flow);

 private:
  void leave(std::uint32_t node);
  void empty_circle(std::span<double> flow);

  const FlowNetwork& net_;
  std::vector<double> through_, missing_;  // by node
  std::vector<std::uint32_t> used_out_;    // by node: used bundles to nodes that are still to come
  std::vector<std::uint32_t> ready_;       // nodes in the order in which they come
  std::vector<std::uint32_t> walked_, met_at_;
};

}  // namespace wan::controller
