#include "controller/flow_decomposition.h"

#include <algorithm>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

/// Walks back from `to` along the fullest link each time. Links of a circle are lowered by the circle's flow, and the
/// walk starts anew. Gives nothing when the flow towards `to` is used up.
std::vector<LinkId> fullest_path(const Topology& topology, NodeId from, NodeId to, std::vector<double>& flow,
                                 double negligible) {
  std::vector<LinkId> backwards;
  std::vector<std::size_t> position(topology.node_count(), SIZE_MAX);  // of the walk's visit to the node
  NodeId at = to;
  position[at.index()] = 0;
  while (at != from) {
    LinkId best;
    double most = negligible;
    for (const LinkId id : topology.in_links(at)) {
      if (flow[id.index()] > most) {
        most = flow[id.index()];
        best = id;
      }
    }
    if (most == negligible) return {};
    backwards.push_back(best);
    at = topology.link(best).from;
    if (position[at.index()] == SIZE_MAX) {
      position[at.index()] = backwards.size();
      continue;
    }
    double least = flow[best.index()];
    const std::size_t first = position[at.index()];
    for (std::size_t i = first; i < backwards.size(); ++i) least = std::min(least, flow[backwards[i].index()]);
    for (std::size_t i = first; i < backwards.size(); ++i) flow[backwards[i].index()] -= least;
    backwards.clear();
    std::fill(position.begin(), position.end(), SIZE_MAX);
    at = to;
    position[at.index()] = 0;
  }
  std::reverse(backwards.begin(), backwards.end());
  return backwards;
}

struct Share {
  double bps;
  std::vector<LinkId> links;
};

std::vector<Share> take_demand(const Topology& topology, NodeId from, NodeId to, double rate,
                               std::vector<double>& flow) {
  std::vector<Share> shares;
  const double negligible = rate * 1e-6;
  double left = rate;
  while (left > negligible) {
    std::vector<LinkId> links = fullest_path(topology, from, to, flow, negligible);
    if (links.empty()) break;
    double amount = left;
    for (const LinkId id : links) amount = std::min(amount, flow[id.index()]);
    for (const LinkId id : links) flow[id.index()] -= amount;
    left -= amount;
    shares.push_back({amount, std::move(links)});
  }
  return shares;
}

}  // namespace

PathPlan decompose_flows(const Topology& topology, const TrafficMatrix& demand,
                         const std::vector<std::vector<double>>& flow, std::size_t class_count) {
  const std::size_t n = topology.node_count();
  const std::vector<double> delay = delay_costs(topology);
  std::vector<std::vector<Share>> shares(n * n);
  for (std::size_t s = 0; s < n; ++s) {
    std::vector<double> left = flow[s];
    const ShortestPathTree shortest = shortest_path_tree(topology, NodeId{s}, delay);
    for (std::size_t t = 0; t < n; ++t) {
      if (s == t || !shortest.reaches(NodeId{t})) continue;
      const double rate = demand.at(NodeId{s}, NodeId{t}).bps();
      auto& found = shares[s * n + t];
      if (rate > 0.0) found = take_demand(topology, NodeId{s}, NodeId{t}, rate, left);
      if (found.empty()) found.push_back({1.0, shortest.path_to(topology, NodeId{t})});
    }
  }
  PathPlanBuilder builder;
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    for (std::size_t pair = 0; pair < n * n; ++pair) {
      if (shares[pair].empty()) continue;
      builder.begin_demand({TrafficClass{cls}, NodeId{pair / n}, NodeId{pair % n}});
      for (const Share& share : shares[pair]) builder.add_path(share.bps, share.links);
    }
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
