#include "core/io/network_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <iterator>

#include "core/random.h"
#include "tests/unit/core/scratch_folder.h"

namespace wan::io {
namespace {

const std::string kSample = R"(nodes:
  - name: ams
    locator: fc00:0:1::/64
    prefixes: [10.1.0.0/16, 2001:db8:1::/48]
  - name: core7
    locator: fc00:0:7::/64
    managed: false
  - {name: fra, locator: "fc00:0:2::/64", prefixes: [0.0.0.0/0, "::/0"]}
links:
  - ends: [ams, core7]
    ports: [to-core7, eth3]
    capacity: 20 Mbit/s
    delay: 2 ms
    metric: 10
    srlgs: [duct-west, river]
    name: west-1
  - {ends: [ams, core7], ports: [to-core7b, GigabitEthernet0/0/1], capacity: 1 Gbit/s, name: west-2, srlgs: [river]}
  - {ends: [core7, fra], ports: [eth4, p0], capacity: 10 Mbit/s}
)";

std::string message_of(const std::string& text) {
  const auto network = parse_network(text, "net.yaml");
  if (network) return "accepted";
  CHECK(network.error().code == ErrorCode::kBadInput);
  CHECK(network.error().message.find('\n') == std::string::npos);
  return network.error().message;
}

/// The sample with one piece of text replaced.
std::string with(const std::string& old_text, const std::string& new_text) {
  std::string text = kSample;
  const std::size_t at = text.find(old_text);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old_text.size(), new_text);
}

std::vector<std::string> names_of(const NetworkDescription& network, std::string_view target) {
  std::vector<std::string> names;
  for (const LinkId link : network.links_named(target)) names.push_back(network.topology.link(link).name);
  return names;
}

TEST_CASE("a network file is read as written", "[network]") {
  const auto network = parse_network(kSample, "net.yaml");
  REQUIRE(network);
  const Topology& topology = network->topology;
  REQUIRE(topology.node_count() == 3);
  REQUIRE(topology.link_count() == 6);
  CHECK(network->nodes[0] ==
        NodeSettings{.locator = *IpPrefix::parse("fc00:0:1::/64"),
                     .prefixes = {*IpPrefix::parse("10.1.0.0/16"), *IpPrefix::parse("2001:db8:1::/48")},
                     .managed = true});
  CHECK_FALSE(network->nodes[1].managed);
  CHECK(network->nodes[1].prefixes.empty());
  CHECK(network->nodes[2].prefixes.size() == 2);

  const Link& first = topology.link(LinkId{0});
  CHECK(first.name == "west-1/ams-core7");
  CHECK(topology.node(first.from).name == "ams");
  CHECK(topology.node(first.to).name == "core7");
  CHECK(first.capacity == BitRate::mbps(20));
  CHECK(first.delay == std::chrono::milliseconds{2});
  CHECK(first.weight == 10.0);
  CHECK(first.srlgs == std::vector{SrlgId{0}, SrlgId{1}});
  CHECK(topology.link(LinkId{1}).name == "west-1/core7-ams");
  CHECK(topology.link(LinkId{1}).capacity == BitRate::mbps(20));
  CHECK(topology.link(LinkId{2}).srlgs == std::vector{SrlgId{1}});
  CHECK(topology.link(LinkId{4}).name == "core7-fra");
  CHECK(topology.link(LinkId{4}).weight == 1.0);
  CHECK(topology.link(LinkId{4}).delay == Duration{0});
  CHECK(network->ports ==
        std::vector<std::string>{"to-core7", "eth3", "to-core7b", "GigabitEthernet0/0/1", "eth4", "p0"});
  CHECK(network->srlg_names == std::vector<std::string>{"duct-west", "river"});
  CHECK(network->duplex_names == std::vector<std::string>{"west-1", "west-1", "west-2", "west-2", "", ""});
  for (std::size_t l = 0; l < 6; ++l) {
    const LinkId back = network->reverse[l];
    CHECK(network->reverse[back.index()] == LinkId{l});
    CHECK(topology.link(back).from == topology.link(LinkId{l}).to);
    CHECK(topology.link(back).to == topology.link(LinkId{l}).from);
  }
}

TEST_CASE("an operator's word stands for one direction, both, or the links of a node or an SRLG", "[network]") {
  const auto network = parse_network(kSample, "net.yaml");
  REQUIRE(network);
  using Names = std::vector<std::string>;
  CHECK(names_of(*network, "core7-fra") == Names{"core7-fra"});
  CHECK(names_of(*network, "west-2/core7-ams") == Names{"west-2/core7-ams"});
  CHECK(names_of(*network, "west-2") == Names{"west-2/ams-core7", "west-2/core7-ams"});
  CHECK(names_of(*network, "duct-west") == Names{"west-1/ams-core7", "west-1/core7-ams"});
  CHECK(names_of(*network, "river").size() == 4);
  CHECK(names_of(*network, "fra") == Names{"core7-fra", "fra-core7"});
  CHECK(names_of(*network, "core7").size() == 6);
  CHECK(names_of(*network, "").empty());
  CHECK(names_of(*network, "west").empty());
}

