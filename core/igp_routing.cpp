#include "core/igp_routing.h"

#include <cmath>
#include <limits>
#include <queue>
#include <string>
#include <vector>

namespace wan {
namespace {

constexpr std::size_t kPathsMax = 10'000;  // of one pair

/// By node: what the cheapest way from it to `to` costs.
std::vector<double> costs_to(const Topology& topology, NodeId to, std::span<const double> link_cost) {
  using Entry = std::pair<double, std::size_t>;
  std::vector<double> cost(topology.node_count(), std::numeric_limits<double>::infinity());
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> frontier;
  cost[to.index()] = 0.0;
  frontier.emplace(0.0, to.index());
  while (!frontier.empty()) {
    const auto [so_far, node] = frontier.top();
    frontier.pop();
    if (so_far > cost[node]) continue;
    for (const LinkId id : topology.in_links(NodeId{node})) {
      const std::size_t before = topology.link(id).from.index();
      const double candidate = so_far + link_cost[id.index()];
      if (candidate < cost[before]) {
        cost[before] = candidate;
        frontier.emplace(candidate, before);
      }
    }
  }
  return cost;
}

/// Walks every equal-cost path from a node to one destination.
class EqualCostWalk {
 public:
  EqualCostWalk(const Topology& topology, std::span<const double> link_cost, std::span<const double> cost_to,
                PathPlanBuilder& builder)
      : topology_{topology}, link_cost_{link_cost}, cost_to_{cost_to}, builder_{builder} {}

  /// False when there are too many paths.
  bool walk(NodeId at, NodeId to, double fraction) {
    if (at == to) {
      builder_.add_path(fraction, trail_);
      return ++paths_ <= kPathsMax;
    }
    std::size_t ways = 0;
    for (const LinkId id : topology_.out_links(at)) ways += on_cheapest_path(id);
    for (const LinkId id : topology_.out_links(at)) {
      if (!on_cheapest_path(id)) continue;
      trail_.push_back(id);
      if (!walk(topology_.link(id).to, to, fraction / static_cast<double>(ways))) return false;
      trail_.pop_back();
    }
    return true;
  }

 private:
  [[nodiscard]] bool on_cheapest_path(LinkId id) const {
    const Link& link = topology_.link(id);
    const double here = cost_to_[link.from.index()];
    return std::abs(cost_to_[link.to.index()] + link_cost_[id.index()] - here) <= 1e-9 * here;
  }

  const Topology& topology_;
  std::span<const double> link_cost_;
  std::span<const double> cost_to_;
  PathPlanBuilder& builder_;
  std::vector<LinkId> trail_;
  std::size_t paths_ = 0;
};

}  // namespace

Result<PathPlan> igp_plan(const Topology& topology, std::span<const double> link_cost, std::size_t class_count) {
  const std::size_t n = topology.node_count();
  std::vector<std::vector<double>> cost_to;
  cost_to.reserve(n);
  for (std::size_t to = 0; to < n; ++to) cost_to.push_back(costs_to(topology, NodeId{to}, link_cost));

  PathPlanBuilder builder;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t from = 0; from < n; ++from) {
      for (std::size_t to = 0; to < n; ++to) {
        if (from == to || !std::isfinite(cost_to[to][from])) continue;
        builder.begin_demand({TrafficClass{cls}, NodeId{from}, NodeId{to}});
        EqualCostWalk walk{topology, link_cost, cost_to[to], builder};
        if (!walk.walk(NodeId{from}, NodeId{to}, 1.0)) {
          return fail(ErrorCode::kUnsupported,
                      topology.nodes()[from].name + " > " + topology.nodes()[to].name +
                          " has over 10,000 equal-cost paths; give the links different weights");
        }
      }
    }
  }
  return std::move(builder).build();
}

}  // namespace wan
