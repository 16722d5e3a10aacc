#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/batch_tree_search.h"

namespace wan::controller {

/// The nodes that send, dealt into blocks of as many as one tree search takes. A slot is a source's place in that
/// order.
struct SourceBlocks {
  static constexpr std::size_t kLanes = BatchTreeSearch::kLanes;
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit SourceBlocks(std::size_t node_count) : nodes{node_count}, slot_of(node_count, kNone) {}
  void deal(const TreeSearchGraph& graph, std::span<const std::uint32_t> sources);

  [[nodiscard]] std::size_t slot_count() const { return block_of.size(); }
  [[nodiscard]] std::uint32_t source(std::size_t slot) const { return blocks[block_of[slot]][lane_of[slot]]; }

  // Arrays [block][node][lane].
  [[nodiscard]] std::size_t array_size() const { return blocks.size() * nodes * kLanes; }
  [[nodiscard]] std::size_t at(std::size_t slot, std::size_t node) const {
    return (block_of[slot] * nodes + node) * kLanes + lane_of[slot];
  }
  [[nodiscard]] std::span<double> part(std::vector<double>& array, std::size_t block) const {
    return std::span{array}.subspan(block * nodes * kLanes, nodes * kLanes);
  }

  std::size_t nodes;
  std::vector<std::vector<std::uint32_t>> blocks;  // of sources
  std::vector<std::vector<std::uint32_t>> orders;  // by block: of nodes, for its next search
  std::vector<std::size_t> first_slot;             // by block
  std::vector<std::size_t> block_of, lane_of;      // by slot
  std::vector<std::size_t> slot_of;                // by node; kNone for one that does not send
};

}  // namespace wan::controller
