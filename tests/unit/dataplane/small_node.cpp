#include "tests/unit/dataplane/small_node.h"

#include "dataplane/hello.h"

namespace wan::dataplane::test {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Bytes payload_of(const Bytes& frame) { return {frame.begin() + 14, frame.end()}; }

NodeProgram SmallNode::program() {
  NodeProgram program;
  program.epoch = 1;
  program.classes = {{TrafficClass{1}, {46}}};
  program.egresses = {{"b", ip("fc00:2::46")}, {"c", ip("fc00:3::46")}, {"d", ip("fc00:4::46")}};
  program.prefixes = {{*IpPrefix::parse("10.2.0.0/16"), "b"},
                      {*IpPrefix::parse("2001:db8:2::/64"), "b"},
                      {*IpPrefix::parse("10.3.0.0/16"), "c"},
                      {*IpPrefix::parse("10.4.0.0/16"), "d"}};
  program.routes = {
      {*IpPrefix::parse("fc00:2::/64"), "east", SidRoute::Repair{"west", {ip("fc00:3::1"), ip("fc00:2::1")}}},
      {*IpPrefix::parse("fc00:3::/64"), "west", SidRoute::Repair{"east", {}}},
      {*IpPrefix::parse("fc00:4::/64"), "west", {}}};
  program.adjacencies = {{ip("fc00:1::1:1"), "east"}, {ip("fc00:1::1:2"), "west"}};
  const ProgrammedPath east{.id = 1, .fraction = 0.5, .port = "east", .segments = {ip("fc00:2::46")}, .links = {}};
  const ProgrammedPath west{
      .id = 2, .fraction = 0.5, .port = "west", .segments = {ip("fc00:3::1"), ip("fc00:2::46")}, .links = {}};
  ProgrammedPath backup = west;
  backup.fraction = 1.0;
  const ProgrammedPath fast{.id = 3,
                            .fraction = 1.0,
                            .port = "east",
                            .segments = {ip("fc00:4::1"), ip("fc00:3::1"), ip("fc00:2::46")},
                            .links = {}};
  program.demands = {{TrafficClass{0}, "b", {east, west}, {{"east", {backup}}}}, {TrafficClass{1}, "b", {fast}, {}}};
  return program;
}

SmallNode::SmallNode() {
  facts.name = std::string{"a"};
  facts.locator = *IpPrefix::parse("fc00:1::/64");
  facts.ports = {
      {.name = "hosts",
       .mac = {2, 0, 0, 0, 0, 0x10},
       .addresses = {{ip("10.1.0.1"), 16}, {ip("2001:db8:1::1"), 64}},
       .neighbor = {}},
      {.name = "east",
       .mac = {2, 0, 0, 0, 0, 0x11},
       .mtu = 1600,
       .addresses = {{ip("fd00:1::1"), 64}},
       .neighbor = ip("fd00:1::2")},
      {.name = "west",
       .mac = {2, 0, 0, 0, 0, 0x12},
       .mtu = 1600,
       .addresses = {{ip("fd00:2::1"), 64}},
       .neighbor = ip("fd00:2::2")},
      {.name = "more", .mac = {2, 0, 0, 0, 0, 0x13}, .mtu = 1280, .addresses = {{ip("10.9.0.1"), 24}}, .neighbor = {}}};
  for (std::size_t port = 0; port < facts.ports.size(); ++port) states->set(port, true);
  const std::vector<NeighborTable::Entry> known{{1, ip("fd00:1::2"), {2, 7, 7, 7, 7, 1}},
                                                {2, ip("fd00:2::2"), {2, 7, 7, 7, 7, 2}},
                                                {0, ip("10.1.0.9"), {2, 8, 8, 8, 8, 9}},
                                                {0, ip("2001:db8:1::9"), {2, 8, 8, 8, 8, 9}},
                                                {3, ip("10.9.0.9"), {2, 8, 8, 8, 8, 3}}};
  neighbors = NeighborTable{known, facts.ports};
  install(program());
}

Verdict SmallNode::receive_frame(std::size_t port, const Bytes& frame) {
  ExactFrame held{frame, WiredNetwork::kHeadroom};
  const Verdict verdict = forward(held, port);
  left = held.bytes();
  return verdict;
}

Verdict SmallNode::receive(std::size_t port, const Bytes& ip_packet) {
  const auto& mac = facts.ports[port].mac;
  return receive_frame(port, Bytes{mac.begin(), mac.end()} + Bytes{2, 9, 9, 9, 9, 9} +
                                 be16(ip_packet.at(0) >> 4 == 4 ? 0x0800 : 0x86dd) + ip_packet);
}

Verdict SmallNode::originate(const Bytes& ip_packet) {
  ExactFrame held{ip_packet, WiredNetwork::kHeadroom};
  const Verdict verdict = Forwarder{facts, *states}.originate(held.buffer(), *table, neighbors);
  left = held.bytes();
  return verdict;
}

}  // namespace wan::dataplane::test
