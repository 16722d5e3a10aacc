#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "controller/igp_table.h"
#include "controller/segment_search.h"
#include "core/shortest_paths.h"
#include "core/topology.h"

namespace wan::controller {

/// Each source's cheapest paths, of any shape or within a segment depth.
///
/// Threads: one owner.  Cost: of a run, a Dijkstra, or what SegmentSearch says.
class PathFinder {
 public:
  /// `topology` outlives the finder.
  PathFinder(const Topology& topology, std::optional<std::size_t> depth);

  [[nodiscard]] IgpTable& igp() { return igp_; }
  [[nodiscard]] std::optional<std::size_t> depth() const { return depth_; }
  /// @param cost  by link, >= 0; outlives the runs that follow, and without a depth may change between them
  void set_costs(std::span<const double> cost);
  void run(NodeId source);
  [[nodiscard]] double cost(NodeId to) const;  ///< from the last run's source; infinite where no path leads
  /// The links of the path that has this cost.
  void path_to(NodeId to, std::vector<std::uint32_t>& path) const;

 private:
  const Topology& topology_;
  std::optional<std::size_t> depth_;
  IgpTable igp_;
  std::optional<SegmentSearch> within_depth_;
  std::span<const double> cost_;
  std::optional<NodeId> source_;  // that the segment search ran from under these costs
  ShortestPathTree tree_;
};

}  // namespace wan::controller