TEST_CASE("what is wrong with a network is told with file, line, key and a way out", "[network]") {
  const auto refused = [](const std::string& old_text, const std::string& new_text) {
    return message_of(with(old_text, new_text));
  };
  CHECK(refused("name: ams\n", "name: a b\n") ==
        "net.yaml:2: nodes[0].name: \"a b\": a name holds letters, digits, \".\", \"_\" and \"-\" only");
  CHECK(refused("name: fra,", "name: ams,") == "net.yaml:8: nodes[2].name: \"ams\" names a node already, on line 2");
  CHECK(refused("name: ams\n", std::string(65, 'x').insert(0, "name: ").append("\n")) ==
        "net.yaml:2: nodes[0].name: must be at most 64 bytes long");
  CHECK(
      refused("fc00:0:1::/64", "fc00:0:1::1/64") ==
      "net.yaml:3: nodes[0].locator: \"fc00:0:1::1/64\": must be an address prefix with no bit set beyond its length, "
      "such as fc00:0:1::/64");
  CHECK(refused("fc00:0:1::/64", "fc00:0:1::/65") ==
        "net.yaml:3: nodes[0].locator: fc00:0:1::/65: must be an IPv6 prefix of 1 to 64 bits; segments take the bits "
        "after it");
  CHECK(
      refused("fc00:0:1::/64", "10.0.0.0/8").starts_with("net.yaml:3: nodes[0].locator: 10.0.0.0/8: must be an IPv6"));
  CHECK(refused("fc00:0:2::/64", "fc00::/32") ==
        "net.yaml:8: nodes[2].locator: fc00::/32 overlaps the locator of ams on line 3");
  CHECK(refused("10.1.0.0/16", "10.1.0.1/16").starts_with("net.yaml:4: nodes[0].prefixes[0]: "));
  CHECK(refused("10.1.0.0/16", "0.0.0.0/0") ==
        "net.yaml:8: nodes[2].prefixes[0]: 0.0.0.0/0 lies behind ams already, on line 4");
  CHECK(refused("2001:db8:1::/48", "fc00:0:7:0:1::/80") ==
        "net.yaml:4: nodes[0].prefixes[1]: fc00:0:7:0:1::/80 lies in the locator of core7");
  CHECK(refused("managed: false", "managed: maybe") ==
        "net.yaml:7: nodes[1].managed: \"maybe\": must be true or false");
  CHECK(refused("managed: false", "manged: false") ==
        "net.yaml:7: nodes[1]: unknown key \"manged\"; allowed are name, locator, prefixes, managed");
  CHECK(refused("ends: [ams, core7]\n", "ends: [ams, core8]\n") ==
        "net.yaml:10: links[0].ends[1]: no node \"core8\"; there are core7, fra, ams");
  CHECK(refused("ends: [ams, core7]\n", "ends: [ams]\n") ==
        "net.yaml:10: links[0].ends: must be a list of two nodes, as in [ams, fra]");
  CHECK(refused("ends: [ams, core7]\n", "ends: [ams, ams]\n") ==
        "net.yaml:10: links[0].ends: a link leads from a node to another one");
  CHECK(refused("ports: [to-core7, eth3]", "ports: [to core7, eth3]") ==
        "net.yaml:11: links[0].ports[0]: \"to core7\": a port's name holds printable ASCII without spaces only");
  CHECK(refused("to-core7b", "to-core7") ==
        "net.yaml:17: links[1].ports: port \"to-core7\" of ams has a link already, on line 10");
  CHECK(refused("20 Mbit/s", "20") ==
        "net.yaml:12: links[0].capacity: \"20\": must be a rate above zero such as 20 Mbit/s");
  CHECK(refused("2 ms", "2 h") ==
        "net.yaml:13: links[0].delay: \"2 h\": must be a time from 0 ns to 1 h, such as 250 ms");
  CHECK(refused("metric: 10", "metric: 0") ==
        "net.yaml:14: links[0].metric: \"0\": must be a whole number from 1 to 16777215");
  CHECK(refused("duct-west", "fra") == "net.yaml:15: links[0].srlgs[0]: \"fra\" names a node already, on line 8");
  CHECK(refused("name: west-2", "name: west-1") ==
        "net.yaml:17: links[1].name: \"west-1\" names a link already, on line 16");
  CHECK(refused(", name: west-2", "") == "accepted");
  CHECK(refused("    name: west-1\n", "").find("links[1]") == std::string::npos);
  CHECK(message_of(kSample + "  - {ends: [fra, core7], ports: [p1, eth5], capacity: 1 Mbit/s}\n") ==
        "net.yaml:19: links[3]: \"fra-core7\" names a link already, on line 18; give this link a name of its own with "
        "the "
        "key name");
  CHECK(message_of("nodes: []\nlinks: []\n") == "net.yaml:1: nodes: must hold at least one node");
  CHECK(message_of("links: []\n") == "net.yaml:1: nodes: is missing; a list of {name: ..., locator: ...}");
  CHECK(message_of("nodes: [{name: a}]\nlinks: []\n") ==
        "net.yaml:1: nodes[0].locator: is missing; the node's SRv6 prefix, such as fc00:0:1::/64");
  CHECK(message_of("nodes: 7\nlinks: []\n") == "net.yaml:1: nodes: \"7\": must be a list");
  CHECK(message_of("[]") == "net.yaml:1: must be a map of nodes, links");
  CHECK(message_of("nodes: [{name: a, locator: 'fc00::/16'}]\nlinks: []\n") == "accepted");
}

