#include <algorithm>
#include <string>

#include "core/io/network_file.h"
#include "tests/fuzz/expectations.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto network = wan::io::parse_network(text, "input");
  if (!network) {
    wan::fuzz::expect_good_message(network.error());
    return 0;
  }
  const wan::Topology& topology = network->topology;
  wan::fuzz::expect(network->nodes.size() == topology.node_count(), "settings for each node");
  wan::fuzz::expect(network->ports.size() == topology.link_count(), "a port for each link");
  for (const auto& node : network->nodes) {
    wan::fuzz::expect(node.locator.address.is_v6() && node.locator.length <= 64, "a locator that holds segments");
  }
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const wan::LinkId link{l};
    const wan::LinkId back = network->reverse[l];
    wan::fuzz::expect(network->reverse[back.index()] == link && back != link, "each link has its other direction");
    const auto named = network->links_named(topology.link(link).name);
    wan::fuzz::expect(named.size() == 1 && named[0] == link, "a link's name stands for it alone");
    const auto of_node = network->links_named(topology.node(topology.link(link).from).name);
    wan::fuzz::expect(std::find(of_node.begin(), of_node.end(), link) != of_node.end(),
                      "a node's name stands for its links");
  }
  return 0;
}
