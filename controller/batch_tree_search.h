#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "controller/tree_search.h"

namespace wan::controller {

/// Shortest-path trees of eight sources at once, one in each lane of a vector register: the solver's innermost step.
///
/// Label correction in the order in which the nodes lay last time: sources of one block should lie near each other
/// (`source_blocks`), so that the order is nearly right for all of them and few labels are corrected twice.
///
/// Same distances as Dijkstra's algorithm to the last digit, whatever the processor; among equally short ways into a
/// node the link that comes first among its in-links.
/// Threads: one owner each; the graph may be shared.  Memory: 100 bytes a node.
/// Cost: about a tenth of eight runs of Dijkstra's algorithm with 512-bit registers.
/// Source: Bellman 1958, Yen 1970 (orders); lanes in place of queues are our own.
class BatchTreeSearch {
 public:
  static constexpr std::size_t kLanes = 8;

  explicit BatchTreeSearch(const TreeSearchGraph& graph);

  /// @param sources    1 to kLanes nodes; further lanes repeat the first
  /// @param link_cost  by link; above zero by more than rounding: `floor_costs`
  /// @param order      of all nodes: where to begin; comes back sorted by the distances found, for the next run
  void run(std::span<const std::uint32_t> sources, std::span<const double> link_cost,
           std::vector<std::uint32_t>& order);

  /// [node][lane]; infinite where unreachable.
  [[nodiscard]] std::span<const double> cost() const { return cost_; }
  /// [node][lane]; ShortestPathTree::kNoLink at the source and where unreachable. Call `find_parents` first.
  [[nodiscard]] std::span<const std::uint32_t> parent_link() const { return parent_link_; }
  void find_parents();
  /// Turns demand by destination into load by node, on the link that enters it. [node][lane] both; after find_parents.
  void accumulate(std::span<double> by_node);

 private:
  void correct_labels();
  void sort_order(std::vector<std::uint32_t>& order);

  const TreeSearchGraph* graph_;
  std::size_t nodes_;
  std::span<const double> link_cost_;  // of the present run
  std::vector<double> cost_;
  std::vector<double> sum_;  // by node: over lanes, what `order` is sorted by
  std::vector<std::uint32_t> parent_link_;
  std::vector<std::uint32_t> order_, position_;  // position -> node, node -> position
  std::vector<std::uint64_t> waiting_;           // bit by position: labels to pass on
};

/// Raises every cost to where adding it to a path's cost still changes that: 2^-51 x nodes x the dearest link.
void floor_costs(std::span<double> link_cost, std::size_t node_count);

/// Sources dealt into blocks of at most kLanes that lie near each other, by hops. Every node of `sources` once.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> source_blocks(const TreeSearchGraph& graph,
                                                                    std::span<const std::uint32_t> sources);

}  // namespace wan::controller
