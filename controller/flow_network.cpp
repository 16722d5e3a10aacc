#include "controller/flow_network.h"

#include <algorithm>

#include "core/shortest_paths.h"

namespace wan::controller {

FlowNetwork::FlowNetwork(const Topology& topology) : bundle_of(topology.link_count(), kNone), graph{topology} {
  const std::vector<double> link_delay = delay_costs(topology);
  for (std::size_t node = 0; node < topology.node_count(); ++node) {
    const auto first = static_cast<std::uint32_t>(from.size());
    out_first.push_back(first);
    for (const LinkId id : topology.out_links(NodeId{node})) {
      const auto head = static_cast<std::uint32_t>(topology.link(id).to.index());
      std::uint32_t bundle = first;
      while (bundle < from.size() && (to[bundle] != head || delay[bundle] != link_delay[id.index()])) ++bundle;
      if (bundle == from.size()) {
        from.push_back(static_cast<std::uint32_t>(node));
        to.push_back(head);
        capacity.push_back(0.0);
        delay.push_back(link_delay[id.index()]);
      }
      capacity[bundle] += topology.link(id).capacity.bps();
      bundle_of[id.index()] = bundle;
    }
  }
  out_first.push_back(static_cast<std::uint32_t>(from.size()));
  for (const double bps : capacity) inverse_capacity.push_back(1.0 / bps);
  part_of_bundle.assign(topology.link_count(), 0.0);
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (bundle_of[l] != kNone) part_of_bundle[l] = topology.links()[l].capacity.bps() / capacity[bundle_of[l]];
  }

  in_first.assign(topology.node_count() + 1, 0);
  for (const std::uint32_t node : to) ++in_first[node + 1];
  for (std::size_t node = 0; node < topology.node_count(); ++node) in_first[node + 1] += in_first[node];
  in_bundles.resize(from.size());
  std::vector<std::uint32_t> next(in_first.begin(), in_first.end() - 1);
  for (std::uint32_t bundle = 0; bundle < from.size(); ++bundle) in_bundles[next[to[bundle]]++] = bundle;
  graph = TreeSearchGraph{topology.node_count(), from, to};
}

}  // namespace wan::controller
