#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/igp_table.h"
#include "controller/node_programs.h"
#include "core/ip_address.h"
#include "core/path_segments.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::controller {

/// Which address is which segment of which node (docs/formats/network.md).
///
/// Threads: any number of readers.
class SegmentLayout {
 public:
  struct Segment {
    enum class Kind { kEnd, kEndX, kEndDt46 };
    Kind kind = Kind::kEnd;
    NodeId node;
    LinkId link{};  ///< of kEndX: the link that it leaves through
  };

  /// `topology` and `plane` outlive the layout.
  /// @error kShapeMismatch: the plane is of another network. kBadInput: a locator that is no IPv6 prefix of at most
  ///        64 bits, or a node with more links than can be numbered
  [[nodiscard]] static Result<SegmentLayout> make(const Topology& topology, const ForwardingPlane& plane);

  [[nodiscard]] IpAddress end(NodeId node) const { return address(node, 0, 1); }
  [[nodiscard]] IpAddress end_dt46(NodeId node) const { return address(node, 0, 0x46); }
  /// Of the node that the link leaves.
  [[nodiscard]] IpAddress end_x(LinkId link) const;
  /// Nothing when no node has such a segment.
  [[nodiscard]] std::optional<Segment> find(const IpAddress& sid) const;

  [[nodiscard]] const Topology& topology() const { return *topology_; }
  [[nodiscard]] const ForwardingPlane& plane() const { return *plane_; }
  [[nodiscard]] bool managed(NodeId node) const { return managed_[node.index()]; }
  [[nodiscard]] const std::vector<bool>& managed_nodes() const { return managed_; }
  /// All links that leave a node, up or down, in the order of their ids: what End.X segments are numbered by.
  [[nodiscard]] std::span<const LinkId> links_leaving(NodeId node) const { return leaving_[node.index()]; }

 private:
  SegmentLayout(const Topology& topology, const ForwardingPlane& plane) : topology_{&topology}, plane_{&plane} {}
  [[nodiscard]] IpAddress address(NodeId node, std::uint16_t group6, std::uint16_t group7) const;

  const Topology* topology_;
  const ForwardingPlane* plane_;
  std::vector<std::vector<LinkId>> leaving_;  // by node
  std::vector<std::uint16_t> number_;         // by link: its place among those that leave the node
  std::vector<bool> managed_;                 // by node
  std::vector<NodeId> by_locator_;            // nodes in the order of their locators
};

/// The instructions that take packets along exactly these links, in as few as can be or more to the IGP's liking.
///
/// Where the IGP's one cheapest way is the wanted one, the way of the IGP to a node; where it is not (or there are
/// several as cheap), across a link. At first links are crossed by name only where there is no other way, so that a
/// failure elsewhere is routed around by the IGP; a list that is longer than `length_max` so is written as the shortest
/// that there is.
/// @param links    a path of at least one link; the list begins after the first
/// @param managed  by node: whether its links can be named; empty: all
/// @return         ends with the last node; longer than `length_max` where no list is as short
/// @error kUnsupported: a link of an unmanaged node would have to be named. kBadInput: no links
/// Cost: O(links^2) look-ups. Source: farthest-first segment encoding is shortest, as every part of a unique cheapest
///         path is one too: Giorgetti et al., "Path encoding in segment routing", GLOBECOM 2015, extended by segments
///         that cross a link at their end.
[[nodiscard]] Result<std::vector<PathSegment>> path_segments(IgpTable& igp, const Topology& topology,
                                                             std::span<const LinkId> links, std::size_t length_max,
                                                             const std::vector<bool>& managed = {});

/// As the functions of node_programs.h, for callers that ask often.
[[nodiscard]] Result<std::vector<IpAddress>> segment_list(const SegmentLayout& layout, IgpTable& igp,
                                                          std::span<const LinkId> links);
[[nodiscard]] Result<std::vector<LinkId>> expand_segments(const SegmentLayout& layout, IgpTable& igp, LinkId first,
                                                          std::span<const IpAddress> segments);

}  // namespace wan::controller
