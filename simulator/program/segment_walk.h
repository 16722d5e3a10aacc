#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/path_segments.h"
#include "core/topology.h"

namespace wan::simulator {

/// Walks segment lists as an IGP would lead packets, for the plan verifier: shares no code with what wrote them.
///
/// The IGP's ways are the cheapest by link weight over links that are up; costs within one part in 10^9 are equal, and
/// where two equally cheap links go on, a packet may take either, so no list may depend on it.
/// Threads: one owner.  Cost: a Dijkstra for each node that is somebody's target; then the hops.
class SegmentWalk {
 public:
  /// `topology` outlives the walk.
  explicit SegmentWalk(const Topology& topology);

  /// Why a list does not lead along exactly these links, as the end of a sentence that begins with the path; empty if
  /// it does.
  /// @param links  a chain of at least one link that exist; the list begins after the first
  [[nodiscard]] std::string fault(std::span<const LinkId> links, std::span<const PathSegment> list);

 private:
  [[nodiscard]] const std::vector<double>& costs_to(NodeId target);
  /// Follows the IGP from where the walk stands to a node.
  [[nodiscard]] std::string go_to(NodeId target, std::span<const LinkId> links);
  [[nodiscard]] const std::string& name(NodeId node) const { return topology_.node(node).name; }

  const Topology& topology_;
  std::vector<std::vector<double>> costs_;  // by target, once asked for; by node
  NodeId at_;                               // where the walk stands
  std::size_t gone_ = 0;                    // links that it went over
};

}  // namespace wan::simulator
