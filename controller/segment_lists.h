#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controller/igp_table.h"
#include "controller/node_programs.h"
#include "core/ip_address.h"
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
  [[nodiscard]] bool managed(NodeId node) const { return plane_->nodes[node.index()].managed; }
  /// All links that leave a node, up or down, in the order of their ids: what End.X segments are numbered by.
  [[nodiscard]] std::span<const LinkId> links_leaving(NodeId node) const { return leaving_[node.index()]; }

 private:
  SegmentLayout(const Topology& topology, const ForwardingPlane& plane) : topology_{&topology}, plane_{&plane} {}
  [[nodiscard]] IpAddress address(NodeId node, std::uint16_t group6, std::uint16_t group7) const;

  const Topology* topology_;
  const ForwardingPlane* plane_;
  std::vector<std::vector<LinkId>> leaving_;  // by node
  std::vector<std::uint16_t> number_;         // by link: its place among those that leave the node
  std::vector<NodeId> by_locator_;            // nodes in the order of their locators
};

/// As the functions of node_programs.h, for callers that ask often.
[[nodiscard]] Result<std::vector<IpAddress>> segment_list(const SegmentLayout& layout, IgpTable& igp,
                                                          std::span<const LinkId> links);
[[nodiscard]] Result<std::vector<LinkId>> expand_segments(const SegmentLayout& layout, IgpTable& igp, LinkId first,
                                                          std::span<const IpAddress> segments);

}  // namespace wan::controller
