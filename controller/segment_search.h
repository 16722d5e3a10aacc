#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/igp_table.h"
#include "core/topology.h"

namespace wan::controller {

/// The cheapest paths that segment lists of a given length can describe, from one node to every other one.
///
/// Exact: where no list of at most `depth` segments describes a path, there is none. Each segment goes the IGP's one
/// cheapest way to a node, or so to a link's near end and across it; the first link is free to choose
/// (core/path_segments.h). Layers of a min-plus product over the table of what those ways cost.
///
/// Threads: one owner.  Memory: 12 bytes a pair of nodes, and the IGP table's.
/// Cost: `set_costs` O(N^2), `run` O(depth N^2).
class SegmentSearch {
 public:
  /// `topology` and `igp`, a table of it, outlive the search.  @param depth  at least 1
  SegmentSearch(const Topology& topology, IgpTable& igp, std::size_t depth);

  /// @param link_cost  by link, >= 0; infinite: not to be used
  void set_costs(std::span<const double> link_cost);
  void run(NodeId source);

  [[nodiscard]] double cost(NodeId to) const;  ///< of the path; infinite: no list is short enough
  /// Meets no node twice, so it may even be cheaper than `cost` said. Only where the cost is finite.
  [[nodiscard]] std::vector<std::uint32_t> path_to(NodeId to) const;

 private:
  /// Where a packet can be, and how it came there, once so many segments are used up.
  struct Layer {
    std::vector<double> arrived;        // by node, as a node's segment leads there
    std::vector<std::uint32_t> from;    // by node: where that segment set out
    std::vector<double> placed;         // by node: as `arrived`, or across a link from such a node
    std::vector<std::uint32_t> across;  // by node: that link, or kNoLink
  };
  void extend(const Layer& before, Layer& layer) const;
  void cross(Layer& layer) const;
  [[nodiscard]] std::size_t best_layer(NodeId to) const;

  const Topology& topology_;
  IgpTable& igp_;
  std::vector<std::uint32_t> next_;  // [to][from]: link of the one cheapest way, or kNoLink
  std::vector<double> link_cost_;
  std::vector<double> way_cost_;  // [from][to] of the one cheapest way; infinite where it is not alone
  NodeId source_;
  std::vector<Layer> layers_;  // 0: after the first link
};

}  // namespace wan::controller
