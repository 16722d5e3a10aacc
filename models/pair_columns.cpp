#include "models/pair_columns.h"

namespace wan::models {

PairIndex::PairIndex(std::size_t node_count, std::size_t class_count)
    : node_count_{node_count}, class_count_{class_count} {
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t from = 0; from < node_count; ++from) {
      for (std::size_t to = 0; to < node_count; ++to) {
        if (from == to) continue;
        position_.push_back(static_cast<std::uint32_t>((cls * node_count + from) * node_count + to));
        source_.push_back(static_cast<std::uint32_t>(cls * node_count + from));
        destination_.push_back(static_cast<std::uint32_t>(cls * node_count + to));
      }
    }
  }
}

std::vector<float> turned(std::span<const float> by_pair, std::size_t each) {
  const std::size_t pairs = by_pair.size() / each;
  std::vector<float> made(by_pair.size());
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    for (std::size_t i = 0; i < each; ++i) made[i * pairs + pair] = by_pair[pair * each + i];
  }
  return made;
}

PairColumns to_columns(const PairIndex& pairs, std::span<const TrafficMatrix> intervals) {
  PairColumns columns{.rows = intervals.size(), .bps = std::vector<double>(pairs.size() * intervals.size())};
  for (std::size_t row = 0; row < intervals.size(); ++row) {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      columns.bps[pair * columns.rows + row] = intervals[row].bps()[pairs.position(pair)];
    }
  }
  return columns;
}

}  // namespace wan::models
