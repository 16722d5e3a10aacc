#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controller/igp_table.h"
#include "controller/segment_lists.h"
#include "core/ip_address.h"
#include "core/shortest_paths.h"
#include "core/topology.h"

namespace wan::controller {

/// A way around a link that works while all other nodes still route as if it were up.
struct RepairPath {
  LinkId first;                     ///< the link that the repairing node sends over instead
  std::vector<IpAddress> segments;  ///< of an outer header; none: as it is
};

/// What goes down with a link: itself and its other direction.
[[nodiscard]] std::vector<LinkId> failing_with(const SegmentLayout& layout, LinkId link);

/// The cheapest paths from a node with these links down. Of equally cheap ones those over the links with the lowest
/// ids.
[[nodiscard]] ShortestPathTree tree_without(const Topology& topology, NodeId from, std::span<const LinkId> down);

/// How the node that `failed` leaves reaches `target` without it.
///
/// The cheapest path without the link, in as few segments as possible. Every stretch between two segments is one whose
/// cheapest ways all avoid the link, so each is as cheap as the path itself: the packet meets no node twice. Where that
/// cannot be written, a neighbour from which all cheapest ways avoid the link (RFC 5286), the cheapest one.
/// @param failed   `failing_with` the link
/// @param around   the cheapest path without it, of `tree_without`; empty: no way, no repair
[[nodiscard]] std::optional<RepairPath> repair_path(const SegmentLayout& layout, IgpTable& igp, NodeId target,
                                                    std::span<const LinkId> failed, std::span<const LinkId> around);

/// The segments that take a demand's packets along the cheapest path without a link, or one that costs the same, to the
/// End.DT46 of its last node: for a path that `segment_list` cannot write link by link.
[[nodiscard]] std::optional<std::vector<IpAddress>> detour(const SegmentLayout& layout, IgpTable& igp,
                                                           std::span<const LinkId> failed,
                                                           std::span<const LinkId> around);

}  // namespace wan::controller
