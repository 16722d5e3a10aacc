#include "controller/program/aiwand/daemon_state.h"

#include "core/digest.h"

namespace wan::controller {

ForwardingPlane DaemonState::plane_of(const io::NetworkDescription& network, std::size_t segments_max) {
  ForwardingPlane plane{.nodes = {}, .ports = network.ports, .segments_max = segments_max, .reverse = network.reverse};
  for (const io::NodeSettings& node : network.nodes) {
    plane.nodes.push_back({.locator = node.locator, .prefixes = node.prefixes, .managed = node.managed});
  }
  return plane;
}

std::vector<bool> DaemonState::managed_of(const io::NetworkDescription& network) {
  std::vector<bool> managed;
  for (const io::NodeSettings& node : network.nodes) managed.push_back(node.managed);
  return managed;
}

std::string DaemonState::state_digest() const {
  Digest digest;
  digest.add(settings.policy_version);
  if (const PolicyVersion* version = policies_in_force()) digest.add(version->text);
  digest.add(to_string(settings.mode));
  for (const std::string& drain : settings.drains) digest.add(drain);
  digest.add(network.topology.digest());
  for (std::size_t l = 0; l < network.topology.link_count(); ++l) {
    digest.add(std::uint64_t{links.physical().links()[l].up});
    digest.add(std::uint64_t{links.is_kept_empty(LinkId{l})});
  }
  digest.add(in_force.digest);
  return digest.hex();
}

}  // namespace wan::controller
