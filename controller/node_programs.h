#pragma once

#include <span>
#include <string>
#include <vector>

#include "controller/policy.h"
#include "core/ip_address.h"
#include "core/node_program.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::controller {

/// How a network forwards: what turns links into segments.
struct ForwardingPlane {
  struct Node {
    IpPrefix locator;
    std::vector<IpPrefix> prefixes;
    bool managed = true;
  };
  std::vector<Node> nodes;         ///< by node
  std::vector<std::string> ports;  ///< by link: the near end's port
  std::size_t segments_max = 10;   ///< that a node can push
  /// By link: the other direction, which fails with it. Empty: each link fails with all that lead back.
  std::vector<LinkId> reverse{};
};

/// The segment list (RFC 8986) that takes packets along exactly these links: End SIDs where the IGP's only cheapest
/// path is the wanted one, End.X SIDs where it is not, End.DT46 of the last node at the end.
///
/// The first link is left through its port, so the list begins after it.
/// @param links  a path in `topology`; the IGP runs over the links that are up
/// @error kUnsupported: over `segments_max` SIDs; an unmanaged node would need an End.X; the last node is unmanaged.
///        kShapeMismatch: the plane is of another network. kBadInput: a locator that holds no segments
[[nodiscard]] Result<std::vector<IpAddress>> segment_list(const Topology& topology, const ForwardingPlane& plane,
                                                          std::span<const LinkId> links);

/// Where a segment list takes a packet: the inverse, by walking the IGP. For checks.
///
/// Of equally cheap ways a node takes the one over the link with the lowest id, as the routes of `node_programs` do.
/// @error kBadInput: a segment that belongs to nobody, or no way to it; what follows a segment that decapsulates
[[nodiscard]] Result<std::vector<LinkId>> expand_segments(const Topology& topology, const ForwardingPlane& plane,
                                                          LinkId first, std::span<const IpAddress> segments);

struct NodePrograms {
  std::vector<NodeProgram> by_node;   ///< demands by (class, destination's name); unmanaged nodes: empty, epoch 0
  std::vector<std::string> problems;  ///< what could not be told to the nodes, a sentence each
};

/// Translates a plan for each managed node: its demands with their backups, the IGP's routes with their repairs.
///
/// A path that cannot be written as segments is left out and its share goes to the demand's others; a demand all of
/// whose paths are such takes the IGP's way. Both are named in `problems`, and so is a backup that cannot be written.
///
/// A backup is what is left of the demand's own paths, or the cheapest way without the failed link. A repair is the
/// cheapest way without the failed link, written so that it works while all other nodes still route as before: each
/// segment is reached over ways none of which crosses the failed link, and the last one is the End of a managed node,
/// which takes the outer header off (USD, RFC 8986 section 4.16.3), from which the target is reached likewise.
/// @param plan    on this topology; demands from or to unmanaged nodes are left out
/// @param epoch, digest  go into every program
/// @error kBadInput: the plan is none on this topology, or a locator holds no segments. kShapeMismatch: the plane is
///        of another network
/// Cost: a search for shortest paths for each node and each link, and memory for nodes x nodes.
/// Source: repairs: draft-ietf-rtgwg-segment-routing-ti-lfa; loop-free neighbours: RFC 5286
[[nodiscard]] Result<NodePrograms> node_programs(const Topology& topology, const ForwardingPlane& plane,
                                                 const PathPlan& plan, std::span<const ClassPolicy> classes,
                                                 std::uint64_t epoch, const std::string& digest);

/// The plan that the nodes' programs describe by their links' names, to adopt after a restart.
/// @param by_node  empty programs (epoch 0) are passed over
/// @return         may use links that are down
/// @error kBadInput: a node or link that this network does not have, a path that is none, a demand that stands twice.
///        kShapeMismatch: not one program a node
[[nodiscard]] Result<PathPlan> adopted_plan(const Topology& topology, std::span<const NodeProgram> by_node);

/// A digest over all paths and fractions of a plan: equal plans, equal digest.
[[nodiscard]] std::string plan_digest(const Topology& topology, const PathPlan& plan);

}  // namespace wan::controller
