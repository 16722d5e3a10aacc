#include "controller/path_finder.h"

namespace wan::controller {

PathFinder::PathFinder(const Topology& topology, std::optional<std::size_t> depth)
    : topology_{topology}, depth_{depth}, igp_{topology} {
  if (depth) within_depth_.emplace(topology, igp_, *depth);
}

void PathFinder::set_costs(std::span<const double> cost) {
  cost_ = cost;
  source_.reset();
  if (within_depth_) within_depth_->set_costs(cost);
}

void PathFinder::run(NodeId source) {
  if (!within_depth_) {
    tree_ = shortest_path_tree(topology_, source, cost_);
  } else if (source_ != source) {
    within_depth_->run(source);
    source_ = source;
  }
}

double PathFinder::cost(NodeId to) const { return within_depth_ ? within_depth_->cost(to) : tree_.cost[to.index()]; }

void PathFinder::path_to(NodeId to, std::vector<std::uint32_t>& path) const {
  path.clear();
  if (within_depth_) {
    path = within_depth_->path_to(to);
    return;
  }
  for (const LinkId link : tree_.path_to(topology_, to)) path.push_back(static_cast<std::uint32_t>(link.index()));
}

}  // namespace wan::controller
