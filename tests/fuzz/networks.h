#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/topology.h"

namespace wan::fuzz {

/// Nodes A, B, C, D and the links A>B, B>D, A>C, C>D: what demands, series and plans of the corpora are about.
inline const Topology& diamond() {
  static const Topology topology = [] {
    std::vector<Node> nodes(4);
    for (std::size_t n = 0; n < nodes.size(); ++n) nodes[n].name = std::string(1, static_cast<char>('A' + n));
    std::vector<Link> links;
    for (const auto& [from, to] : {std::pair{0U, 1U}, std::pair{1U, 3U}, std::pair{0U, 2U}, std::pair{2U, 3U}}) {
      Link link;
      link.name = nodes[from].name;
      link.name.append(">").append(nodes[to].name);
      link.from = NodeId{from};
      link.to = NodeId{to};
      link.capacity = BitRate::gbps(10);
      links.push_back(std::move(link));
    }
    return Topology::make(std::move(nodes), std::move(links)).value();
  }();
  return topology;
}

}  // namespace wan::fuzz
