#include "controller/bounded_path_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <tuple>

namespace wan::controller {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// By node: the least delay from it to the target over links that may be used, in nanoseconds; kNever: no way.
std::vector<std::int64_t> delays_to(const Topology& topology, NodeId to, std::span<const double> link_cost) {
  using Entry = std::pair<std::int64_t, std::size_t>;
  std::vector<std::int64_t> delay(topology.node_count(), kNever);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  delay[to.index()] = 0;
  frontier.emplace(0, to.index());
  while (!frontier.empty()) {
    const auto [so_far, node] = frontier.top();
    frontier.pop();
    if (so_far > delay[node]) continue;
    for (const LinkId id : topology.in_links(NodeId{node})) {
      const Link& link = topology.link(id);
      const std::int64_t candidate = so_far + link.delay.count();
      if (std::isinf(link_cost[id.index()]) || candidate >= delay[link.from.index()]) continue;
      delay[link.from.index()] = candidate;
      frontier.emplace(candidate, link.from.index());
    }
  }
  return delay;
}

struct Label {
  std::uint32_t node;
  std::uint32_t link;    // that led here
  std::uint32_t before;  // label that it led from
};

}  // namespace

BoundedPath cheapest_path_within(const Topology& topology, NodeId from, NodeId to, std::span<const double> link_cost,
                                 Duration delay_max, std::size_t labels_max) {
  using Entry = std::tuple<double, std::int64_t, std::uint32_t>;  // cost, delay, label
  const std::vector<std::int64_t> rest = delays_to(topology, to, link_cost);
  const auto in_time = [&](std::size_t node, std::int64_t delay) {
    return rest[node] != kNever && delay + rest[node] <= delay_max.count();
  };
  BoundedPath found;
  if (!in_time(from.index(), 0)) return found;
  std::vector<std::int64_t> fastest(topology.node_count(), kNever);  // of the labels settled
  std::vector<Label> labels{{static_cast<std::uint32_t>(from.index()), 0, 0}};
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  frontier.emplace(0.0, 0, 0U);
  while (!frontier.empty()) {
    const auto [cost, delay, label] = frontier.top();
    frontier.pop();
    const std::size_t node = labels[label].node;
    if (delay >= fastest[node]) continue;
    fastest[node] = delay;
    if (node == to.index()) {
      for (std::uint32_t at = label; at != 0; at = labels[at].before) found.links.emplace_back(labels[at].link);
      std::reverse(found.links.begin(), found.links.end());
      return found;
    }
    for (const LinkId id : topology.out_links(NodeId{node})) {
      const Link& link = topology.link(id);
      const double next_cost = cost + link_cost[id.index()];
      const std::int64_t next_delay = delay + link.delay.count();
      if (std::isinf(next_cost) || next_delay >= fastest[link.to.index()] || !in_time(link.to.index(), next_delay)) {
        continue;
      }
      if (labels.size() == labels_max) {
        found.gave_up = true;
        return found;
      }
      frontier.emplace(next_cost, next_delay, static_cast<std::uint32_t>(labels.size()));
      labels.push_back({static_cast<std::uint32_t>(link.to.index()), static_cast<std::uint32_t>(id.index()), label});
    }
  }
  return found;
}

}  // namespace wan::controller
