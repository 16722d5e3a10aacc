#include "controller/program/aiwand/network_state.h"

#include <algorithm>

#include "core/shortest_paths.h"

namespace wan::controller {

NetworkState::NetworkState(const io::NetworkDescription& network)
    : ports_{network.ports},
      reverse_{network.reverse},
      all_up_{network.topology},
      port_down_(network.topology.link_count(), false),
      kept_empty_(network.topology.link_count(), false) {
  rebuild();
}

bool NetworkState::take_ports(NodeId node, const std::vector<PortState>& ports) {
  bool changed = false;
  for (std::size_t l = 0; l < ports_.size(); ++l) {
    if (all_up_.links()[l].from != node) continue;
    const auto port =
        std::find_if(ports.begin(), ports.end(), [&](const PortState& at) { return at.name == ports_[l]; });
    if (port == ports.end() || port_down_[l] == !port->up) continue;
    port_down_[l] = !port->up;
    changed = true;
  }
  if (!changed) return false;
  const Topology before = physical_;
  rebuild();
  for (std::size_t l = 0; l < before.link_count(); ++l) {
    if (before.links()[l].up != physical_.links()[l].up) return true;
  }
  return false;
}

bool NetworkState::keep_empty(std::vector<LinkId> links) {
  std::vector<bool> wanted(kept_empty_.size(), false);
  for (const LinkId link : links) wanted[link.index()] = true;
  if (wanted == kept_empty_) return false;
  kept_empty_ = std::move(wanted);
  rebuild();
  return true;
}

std::size_t NetworkState::links_up() const {
  const auto links = physical_.links();
  return static_cast<std::size_t>(std::count_if(links.begin(), links.end(), [](const Link& link) { return link.up; }));
}

void NetworkState::rebuild() {
  std::vector<LinkId> down, avoided;
  for (std::size_t l = 0; l < port_down_.size(); ++l) {
    const bool is_down = port_down_[l] || port_down_[reverse_[l].index()];
    if (is_down) down.push_back(LinkId{l});
    if (is_down || kept_empty_[l]) avoided.push_back(LinkId{l});
  }
  physical_ = all_up_.with_links_down(down);
  planning_ = all_up_.with_links_down(avoided);
}

std::vector<std::pair<NodeId, NodeId>> pairs_cut(const Topology& before, const Topology& after,
                                                 const std::vector<bool>& wanted) {
  std::vector<std::pair<NodeId, NodeId>> cut;
  const std::vector<double> hops = hop_costs(before);
  for (std::size_t s = 0; s < before.node_count(); ++s) {
    if (!wanted[s]) continue;
    const ShortestPathTree was = shortest_path_tree(before, NodeId{s}, hops);
    const ShortestPathTree is = shortest_path_tree(after, NodeId{s}, hops);
    for (std::size_t t = 0; t < before.node_count(); ++t) {
      if (wanted[t] && was.reaches(NodeId{t}) && !is.reaches(NodeId{t})) cut.emplace_back(NodeId{s}, NodeId{t});
    }
  }
  return cut;
}

}  // namespace wan::controller
