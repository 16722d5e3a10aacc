#include "controller/flow_follower.h"

#include <algorithm>
#include <limits>

namespace wan::controller {
namespace {

constexpr double kTrace = 1e-9;  // of what passes a node: less than that flowing in is rounding, and no split to follow

}  // namespace

std::span<const double> FlowFollower::follow(std::uint32_t source, std::span<const double> demand,
                                             std::span<double> flow) {
  const std::size_t nodes = demand.size();
  through_.assign(demand.begin(), demand.end());
  missing_.assign(nodes, 0.0);
  used_out_.assign(nodes, 0);
  for (std::size_t b = 0; b < flow.size(); ++b) used_out_[net_.from[b]] += flow[b] > 0.0;
  ready_.clear();
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (used_out_[node] == 0) ready_.push_back(node);
  }
  for (std::size_t done = 0; done < nodes; ++done) {
    while (done == ready_.size()) empty_circle(flow);
    const std::uint32_t node = ready_[done];
    if (node == source) continue;
    double before = 0.0;
    for (std::uint32_t i = net_.in_first[node]; i < net_.in_first[node + 1]; ++i) before += flow[net_.in_bundles[i]];
    const bool carried = before > kTrace * through_[node];
    if (!carried) missing_[node] = through_[node];
    for (std::uint32_t i = net_.in_first[node]; i < net_.in_first[node + 1]; ++i) {
      const std::uint32_t bundle = net_.in_bundles[i];
      if (flow[bundle] <= 0.0) continue;
      flow[bundle] = carried ? flow[bundle] / before * through_[node] : 0.0;
      through_[net_.from[bundle]] += flow[bundle];
      leave(net_.from[bundle]);
    }
  }
  return missing_;
}

/// One used bundle less leads from the node to nodes that are still to come.
void FlowFollower::leave(std::uint32_t node) {
  if (--used_out_[node] == 0) ready_.push_back(node);
}

/// Every node that is still to come has a used bundle to another such node, so a walk along them ends in a circle,
/// which then loses as much flow as all of it has.
void FlowFollower::empty_circle(std::span<double> flow) {
  walked_.clear();
  met_at_.assign(used_out_.size(), UINT32_MAX);
  std::uint32_t node = 0;
  while (used_out_[node] == 0) ++node;
  while (met_at_[node] == UINT32_MAX) {
    met_at_[node] = static_cast<std::uint32_t>(walked_.size());
    std::uint32_t bundle = net_.out_first[node];
    while (flow[bundle] <= 0.0 || used_out_[net_.to[bundle]] == 0) ++bundle;
    walked_.push_back(bundle);
    node = net_.to[bundle];
  }
  const std::span circle = std::span{walked_}.subspan(met_at_[node]);
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint32_t bundle : circle) least = std::min(least, flow[bundle]);
  for (const std::uint32_t bundle : circle) {
    flow[bundle] = std::max(0.0, flow[bundle] - least);
    if (flow[bundle] == 0.0) leave(net_.from[bundle]);
  }
}

}  // namespace wan::controller
