#include "controller/source_blocks.h"

#include <algorithm>
#include <numeric>

namespace wan::controller {

void SourceBlocks::deal(const TreeSearchGraph& graph, std::span<const std::uint32_t> sources) {
  blocks = source_blocks(graph, sources);
  std::vector<std::uint32_t> order(nodes);
  std::iota(order.begin(), order.end(), 0U);
  orders.assign(blocks.size(), order);
  first_slot.clear();
  block_of.clear();
  lane_of.clear();
  std::fill(slot_of.begin(), slot_of.end(), kNone);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    first_slot.push_back(block_of.size());
    for (std::size_t lane = 0; lane < blocks[b].size(); ++lane) {
      slot_of[blocks[b][lane]] = block_of.size();
      block_of.push_back(b);
      lane_of.push_back(lane);
    }
  }
}

}  // namespace wan::controller
