#include "simulator/program/ruled_distance.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

namespace wan::simulator {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

RuledDistance::RuledDistance(const Topology& topology) : topology_{topology} {}

std::vector<double> RuledDistance::from(NodeId source, std::span<const double> price,
                                        const std::vector<bool>& avoided) const {
  using Entry = std::pair<double, std::size_t>;
  std::vector<double> distance(topology_.node_count(), kInfinity);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  distance[source.index()] = 0.0;
  open.emplace(0.0, source.index());
  while (!open.empty()) {
    const auto [so_far, node] = open.top();
    open.pop();
    if (so_far > distance[node]) continue;
    for (const LinkId id : topology_.out_links(NodeId{node})) {
      const std::size_t to = topology_.link(id).to.index();
      const double candidate = so_far + price[id.index()];
      if (avoided[id.index()] || candidate >= distance[to]) continue;
      distance[to] = candidate;
      open.emplace(candidate, to);
    }
  }
  return distance;
}

std::vector<double> RuledDistance::within(NodeId source, std::span<const double> price,
                                          const std::vector<bool>& avoided, std::int64_t delay_max_ns) const {
  using Entry = std::tuple<double, std::int64_t, std::size_t>;  // price, delay, node
  std::vector<double> cheapest(topology_.node_count(), kInfinity);
  std::vector<std::int64_t> fastest(topology_.node_count(), std::numeric_limits<std::int64_t>::max());
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  open.emplace(0.0, 0, source.index());
  while (!open.empty()) {
    const auto [so_far, delay, node] = open.top();
    open.pop();
    if (delay >= fastest[node]) continue;  // one that was no dearer was as fast
    fastest[node] = delay;
    cheapest[node] = std::min(cheapest[node], so_far);
    for (const LinkId id : topology_.out_links(NodeId{node})) {
      const Link& link = topology_.link(id);
      const std::int64_t later = delay + link.delay.count();
      if (avoided[id.index()] || later > delay_max_ns || later >= fastest[link.to.index()]) continue;
      open.emplace(so_far + price[id.index()], later, link.to.index());
    }
  }
  return cheapest;
}

}  // namespace wan::simulator
