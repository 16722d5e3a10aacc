#include "controller/segment_lists.h"

#include <algorithm>
#include <utility>

namespace wan::controller {
namespace {

constexpr std::size_t kAdjacenciesMax = 65'536;  // LOCATOR::1:N has 16 bits for N

/// The node that a path meets at place `i`: 0 is where it begins.
NodeId node_at(const Topology& topology, std::span<const LinkId> links, std::size_t i) {
  return i == 0 ? topology.link(links[0]).from : topology.link(links[i - 1]).to;
}

/// The last place of a path that the IGP's one cheapest way from place `at` leads to along the path itself.
std::size_t farthest_alone(const Topology& topology, IgpTable& igp, std::span<const LinkId> links, std::size_t at) {
  std::size_t farthest = at;
  for (std::size_t end = at + 1; end <= links.size(); ++end) {
    const NodeId target = node_at(topology, links, end);
    if (!igp.unique(node_at(topology, links, at), target)) break;
    for (std::size_t i = at; i < end; ++i) {
      if (igp.next(node_at(topology, links, i), target) != links[i]) return farthest;
    }
    farthest = end;
  }
  return farthest;
}

/// One path, to be written as segments.
struct PathWriter {
  IgpTable& igp;
  const Topology& topology;
  std::span<const LinkId> links;
  const std::vector<bool>& managed;

  [[nodiscard]] bool is_managed(NodeId node) const { return managed.empty() || managed[node.index()]; }

  /// Links are crossed by name only where the IGP would not take them.
  [[nodiscard]] Result<std::vector<PathSegment>> by_nodes() const {
    std::vector<PathSegment> segments;
    bool ends_here = false;  // the last segment is of the node reached
    for (std::size_t at = 1; at < links.size();) {
      const NodeId here = node_at(topology, links, at);
      const std::size_t farthest = farthest_alone(topology, igp, links, at);
      if (farthest == links.size()) break;
      if (farthest > at) {
        segments.push_back(PathSegment::to(node_at(topology, links, farthest)));
        ends_here = true;
        at = farthest;
        continue;
      }
      if (!is_managed(here)) {
        return fail(ErrorCode::kUnsupported, topology.node(here).name +
                                                 " is unmanaged: nothing makes it take the link " +
                                                 topology.link(links[at]).name);
      }
      // A link's segment is reached as its near end's is.
      if (ends_here) segments.pop_back();
      segments.push_back(PathSegment::across(links[at]));
      ends_here = false;
      ++at;
    }
    segments.push_back(PathSegment::to(node_at(topology, links, links.size())));
    return segments;
  }

  /// Each segment as far as it can go: across the link where the IGP's own way ends. For paths that `by_nodes` writes.
  [[nodiscard]] std::vector<PathSegment> by_links() const {
    std::vector<PathSegment> segments;
    for (std::size_t at = 1; at < links.size();) {
      const std::size_t farthest = farthest_alone(topology, igp, links, at);
      if (farthest == links.size()) break;
      const NodeId reached = node_at(topology, links, farthest);
      if (is_managed(reached)) {
        segments.push_back(PathSegment::across(links[farthest]));
        at = farthest + 1;
      } else {
        segments.push_back(PathSegment::to(reached));
        at = farthest;
      }
    }
    segments.push_back(PathSegment::to(node_at(topology, links, links.size())));
    return segments;
  }
};

}  // namespace

Result<SegmentLayout> SegmentLayout::make(const Topology& topology, const ForwardingPlane& plane) {
  if (plane.nodes.size() != topology.node_count() || plane.ports.size() != topology.link_count() ||
      (!plane.reverse.empty() && plane.reverse.size() != topology.link_count())) {
    return fail(ErrorCode::kShapeMismatch, "the forwarding plane is of another network than the topology");
  }
  SegmentLayout layout{topology, plane};
  layout.leaving_.resize(topology.node_count());
  layout.number_.resize(topology.link_count());
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const NodeId from = topology.link(LinkId{l}).from;
    auto& leaving = layout.leaving_[from.index()];
    if (leaving.size() == kAdjacenciesMax) {
      return fail(ErrorCode::kBadInput, topology.node(from).name + " has more links than its segments can number");
    }
    layout.number_[l] = static_cast<std::uint16_t>(leaving.size());
    leaving.emplace_back(l);
  }
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    const IpPrefix& locator = plane.nodes[n].locator;
    if (!locator.address.is_v6() || locator.length > 64) {
      return fail(ErrorCode::kBadInput, topology.nodes()[n].name + ": the locator " + locator.to_string() +
                                            " is no IPv6 prefix of at most 64 bits");
    }
    layout.by_locator_.emplace_back(n);
    layout.managed_.push_back(plane.nodes[n].managed);
  }
  std::sort(layout.by_locator_.begin(), layout.by_locator_.end(),
            [&](NodeId a, NodeId b) { return plane.nodes[a.index()].locator < plane.nodes[b.index()].locator; });
  return layout;
}

