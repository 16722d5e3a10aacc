#include "simulator/program/segment_walk.h"

#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace wan::simulator {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEqualCosts = 1.0 + 1e-9;

}  // namespace

SegmentWalk::SegmentWalk(const Topology& topology) : topology_{topology}, costs_(topology.node_count()) {}

const std::vector<double>& SegmentWalk::costs_to(NodeId target) {
  std::vector<double>& cost = costs_[target.index()];
  if (!cost.empty()) return cost;
  using Entry = std::pair<double, std::size_t>;
  cost.assign(topology_.node_count(), kInfinity);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  cost[target.index()] = 0.0;
  open.emplace(0.0, target.index());
  while (!open.empty()) {
    const auto [so_far, node] = open.top();
    open.pop();
    if (so_far > cost[node]) continue;
    for (const LinkId id : topology_.in_links(NodeId{node})) {
      const Link& link = topology_.link(id);
      if (so_far + link.weight >= cost[link.from.index()]) continue;
      cost[link.from.index()] = so_far + link.weight;
      open.emplace(cost[link.from.index()], link.from.index());
    }
  }
  return cost;
}

std::string SegmentWalk::go_to(NodeId target, std::span<const LinkId> links) {
  const std::vector<double>& cost = costs_to(target);
  while (at_ != target) {
    const double here = cost[at_.index()];
    const Link* next = nullptr;
    LinkId next_id;
    for (const LinkId id : topology_.out_links(at_)) {
      const Link& link = topology_.link(id);
      const double there = cost[link.to.index()];
      if (there >= here || there + link.weight > here * kEqualCosts) continue;
      if (next != nullptr)
        return "has a segment to " + name(target) + ", which has several cheapest ways from " + name(at_);
      next = &link;
      next_id = id;
    }
    if (next == nullptr) return "has a segment to " + name(target) + ", to which no way leads from " + name(at_);
    if (gone_ == links.size() || links[gone_] != next_id) {
      return "has a segment to " + name(target) + " that leads over link " + next->name + ", which is not the path's";
    }
    at_ = next->to;
    ++gone_;
  }
  return {};
}

std::string SegmentWalk::fault(std::span<const LinkId> links, std::span<const PathSegment> list) {
  at_ = topology_.link(links[0]).to;
  gone_ = 1;
  for (const PathSegment& segment : list) {
    const auto across = segment.link();
    if (across && across->index() >= topology_.link_count()) return "has a segment of a link that does not exist";
    const NodeId target = across ? topology_.link(*across).from : *segment.node();
    if (target.index() >= topology_.node_count()) return "has a segment of a node that does not exist";
    if (auto wrong = go_to(target, links); !wrong.empty()) return wrong;
    if (!across) continue;
    if (gone_ == links.size() || links[gone_] != *across) {
      return "has a segment across link " + topology_.link(*across).name + ", which is not the path's next one";
    }
    at_ = topology_.link(*across).to;
    ++gone_;
  }
  if (gone_ != links.size()) return "has segments that end at " + name(at_);
  const bool ends_with_node = !list.empty() && list.back().node();
  if (!ends_with_node) return "has segments that do not end with its last node's";
  return {};
}

}  // namespace wan::simulator
