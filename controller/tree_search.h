#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/topology.h"

namespace wan::controller {

/// The links of a topology laid out for repeated shortest-path runs. Outlives its searches.
struct TreeSearchGraph {
  struct Arc {
    std::uint32_t to;
    std::uint32_t link;
  };
  explicit TreeSearchGraph(const Topology& topology);
  /// Links by their two ends, grouped by `from` in rising order.
  TreeSearchGraph(std::size_t node_count, std::span<const std::uint32_t> from, std::span<const std::uint32_t> to);

  std::vector<std::uint32_t> first_arc;  // node -> its first arc; one entry more than nodes
  std::vector<Arc> arcs;
  std::vector<std::uint32_t> link_from;  // by link
};

/// Dijkstra's algorithm with its working memory kept between runs: the solvers' innermost step.
///
/// Same answer as `shortest_path_tree` up to ties (which go to the path found first, so equal inputs give equal trees).
/// Threads: one owner each; the graph may be shared.
class TreeSearch {
 public:
  explicit TreeSearch(const TreeSearchGraph& graph);

  /// @param target  the search ends once this node is settled; others may then be unreached or too dear. Default: none
  void run(std::size_t source, std::span<const double> link_cost, std::size_t target = kNoTarget);
  static constexpr std::size_t kNoTarget = static_cast<std::size_t>(-1);

  [[nodiscard]] const std::vector<double>& cost() const { return cost_; }  ///< by node; infinite where unreachable
  [[nodiscard]] const std::vector<std::uint32_t>& parent_link() const { return parent_link_; }
  /// Turns demand by destination into load by node, on the link that enters it.
  void accumulate(std::span<double> by_node) const;

 private:
  struct HeapEntry {
    double cost;
    std::uint32_t node;
  };
  void push(HeapEntry entry);
  HeapEntry pop();

  const TreeSearchGraph* graph_;
  std::vector<double> cost_;
  std::vector<std::uint32_t> parent_link_;
  std::vector<std::uint32_t> settled_order_;
  std::vector<HeapEntry> heap_;
};

}  // namespace wan::controller
