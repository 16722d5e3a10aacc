#include "core/shortest_paths.h"

#include <algorithm>
#include <queue>

namespace wan {

std::vector<LinkId> ShortestPathTree::path_to(const Topology& topology, NodeId node) const {
  std::vector<LinkId> links;
  for (NodeId at = node; parent_link[at.index()] != kNoLink;) {
    links.push_back(LinkId{parent_link[at.index()]});
    at = topology.link(links.back()).from;
  }
  std::reverse(links.begin(), links.end());
  return links;
}

ShortestPathTree shortest_path_tree(const Topology& topology, NodeId from, std::span<const double> link_cost) {
  using Entry = std::pair<double, std::size_t>;  // cost, node
  const std::size_t n = topology.node_count();
  ShortestPathTree tree{.cost = std::vector<double>(n, std::numeric_limits<double>::infinity()),
                        .parent_link = std::vector<std::uint32_t>(n, ShortestPathTree::kNoLink)};
  std::vector<bool> settled(n, false);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  tree.cost[from.index()] = 0.0;
  frontier.emplace(0.0, from.index());
  while (!frontier.empty()) {
    const std::size_t node = frontier.top().second;
    frontier.pop();
    if (settled[node]) continue;
    settled[node] = true;
    for (const LinkId id : topology.out_links(NodeId{node})) {
      const std::size_t next = topology.link(id).to.index();
      if (settled[next]) continue;
      const double cost = tree.cost[node] + link_cost[id.index()];
      const auto link = static_cast<std::uint32_t>(id.index());
      if (cost < tree.cost[next]) {
        tree.cost[next] = cost;
        tree.parent_link[next] = link;
        frontier.emplace(cost, next);
      } else if (cost == tree.cost[next] && link < tree.parent_link[next]) {
        tree.parent_link[next] = link;
      }
    }
  }
  return tree;
}

std::vector<double> delay_costs(const Topology& topology) {
  std::vector<double> costs;
  for (const Link& link : topology.links()) costs.push_back(to_seconds(link.delay));
  return costs;
}

std::vector<double> weight_costs(const Topology& topology) {
  std::vector<double> costs;
  for (const Link& link : topology.links()) costs.push_back(link.weight);
  return costs;
}

std::vector<double> hop_costs(const Topology& topology) { return std::vector<double>(topology.link_count(), 1.0); }

}  // namespace wan
