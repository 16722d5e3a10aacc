#include "dataplane/program/node_config.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/io/text_source.h"

namespace wan::dataplane {
namespace {

/// The example of the format's page.
std::string documented() {
  const auto page = io::read_whole_file(std::string{WAN_DOCS}.append("/formats/node-config.md"), 1 << 20);
  REQUIRE(page);
  const std::size_t begin = page->find("```yaml\n") + 8;
  return page->substr(begin, page->find("```", begin) - begin);
}

const std::string kSmall =
    "node: ams\n"
    "locator: fc00:0:1::/64\n"
    "ports:\n"
    "  - name: core\n"
    "    device: eth1\n"
    "    addresses: [fd00::1/64]\n"
    "    neighbor: fd00::7\n"
    "  - name: hosts\n"
    "    device: eth0\n"
    "    addresses: [10.1.0.1/24]\n";

TEST_CASE("the documented node configuration reads as it says", "[node_config]") {
  const auto config = parse_node_config(documented(), "node.yaml");
  if (!config) FAIL(config.error().message);
  CHECK(config->facts.name == "ams");
  CHECK(config->facts.locator == *IpPrefix::parse("fc00:0:1::/64"));
  CHECK(config->facts.end_sid() == *IpAddress::parse("fc00:0:1::1"));
  CHECK(config->facts.decapsulation_sid() == *IpAddress::parse("fc00:0:1::46"));
  REQUIRE(config->facts.ports.size() == 2);
  CHECK(config->facts.ports[0].mtu == 1600);
  CHECK(config->facts.ports[0].is_core());
  CHECK(config->facts.ports[1].mtu == 1500);
  REQUIRE(config->facts.ports[1].addresses.size() == 2);
  CHECK(config->facts.ports[1].addresses[1].prefix_length == 64);
  CHECK(config->hello_ports == std::vector<bool>{false, false});
  REQUIRE(config->fixed_neighbors.size() == 1);
  CHECK(config->fixed_neighbors[0].mac == MacAddress{2, 0, 0, 0, 0, 7});
  CHECK(config->first_program.routes.size() == 1);
  REQUIRE(config->first_program.prefixes.size() == 1);
  CHECK(config->first_program.egresses.at(0).name == "core7");
  CHECK(config->ipfix->collector == "192.0.2.9:4739");
  CHECK(ForwardingTable::compile(config->first_program, config->facts, nullptr));
}

TEST_CASE("a small node configuration takes the defaults", "[node_config]") {
  const auto config = parse_node_config(kSmall, "node.yaml");
  if (!config) FAIL(config.error().message);
  CHECK_FALSE(config->daemon);
  CHECK_FALSE(config->ipfix);
  CHECK(config->report_interval == std::chrono::seconds{1});
  CHECK(config->hello_ports == std::vector<bool>{true, false});
  CHECK(config->facts.ports[0].mtu == 1500);
  CHECK(config->engine.workers == 1);
  CHECK(config->engine.devices.size() == 2);
}

struct Bad {
  std::string change;  ///< "TEXT -> OTHER", or lines to add at the end
  std::string said;    ///< after "node.yaml:"
};

TEST_CASE("what is wrong in a node configuration is told by line and key", "[node_config]") {
  const std::string routes = "routes:\n  - ", prefixes = "prefixes:\n  - ";
  const std::vector<Bad> bad{
      {"node: ams -> node: a b", "1: node: "},
      {"node: ams -> node: [a]", "1: node: "},
      {"node: ams -> nodes: ams", "1: "},
      {"node: ams\n -> ", "1: node: is missing"},
      {"fc00:0:1::/64 -> 10.0.0.0/8", "2: locator: "},
      {"fc00:0:1::/64 -> fc00:0:1::/65", "2: locator: "},
      {"fc00:0:1::/64 -> fc00:0:1::1/64", "2: locator: "},
      {"locator: fc00:0:1::/64\n -> ", "1: locator: is missing"},
      {"fc00:0:1::/64 -> here", "2: locator: "},
      {"- name: hosts -> - name: core", "8: ports[1].name: core stands twice"},
      {"- name: hosts\n    device -> - device", "8: ports[1].name: is missing"},
      {"    device: eth1\n -> ", "4: ports[0]: needs one of device"},
      {"device: eth1 -> device: eth1\n    pci: 0000:03:00.0", "4: ports[0]: needs one of device"},
      {"[fd00::1/64] -> [fd00::1/129]", "6: ports[0].addresses: "},
      {"[fd00::1/64] -> [fd00::1]", "6: ports[0].addresses: "},
      {"[fd00::1/64] -> [fd00::1/]", "6: ports[0].addresses: "},
      {"[fd00::1/64] -> [10.0.0.1/24]", "4: ports[0]: needs an IPv6 address"},
      {"[10.1.0.1/24] -> [10.1.0.1/33]", "10: ports[1].addresses: "},
      {"[10.1.0.1/24] -> [10.1.0.256/24]", "10: ports[1].addresses: "},
      {"[10.1.0.1/24] -> 10.1.0.1/24", "10: ports[1].addresses: "},
      {"neighbor: fd00::7 -> neighbor: 10.0.0.7", "4: ports[0].neighbor: must be an IPv6 address"},
      {"neighbor: fd00::7 -> neighbor: fd00::/64", "7: ports[0].neighbor: "},
      {"neighbor: fd00::7 -> neighbor: fd00::7\n    neighbor_mac: 02:00:00:00:00", "8: ports[0].neighbor_mac: "},
      {"neighbor: fd00::7 -> neighbor: fd00::7\n    neighbor_mac: 03:00:00:00:00:07",
       "8: ports[0].neighbor_mac: is the address of a group"},
      {"neighbor: fd00::7 -> neighbor_mac: 02:00:00:00:00:07", "4: ports[0]: has neighbor_mac without"},
      {"neighbor: fd00::7 -> hello: true", "4: ports[0]: sends hellos"},
      {"neighbor: fd00::7 -> hello: perhaps", "7: ports[0].hello: "},
      {"device: eth0 -> device: eth0\n    mtu: 1279", "10: ports[1].mtu: "},
      {"device: eth0 -> device: eth0\n    mtu: 9601", "10: ports[1].mtu: "},
      {"device: eth0 -> device: eth0\n    speed: 10", "10: ports[1]"},
      {"report_interval: 1500 ms", "11: report_interval: must be whole seconds"},
      {"report_interval: 2 h", "11: report_interval: "},
      {"report_interval: 3", "11: report_interval: "},
      {"workers: 0", "11: workers: "},
      {"workers: 17", "11: workers: "},
      {"memory: 1 MiB", "11: memory: "},
      {"huge_pages: 3", "11: huge_pages: "},
      {"nice: -21", "11: nice: "},
      {"hello: {interval: 1 ms}", "11: hello.interval: "},
      {"hello: {misses: 1}", "11: hello.misses: "},
      {"hello: {every: 1 s}", "11: hello"},
      {"flows: {memory: 1 KiB}", "11: flows.memory: "},
      {"flows: {idle_timeout: 25 h}", "11: flows.idle_timeout: "},
      {"ipfix: {observation_domain: 1}", "11: ipfix: needs one of"},
      {"ipfix: {file: f, collector: \"h:1\"}", "11: ipfix: needs one of"},
      {"ipfix: {file: f, observation_domain: 4294967296}", "11: ipfix.observation_domain: "},
      {"log: {level: loud}", "11: log.level: "},
      {"log: {format: xml}", "11: log.format: "},
      {routes + "{locator: fc00:0:7::/64, port: hosts}", "12: routes[0].port: must name a core port"},
      {routes + "{locator: fc00:0:7::/64, port: north}", "12: routes[0].port: "},
      {routes + "{locator: 10.0.0.0/8, port: core}", "12: routes[0].locator: "},
      {routes + "{port: core}", "12: routes[0].locator: "},
      {prefixes + "{prefix: 10.7.0.1/16, node: b, sid: \"fc00::46\"}", "12: prefixes[0].prefix: "},
      {prefixes + "{node: b, sid: \"fc00::46\"}", "12: prefixes[0]: needs prefix"},
      {prefixes + "{prefix: 10.7.0.0/16, sid: \"fc00::46\"}", "12: prefixes[0]: needs prefix"},
      {prefixes + "{prefix: 10.7.0.0/16, node: b, sid: 10.0.0.1}", "12: prefixes[0]: needs prefix"},
      {prefixes +
           "{prefix: 10.7.0.0/16, node: b, sid: \"fc00::46\"}\n  - {prefix: 10.8.0.0/16, node: b, sid: \"fc00::47\"}",
       "13: prefixes[1].sid: b has another sid"},
      {"ports: []", "11: "},
      {"- 1", "11"},
  };
  CHECK(bad.size() > 50);
  for (const Bad& one : bad) {
    std::string text = kSmall;
    const std::size_t arrow = one.change.find(" -> ");
    if (arrow == std::string::npos) {
      text.append(one.change).append("\n");
    } else {
      const std::string was = one.change.substr(0, arrow);
      REQUIRE(text.find(was) != std::string::npos);
      text.replace(text.find(was), was.size(), one.change.substr(arrow + 4));
    }
    INFO(one.change);
    const auto config = parse_node_config(text, "node.yaml");
    CHECK_FALSE(config);
    if (config) continue;
    INFO(config.error().message);
    CHECK(config.error().code == ErrorCode::kBadInput);
    CHECK(config.error().message.starts_with(std::string{"node.yaml:"}.append(one.said)));
    CHECK(config.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a node configuration that is no map, empty, or has no ports is refused", "[node_config]") {
  for (const char* text : {"", "\n", "# nothing\n", "[1, 2]", "node", "node: a\nlocator: fc00::/64\nports: []\n",
                           "node: a\nlocator: fc00::/64\n", "{", "\x01", "node: \"\"\n"}) {
    INFO(text);
    const auto config = parse_node_config(text, "node.yaml");
    REQUIRE_FALSE(config);
    CHECK(config.error().message.starts_with("node.yaml:"));
  }
  const auto absent = read_node_config("/nonexistent/node.yaml");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
}

}  // namespace
}  // namespace wan::dataplane