TEST_CASE("a network is read from its file, and one that is not there is not found", "[network]") {
  test::ScratchFolder folder;
  std::ofstream{folder / "net.yaml"} << kSample;
  const auto network = read_network(folder / "net.yaml");
  REQUIRE(network);
  CHECK(network->topology.link_count() == 6);
  const auto absent = read_network(folder / "absent.yaml");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
}

TEST_CASE("the network of docs/formats/network.md is one that is read", "[network]") {
  std::ifstream file{std::string{WAN_DOCS} + "/formats/network.md"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  const std::size_t begin = page.find("```yaml\n") + 8;
  const auto network = parse_network(page.substr(begin, page.find("```", begin) - begin), "network.md");
  INFO((network ? "" : network.error().message));
  REQUIRE(network);
  CHECK(network->topology.link_count() == 2);
}

TEST_CASE("a network of ten thousand nodes is larger than other YAML files may be, and read", "[network]") {
  std::string text = "nodes:\n";
  constexpr std::size_t kNodes = 10'000;
  for (std::size_t n = 0; n < kNodes; ++n) {
    const IpAddress locator = IpAddress::v6({0xfc, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
    text.append("- name: router").append(std::to_string(n)).append("\n  locator: ");
    text.append(IpPrefix{locator, 64}.to_string()).append("\n  prefixes: [10.").append(std::to_string(n >> 8));
    text.append(".").append(std::to_string(n & 0xff)).append(".0/24]\n");
  }
  text.append("links:\n");
  for (std::size_t n = 0; n < kNodes; ++n) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
      const std::string other = std::to_string((n + step) % kNodes);
      text.append("- ends: [router").append(std::to_string(n)).append(", router").append(other).append("]\n");
      text.append("  ports: [out").append(std::to_string(step)).append(", in").append(std::to_string(step));
      text.append("]\n  capacity: 10 Gbit/s\n");
    }
  }
  REQUIRE(text.size() > std::size_t{1} << 20);
  const auto network = parse_network(text, "big.yaml");
  REQUIRE(network);
  CHECK(network->topology.link_count() == 4 * kNodes);
}

TEST_CASE("mutated networks give a sound network or one line that names the file", "[network][mutation]") {
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    Rng rng{seed, "network mutation"};
    std::string text = kSample;
    for (std::uint64_t wounds = 1 + rng.below(3); wounds > 0; --wounds) {
      const std::size_t begin = rng.below(text.size());
      const std::size_t length = std::min<std::size_t>(1 + rng.below(40), text.size() - begin);
      constexpr std::string_view kMarks = "{}[]:,-?&*!|>'\"%@#\n\t \\0129/";
      if (const auto kind = rng.below(4); kind == 0) {
        text[begin] ^= static_cast<char>(1 << rng.below(8));
      } else if (kind == 1) {
        text[begin] = kMarks[rng.below(kMarks.size())];
      } else if (kind == 2) {
        text.erase(begin, length);
      } else {
        text.insert(rng.below(text.size()), text.substr(begin, length));
      }
      if (text.empty()) text.push_back(' ');
    }
    INFO("seed " << seed << ", text:\n" << text);
    const auto network = parse_network(text, "file");
    if (!network) {
      REQUIRE(network.error().message.starts_with("file:"));
      REQUIRE(network.error().message.find('\n') == std::string::npos);
      continue;
    }
    ++accepted;
    const std::size_t links = network->topology.link_count();
    REQUIRE(network->nodes.size() == network->topology.node_count());
    REQUIRE(network->ports.size() == links);
    REQUIRE(network->reverse.size() == links);
    REQUIRE(network->duplex_names.size() == links);
  }
  CHECK(accepted > 100);
  CHECK(accepted < 5000);
}

}  // namespace
}  // namespace wan::io
