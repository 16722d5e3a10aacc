#include "controller/igp_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>

namespace wan::controller {
namespace {

constexpr std::uint32_t kShared = 0x80000000U;
constexpr std::uint32_t kNoLink = 0x7fffffffU;

}  // namespace

const IgpTable::Column& IgpTable::column(NodeId to) {
  Column& found = columns_[to.index()];
  if (found.cost.empty()) {
    search_costs(to, found);
    choose_links(to, found);
  }
  return found;
}

/// Dijkstra from the target, against the links.
void IgpTable::search_costs(NodeId to, Column& column) const {
  using Entry = std::pair<double, std::size_t>;
  column.cost.assign(topology_.node_count(), std::numeric_limits<double>::infinity());
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  column.cost[to.index()] = 0.0;
  frontier.emplace(0.0, to.index());
  while (!frontier.empty()) {
    const auto [so_far, node] = frontier.top();
    frontier.pop();
    if (so_far > column.cost[node]) continue;
    for (const LinkId id : topology_.in_links(NodeId{node})) {
      const Link& link = topology_.link(id);
      const double candidate = so_far + link.weight;
      if (candidate >= column.cost[link.from.index()]) continue;
      column.cost[link.from.index()] = candidate;
      frontier.emplace(candidate, link.from.index());
    }
  }
}

void IgpTable::choose_links(NodeId to, Column& column) const {
  const std::size_t n = topology_.node_count();
  column.next.assign(n, kNoLink);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return column.cost[a] < column.cost[b]; });
  for (const std::size_t node : order) {
    const double here = column.cost[node];
    if (node == to.index() || !std::isfinite(here)) continue;
    std::uint32_t& chosen = column.next[node];
    for (const LinkId id : topology_.out_links(NodeId{node})) {
      const Link& link = topology_.link(id);
      const double there = column.cost[link.to.index()];
      // Nearer to the target in any case: rounding must not make a loop.
      if (there >= here || !as_cheap(there + link.weight, here)) continue;
      if (chosen == kNoLink) {
        chosen = static_cast<std::uint32_t>(id.index());
        if (link.to != to) chosen |= column.next[link.to.index()] & kShared;
      } else {
        chosen |= kShared;
      }
    }
  }
}

bool IgpTable::reaches(NodeId from, NodeId to) { return std::isfinite(cost(from, to)); }

std::optional<LinkId> IgpTable::next(NodeId from, NodeId to) {
  const std::uint32_t link = column(to).next[from.index()] & ~kShared;
  return link == kNoLink ? std::nullopt : std::optional{LinkId{link}};
}

bool IgpTable::unique(NodeId from, NodeId to) {
  return reaches(from, to) && (column(to).next[from.index()] & kShared) == 0;
}

bool IgpTable::may_cross(NodeId from, NodeId to, LinkId id) {
  const Link& link = topology_.link(id);
  const double direct = cost(from, to);
  const double across = cost(from, link.from) + link.weight + cost(link.to, to);
  return link.up && std::isfinite(across) && as_cheap(across, direct);
}

}  // namespace wan::controller
