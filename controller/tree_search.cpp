#include "controller/tree_search.h"

#include <algorithm>
#include <limits>

#include "core/shortest_paths.h"

namespace wan::controller {

TreeSearchGraph::TreeSearchGraph(const Topology& topology) {
  first_arc.push_back(0);
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    for (const LinkId id : topology.out_links(NodeId{n})) {
      arcs.push_back({.to = static_cast<std::uint32_t>(topology.link(id).to.index()),
                      .link = static_cast<std::uint32_t>(id.index())});
    }
    first_arc.push_back(static_cast<std::uint32_t>(arcs.size()));
  }
  for (const Link& link : topology.links()) link_from.push_back(static_cast<std::uint32_t>(link.from.index()));
}

TreeSearchGraph::TreeSearchGraph(std::size_t node_count, std::span<const std::uint32_t> from,
                                 std::span<const std::uint32_t> to)
    : link_from(from.begin(), from.end()) {
  first_arc.assign(node_count + 1, 0);
  for (std::uint32_t link = 0; link < from.size(); ++link) {
    ++first_arc[from[link] + 1];
    arcs.push_back({.to = to[link], .link = link});
  }
  for (std::size_t node = 0; node < node_count; ++node) first_arc[node + 1] += first_arc[node];
}

TreeSearch::TreeSearch(const TreeSearchGraph& graph)
    : graph_{&graph}, cost_(graph.first_arc.size() - 1), parent_link_(graph.first_arc.size() - 1) {
  settled_order_.reserve(cost_.size());
  heap_.reserve(graph.arcs.size() + 1);
}

// A four-way heap: shallower than a binary one, and the four children share a cache line.
void TreeSearch::push(HeapEntry entry) {
  std::size_t at = heap_.size();
  heap_.push_back(entry);
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (heap_[parent].cost <= entry.cost) break;
    heap_[at] = heap_[parent];
    at = parent;
  }
  heap_[at] = entry;
}

TreeSearch::HeapEntry TreeSearch::pop() {
  const HeapEntry top = heap_.front();
  const HeapEntry moved = heap_.back();
  heap_.pop_back();
  const std::size_t size = heap_.size();
  if (size == 0) return top;
  std::size_t at = 0;
  for (;;) {
    const std::size_t first_child = 4 * at + 1;
    if (first_child >= size) break;
    std::size_t best = first_child;
    const std::size_t end = std::min(first_child + 4, size);
    for (std::size_t child = first_child + 1; child < end; ++child) {
      if (heap_[child].cost < heap_[best].cost) best = child;
    }
    if (heap_[best].cost >= moved.cost) break;
    heap_[at] = heap_[best];
    at = best;
  }
  heap_[at] = moved;
  return top;
}

void TreeSearch::run(std::size_t source, std::span<const double> link_cost, std::size_t target) {
  std::fill(cost_.begin(), cost_.end(), std::numeric_limits<double>::infinity());
  std::fill(parent_link_.begin(), parent_link_.end(), ShortestPathTree::kNoLink);
  settled_order_.clear();
  heap_.clear();
  cost_[source] = 0.0;
  push({.cost = 0.0, .node = static_cast<std::uint32_t>(source)});
  while (!heap_.empty()) {
    const HeapEntry top = pop();
    if (top.cost > cost_[top.node]) continue;  // reached more cheaply since
    settled_order_.push_back(top.node);
    if (top.node == target) break;
    const std::uint32_t end = graph_->first_arc[top.node + 1];
    for (std::uint32_t a = graph_->first_arc[top.node]; a < end; ++a) {
      const auto [to, link] = graph_->arcs[a];
      const double candidate = top.cost + link_cost[link];
      if (candidate < cost_[to]) {
        cost_[to] = candidate;
        parent_link_[to] = link;
        push({.cost = candidate, .node = to});
      }
    }
  }
}

void TreeSearch::accumulate(std::span<double> by_node) const {
  for (std::size_t i = settled_order_.size(); i-- > 1;) {
    const std::uint32_t node = settled_order_[i];
    by_node[graph_->link_from[parent_link_[node]]] += by_node[node];
  }
  by_node[settled_order_.front()] = 0.0;
}

}  // namespace wan::controller
