#include "controller/repair_paths.h"

#include <algorithm>
#include <limits>

namespace wan::controller {
namespace {

/// Whether all cheapest ways from one node to another avoid the failed links; true from a node to itself.
bool avoids(IgpTable& igp, NodeId from, NodeId to, std::span<const LinkId> failed) {
  if (from == to) return true;
  if (!igp.reaches(from, to)) return false;
  return std::none_of(failed.begin(), failed.end(), [&](LinkId link) { return igp.may_cross(from, to, link); });
}

/// Writes a path as segments, as few as possible: the places of the path are numbered from 1, the far end of its first
/// link, and each segment leads from one place to a later one.
class RepairWriter {
 public:
  RepairWriter(const SegmentLayout& layout, IgpTable& igp, std::span<const LinkId> failed,
               std::span<const LinkId> around)
      : layout_{layout}, igp_{igp}, failed_{failed}, around_{around}, steps_(around.size() + 1) {}

  /// Towards the last node of the path itself: its End.DT46 comes last.
  std::optional<std::vector<IpAddress>> write_to_the_end() {
    if (!layout_.managed(node(around_.size()))) return std::nullopt;
    ends_at_target_ = true;
    auto segments = write();
    if (segments) segments->back() = layout_.end_dt46(node(around_.size()));
    return segments;
  }

  /// Of an outer header: the End comes last of a node from which the packet goes on by itself.
  std::optional<std::vector<IpAddress>> write() {
    const std::size_t last = around_.size();
    steps_[1].count = 0;
    // Where the outer header comes off, and from where that place's End is reached.
    std::size_t best = kNone, best_from = 0, best_end = 0;
    for (std::size_t at = 1; at <= last; ++at) {
      if (steps_[at].count == kNone) continue;
      for (std::size_t to = at; to <= last; ++to) {
        if (!avoids(igp_, node(at), node(to), failed_)) continue;
        if (to > at) improve(to, at, layout_.end(node(to)), true);
        if (layout_.managed(node(to)) && to < last) improve(to + 1, at, layout_.end_x(around_[to]), false);
        if (is_final(to) && steps_[at].count + 1 < best) {
          best = steps_[at].count + 1;
          best_from = at;
          best_end = to;
        }
      }
    }
    if (best == kNone) return std::nullopt;
    std::vector<IpAddress> segments{layout_.end(node(best_end))};
    for (std::size_t at = best_from; at != 1; at = steps_[at].from) segments.push_back(steps_[at].segment);
    std::reverse(segments.begin(), segments.end());
    return segments;
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  struct Step {
    std::size_t count = kNone;  // segments used to get here
    std::size_t from = 0;       // the place before, and the segment that leads from it to here
    IpAddress segment;
    bool is_end = false;
  };

  [[nodiscard]] NodeId node(std::size_t place) const { return layout_.topology().link(around_[place - 1]).to; }

  /// A node that takes the outer header off, and from which the packet itself reaches the end.
  [[nodiscard]] bool is_final(std::size_t place) const {
    if (ends_at_target_) return place == around_.size();
    return layout_.managed(node(place)) && avoids(igp_, node(place), node(around_.size()), failed_);
  }

  /// As many segments as before are better when the last is an End: it holds when the next link goes down too.
  void improve(std::size_t place, std::size_t from, const IpAddress& segment, bool is_end) {
    Step& step = steps_[place];
    const std::size_t count = steps_[from].count + 1;
    if (count < step.count || (count == step.count && is_end && !step.is_end)) step = {count, from, segment, is_end};
  }

  const SegmentLayout& layout_;
  IgpTable& igp_;
  std::span<const LinkId> failed_;
  std::span<const LinkId> around_;
  std::vector<Step> steps_;  // by place
  bool ends_at_target_ = false;
};

bool holds(std::span<const LinkId> links, LinkId link) {
  return std::find(links.begin(), links.end(), link) != links.end();
}

/// The neighbour through which the target is nearest, of those that reach it clear of the failed links.
std::optional<LinkId> loop_free_neighbour(const Topology& topology, IgpTable& igp, NodeId from, NodeId target,
                                          std::span<const LinkId> failed) {
  std::optional<LinkId> best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (const LinkId id : topology.out_links(from)) {
    const Link& link = topology.link(id);
    if (holds(failed, id) || !avoids(igp, link.to, target, failed)) continue;
    const double cost = link.weight + igp.cost(link.to, target);
    if (cost < best_cost) {
      best_cost = cost;
      best = id;
    }
  }
  return best;
}

}  // namespace

std::vector<LinkId> failing_with(const SegmentLayout& layout, LinkId link) {
  const auto& reverse = layout.plane().reverse;
  if (!reverse.empty()) return {link, reverse[link.index()]};
  std::vector<LinkId> failed{link};
  const Link& of = layout.topology().link(link);
  for (const LinkId back : layout.links_leaving(of.to)) {
    if (layout.topology().link(back).to == of.from) failed.push_back(back);
  }
  return failed;
}

ShortestPathTree tree_without(const Topology& topology, NodeId from, std::span<const LinkId> down) {
  std::vector<double> costs = weight_costs(topology);
  for (const LinkId id : down) costs[id.index()] = std::numeric_limits<double>::infinity();
  return shortest_path_tree(topology, from, costs);
}

std::optional<std::vector<IpAddress>> detour(const SegmentLayout& layout, IgpTable& igp, std::span<const LinkId> failed,
                                             std::span<const LinkId> around) {
  if (around.empty()) return std::nullopt;
  auto segments = RepairWriter{layout, igp, failed, around}.write_to_the_end();
  if (!segments || segments->size() > layout.plane().segments_max) return std::nullopt;
  return segments;
}

std::optional<RepairPath> repair_path(const SegmentLayout& layout, IgpTable& igp, NodeId target,
                                      std::span<const LinkId> failed, std::span<const LinkId> around) {
  if (around.empty()) return std::nullopt;
  const Link& first = layout.topology().link(around[0]);
  if (avoids(igp, first.to, target, failed)) return RepairPath{around[0], {}};
  auto segments = RepairWriter{layout, igp, failed, around}.write();
  if (segments && segments->size() <= layout.plane().segments_max) return RepairPath{around[0], *std::move(segments)};
  const auto neighbour = loop_free_neighbour(layout.topology(), igp, first.from, target, failed);
  return neighbour ? std::optional{RepairPath{*neighbour, {}}} : std::nullopt;
}

}  // namespace wan::controller
