#include "core/topology.h"

#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::test;

namespace {

std::vector<Node> two_nodes() { return {{.name = "A", .location = {}}, {.name = "B", .location = {}}}; }

Link a_to_b() {
  Link link;
  link.name = "A>B";
  link.from = NodeId{0};
  link.to = NodeId{1};
  link.capacity = BitRate::gbps(1);
  return link;
}

std::vector<std::size_t> indices(std::span<const LinkId> ids) {
  std::vector<std::size_t> out;
  for (const LinkId id : ids) out.push_back(id.index());
  return out;
}

using Indices = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a topology refuses what it cannot hold, naming it", "[topology]") {
  struct Case {
    std::string_view mentions;
    std::function<void(std::vector<Node>&, std::vector<Link>&)> spoil;
  };
  const std::vector<Case> cases{
      {"at least one node", [](auto& nodes, auto&) { nodes.clear(); }},
      {"\"A\" is used twice", [](auto& nodes, auto&) { nodes[1].name = nodes[0].name; }},
      {"\"A>B\" appears twice", [](auto&, auto& links) { links.push_back(links[0]); }},
      {"does not exist", [](auto&, auto& links) { links[0].to = NodeId{2}; }},
      {"does not exist", [](auto&, auto& links) { links[0].from = NodeId{4'000'000'000U}; }},
      {"to itself", [](auto&, auto& links) { links[0].to = links[0].from; }},
      {"capacity", [](auto&, auto& links) { links[0].capacity = BitRate{}; }},
      {"capacity", [](auto&, auto& links) { links[0].capacity = BitRate::bps(-1); }},
      {"capacity",
       [](auto&, auto& links) { links[0].capacity = BitRate::bps(std::numeric_limits<double>::infinity()); }},
      {"weight", [](auto&, auto& links) { links[0].weight = 0.0; }},
      {"weight", [](auto&, auto& links) { links[0].weight = std::numeric_limits<double>::quiet_NaN(); }},
      {"negative delay", [](auto&, auto& links) { links[0].delay = Duration{-1}; }},
  };
  for (const Case& wrong : cases) {
    auto nodes = two_nodes();
    std::vector<Link> links{a_to_b()};
    wrong.spoil(nodes, links);
    const auto made = Topology::make(nodes, links);
    INFO(wrong.mentions);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == ErrorCode::kBadInput);
    CHECK_THAT(made.error().message, Catch::Contains(std::string{wrong.mentions}));
  }
  CHECK(Topology::make(two_nodes(), {a_to_b()}).has_value());
}

TEST_CASE("adjacency lists links in the order of their ids, parallel ones too", "[topology]") {
  const Topology topology = network(3, {{0, 1}, {1, 2}, {0, 1}, {2, 0}, {0, 2}});
  CHECK(indices(topology.out_links(NodeId{0})) == Indices{0, 2, 4});
  CHECK(indices(topology.in_links(NodeId{1})) == Indices{0, 2});
  CHECK(indices(topology.in_links(NodeId{2})) == Indices{1, 4});
  CHECK(indices(topology.out_links(NodeId{2})) == Indices{3});
  CHECK(topology.links_between(NodeId{0}, NodeId{1}) == link_ids({0, 2}));
  CHECK(topology.links_between(NodeId{2}, NodeId{1}).empty());
}

TEST_CASE("links that are down leave adjacency and come back with the next set", "[topology]") {
  const Topology whole = network(3, {{0, 1}, {1, 2}, {0, 1}});
  const Topology broken = whole.with_links_down(link_ids({0}));
  CHECK(indices(broken.out_links(NodeId{0})) == Indices{2});
  CHECK(indices(broken.in_links(NodeId{1})) == Indices{2});
  CHECK_FALSE(broken.link(LinkId{0}).up);
  CHECK(broken.links_between(NodeId{0}, NodeId{1}) == link_ids({0, 2}));  // up or down
  const Topology other = broken.with_links_down(link_ids({1}));
  CHECK(indices(other.out_links(NodeId{0})) == Indices{0, 2});
  CHECK(other.out_links(NodeId{1}).empty());
  CHECK(indices(whole.out_links(NodeId{0})) == Indices{0, 2});  // the original is as it was
}

TEST_CASE("nodes and links are found by name", "[topology]") {
  const Topology topology = diamond();
  CHECK(topology.find_node("C") == NodeId{2});
  CHECK(topology.find_node("c") == std::nullopt);
  CHECK(topology.find_link("3") == LinkId{3});
  CHECK(topology.find_link("4") == std::nullopt);
}

TEST_CASE("the digest follows the network and not its failures", "[topology]") {
  const std::vector<Edge> edges{{0, 1}, {1, 2}};
  const std::string digest = network(3, edges).digest();
  CHECK(digest == network(3, edges).digest());
  CHECK(digest == network(3, edges).with_links_down(link_ids({1})).digest());
  CHECK(digest != network(4, edges).digest());
  CHECK(digest != network(3, {{0, 1}, {2, 1}}).digest());
  CHECK(digest != network(3, {{0, 1}, {1, 2, 2.0}}).digest());
  CHECK(digest != network(3, {{0, 1}, {1, 2, 1.0, 11.0}}).digest());
}
