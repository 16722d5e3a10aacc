#include "controller/bounded_path_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

namespace wan::controller {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// By node: the least delay from it to any of the targets over links that may be used, in nanoseconds; kNever: no way.
std::vector<std::int64_t> delays_to(const Topology& topology, std::span<const NodeId> targets,
                                    std::span<const double> link_cost) {
  using Entry = std::pair<std::int64_t, std::size_t>;
  std::vector<std::int64_t> delay(topology.node_count(), kNever);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  for (const NodeId target : targets) {
    delay[target.index()] = 0;
    frontier.emplace(0, target.index());
  }
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

std::vector<LinkId> path_of(const std::vector<Label>& labels, std::uint32_t label) {
  std::vector<LinkId> links;
  for (std::uint32_t at = label; at != 0; at = labels[at].before) links.emplace_back(labels[at].link);
  std::reverse(links.begin(), links.end());
  return links;
}

}  // namespace

std::vector<BoundedPath> cheapest_paths_within(const Topology& topology, NodeId from, std::span<const NodeId> targets,
                                               std::span<const double> link_cost, Duration delay_max,
                                               std::size_t labels_max) {
  using Entry = std::tuple<double, std::int64_t, std::uint32_t>;  // cost, delay, label
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  const std::vector<std::int64_t> rest = delays_to(topology, targets, link_cost);
  const auto in_time = [&](std::size_t node, std::int64_t delay) {
    return rest[node] != kNever && delay + rest[node] <= delay_max.count();
  };
  std::vector<BoundedPath> found(targets.size());
  std::vector<std::size_t> target_at(topology.node_count(), kNone);  // that has no path yet
  for (std::size_t t = 0; t < targets.size(); ++t) target_at[targets[t].index()] = t;
  std::size_t missing = targets.size();
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
    if (const std::size_t t = std::exchange(target_at[node], kNone); t != kNone) {
      found[t].links = path_of(labels, label);
      if (--missing == 0) return found;
    }
    for (const LinkId id : topology.out_links(NodeId{node})) {
      const Link& link = topology.link(id);
      const double next_cost = cost + link_cost[id.index()];
      const std::int64_t next_delay = delay + link.delay.count();
      if (std::isinf(next_cost) || next_delay >= fastest[link.to.index()] || !in_time(link.to.index(), next_delay)) {
        continue;
      }
      if (labels.size() == labels_max) {
        for (const NodeId target : targets) {
          if (const std::size_t t = target_at[target.index()]; t != kNone) found[t].gave_up = true;
        }
        return found;
      }
      frontier.emplace(next_cost, next_delay, static_cast<std::uint32_t>(labels.size()));
      labels.push_back({static_cast<std::uint32_t>(link.to.index()), static_cast<std::uint32_t>(id.index()), label});
    }
  }
  return found;
}

BoundedPath cheapest_path_within(const Topology& topology, NodeId from, NodeId to, std::span<const double> link_cost,
                                 Duration delay_max, std::size_t labels_max) {
  return cheapest_paths_within(topology, from, std::span{&to, 1}, link_cost, delay_max, labels_max).front();
}

}  // namespace wan::controller
