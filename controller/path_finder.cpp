#include "controller/path_finder.h"

#include "controller/bounded_path_search.h"
#include "controller/segment_lists.h"

namespace wan::controller {

PathFinder::PathFinder(const Topology& topology, std::optional<std::size_t> depth)
    : topology_{topology}, depth_{depth}, igp_{topology} {
  if (depth) segment_search_.emplace(topology, igp_, *depth);
}

void PathFinder::set_costs(std::span<const double> cost) {
  cost_ = cost;
  source_.reset();
  if (segment_search_) segment_search_->set_costs(cost);
}

void PathFinder::run(NodeId source) {
  if (!segment_search_) {
    tree_ = shortest_path_tree(topology_, source, cost_);
  } else if (source_ != source) {
    segment_search_->run(source);
  }
  source_ = source;
}

double PathFinder::cost(NodeId to) const {
  return segment_search_ ? segment_search_->cost(to) : tree_.cost[to.index()];
}

bool PathFinder::path_to(NodeId to, std::vector<std::uint32_t>& path) {
  path.clear();
  if (segment_search_) {
    path = segment_search_->path_to(to);
  } else {
    for (const LinkId link : tree_.path_to(topology_, to)) path.push_back(static_cast<std::uint32_t>(link.index()));
  }
  if (within_latency(path)) return true;
  path.clear();
  for (const LinkId link : cheapest_path_within(topology_, *source_, to, cost_, *latency_max_).links) {
    path.push_back(static_cast<std::uint32_t>(link.index()));
  }
  return !path.empty() && within_depth(path);
}

bool PathFinder::within_depth(std::span<const std::uint32_t> links) {
  if (!depth_) return true;
  std::vector<LinkId> ids;
  for (const std::uint32_t link : links) ids.emplace_back(link);
  const auto segments = path_segments(igp_, topology_, ids, *depth_);
  return segments && segments->size() <= *depth_;
}

bool PathFinder::within_latency(std::span<const std::uint32_t> links) const {
  if (!latency_max_) return true;
  Duration delay{0};
  for (const std::uint32_t link : links) delay += topology_.links()[link].delay;
  return delay <= *latency_max_;
}

}  // namespace wan::controller