IpAddress SegmentLayout::address(NodeId node, std::uint16_t group6, std::uint16_t group7) const {
  auto bytes = plane_->nodes[node.index()].locator.address.bytes();
  bytes[12] = static_cast<std::uint8_t>(group6 >> 8);
  bytes[13] = static_cast<std::uint8_t>(group6 & 0xff);
  bytes[14] = static_cast<std::uint8_t>(group7 >> 8);
  bytes[15] = static_cast<std::uint8_t>(group7 & 0xff);
  return IpAddress::v6(bytes);
}

IpAddress SegmentLayout::end_x(LinkId link) const {
  return address(topology_->link(link).from, 1, number_[link.index()]);
}

std::optional<SegmentLayout::Segment> SegmentLayout::find(const IpAddress& sid) const {
  const auto after = std::upper_bound(by_locator_.begin(), by_locator_.end(), sid, [&](const IpAddress& a, NodeId b) {
    return a < plane_->nodes[b.index()].locator.address;
  });
  if (after == by_locator_.begin()) return std::nullopt;
  const NodeId node = *std::prev(after);
  if (sid == end(node)) return Segment{Segment::Kind::kEnd, node};
  if (!managed(node)) return std::nullopt;
  if (sid == end_dt46(node)) return Segment{Segment::Kind::kEndDt46, node};
  for (const LinkId link : links_leaving(node)) {
    if (sid == end_x(link)) return Segment{Segment::Kind::kEndX, node, link};
  }
  return std::nullopt;
}

Result<std::vector<PathSegment>> path_segments(IgpTable& igp, const Topology& topology, std::span<const LinkId> links,
                                               std::size_t length_max, const std::vector<bool>& managed) {
  if (links.empty()) return fail(ErrorCode::kBadInput, "a path of no links");
  const PathWriter writer{.igp = igp, .topology = topology, .links = links, .managed = managed};
  auto segments = writer.by_nodes();
  if (!segments || segments->size() <= length_max) return segments;
  auto shortest = writer.by_links();
  return shortest.size() < segments->size() ? std::move(shortest) : std::move(segments);
}

Result<std::vector<IpAddress>> segment_list(const SegmentLayout& layout, IgpTable& igp, std::span<const LinkId> links) {
  const Topology& topology = layout.topology();
  if (links.empty()) return fail(ErrorCode::kBadInput, "a path of no links");
  const NodeId last = node_at(topology, links, links.size());
  if (!layout.managed(last)) {
    return fail(ErrorCode::kUnsupported, topology.node(last).name + " is unmanaged: it ends no path");
  }
  const std::size_t length_max = layout.plane().segments_max;
  const auto path = path_segments(igp, topology, links, length_max, layout.managed_nodes());
  if (!path) return tl::unexpected<Error>{path.error()};
  if (path->size() > length_max) {
    return fail(ErrorCode::kUnsupported, std::to_string(path->size()) + " segments are needed, nodes push at most " +
                                             std::to_string(length_max));
  }
  std::vector<IpAddress> segments;
  for (const PathSegment& segment : *path) {
    segments.push_back(segment.link() ? layout.end_x(*segment.link()) : layout.end(*segment.node()));
  }
  segments.back() = layout.end_dt46(last);
  return segments;
}

Result<std::vector<LinkId>> expand_segments(const SegmentLayout& layout, IgpTable& igp, LinkId first,
                                            std::span<const IpAddress> segments) {
  using Kind = SegmentLayout::Segment::Kind;
  const Topology& topology = layout.topology();
  std::vector<LinkId> links{first};
  NodeId at = topology.link(first).to;
  bool ended = false;
  for (const IpAddress& sid : segments) {
    const auto segment = layout.find(sid);
    if (!segment) return fail(ErrorCode::kBadInput, sid.to_string() + " is no node's segment");
    if (ended) return fail(ErrorCode::kBadInput, sid.to_string() + " follows a segment that decapsulates");
    while (at != segment->node) {
      const auto link = igp.next(at, segment->node);
      if (!link) {
        return fail(ErrorCode::kBadInput,
                    topology.node(at).name + " has no way to " + topology.node(segment->node).name);
      }
      links.push_back(*link);
      at = topology.link(*link).to;
    }
    if (segment->kind == Kind::kEndX) {
      links.push_back(segment->link);
      at = topology.link(segment->link).to;
    }
    ended = segment->kind == Kind::kEndDt46;
  }
  return links;
}

Result<std::vector<IpAddress>> segment_list(const Topology& topology, const ForwardingPlane& plane,
                                            std::span<const LinkId> links) {
  const auto layout = SegmentLayout::make(topology, plane);
  if (!layout) return tl::unexpected<Error>{layout.error()};
  IgpTable igp{topology};
  return segment_list(*layout, igp, links);
}

Result<std::vector<LinkId>> expand_segments(const Topology& topology, const ForwardingPlane& plane, LinkId first,
                                            std::span<const IpAddress> segments) {
  const auto layout = SegmentLayout::make(topology, plane);
  if (!layout) return tl::unexpected<Error>{layout.error()};
  IgpTable igp{topology};
  return expand_segments(*layout, igp, first, segments);
}

}  // namespace wan::controller
