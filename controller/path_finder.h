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

/// Each source's cheapest paths, of any shape or within a segment depth, and of any delay or within a bound.
///
/// Each limit alone is kept exactly: of all paths that keep it the cheapest one is found. With both, what is found is
/// the cheapest path within the depth, if it is within the delay too, else the cheapest one within the delay, if it is
/// within the depth too; a path that keeps both may exist where neither of these does.
///
/// Threads: one owner.  Cost: of a run, a Dijkstra, or what SegmentSearch says; of a path that the bound on delay
/// changes, what `cheapest_path_within` says.
class PathFinder {
 public:
  /// `topology` outlives the finder.
  PathFinder(const Topology& topology, std::optional<std::size_t> depth);

  [[nodiscard]] IgpTable& igp() { return igp_; }
  [[nodiscard]] std::optional<std::size_t> depth() const { return depth_; }
  /// Of the paths asked for from here on; none: any.
  void set_latency_max(std::optional<Duration> latency_max) { latency_max_ = latency_max; }
  /// @param cost  by link, >= 0, infinite: not to be used; outlives the runs that follow, and without a depth may
  /// change between them
  void set_costs(std::span<const double> cost);
  void run(NodeId source);
  /// From the last run's source, of the cheapest path of any delay; infinite where no path leads.
  [[nodiscard]] double cost(NodeId to) const;
  /// The links of that path, or of one within the bound on delay.
  /// @param to  where the cost is finite
  /// @return  false: none was found within the bound
  [[nodiscard]] bool path_to(NodeId to, std::vector<std::uint32_t>& path);
  /// Whether the IGP and so many segments as the depth allows lead along these links; without a depth they always do.
  [[nodiscard]] bool within_depth(std::span<const std::uint32_t> links);
  [[nodiscard]] bool within_latency(std::span<const std::uint32_t> links) const;

 private:
  const Topology& topology_;
  std::optional<std::size_t> depth_;
  IgpTable igp_;
  std::optional<SegmentSearch> segment_search_;
  std::span<const double> cost_;
  std::optional<Duration> latency_max_;
  std::optional<NodeId> source_;  // of the last run under these costs
  ShortestPathTree tree_;
};

}  // namespace wan::controller
