#include "core/shortest_paths.h"

#include <catch2/catch.hpp>

#include "core/random.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::test;

namespace {

/// Bellman-Ford: slow, and another algorithm.
std::vector<double> costs_by_relaxation(const Topology& topology, NodeId from, std::span<const double> link_cost) {
  std::vector<double> cost(topology.node_count(), std::numeric_limits<double>::infinity());
  cost[from.index()] = 0.0;
  for (std::size_t round = 0; round < topology.node_count(); ++round) {
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      const Link& link = topology.links()[l];
      if (link.up) cost[link.to.index()] = std::min(cost[link.to.index()], cost[link.from.index()] + link_cost[l]);
    }
  }
  return cost;
}

Topology random_network(Rng& rng, std::size_t nodes, std::size_t links) {
  std::vector<Edge> edges;
  while (edges.size() < links) {
    const std::size_t from = rng.below(nodes);
    const std::size_t to = rng.below(nodes);
    if (from != to) edges.push_back({from, to, static_cast<double>(1 + rng.below(9))});
  }
  return network(nodes, edges);
}

}  // namespace

TEST_CASE("shortest path trees agree with relaxation on random networks", "[shortest_paths]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Rng rng{seed, "shortest"};
    const Topology topology = random_network(rng, 2 + rng.below(9), 1 + rng.below(24)).with_links_down(link_ids({0}));
    const auto cost = weight_costs(topology);
    for (std::size_t from = 0; from < topology.node_count(); ++from) {
      const auto tree = shortest_path_tree(topology, NodeId{from}, cost);
      REQUIRE(tree.cost == costs_by_relaxation(topology, NodeId{from}, cost));
      for (std::size_t to = 0; to < topology.node_count(); ++to) {
        if (!tree.reaches(NodeId{to})) continue;
        double sum = 0.0;
        NodeId at{from};
        for (const LinkId id : tree.path_to(topology, NodeId{to})) {
          REQUIRE(topology.link(id).from == at);
          REQUIRE(topology.link(id).up);
          at = topology.link(id).to;
          sum += cost[id.index()];
        }
        REQUIRE(at == NodeId{to});
        REQUIRE(sum == tree.cost[to]);
      }
    }
  }
}

TEST_CASE("ties go to the link with the lower id", "[shortest_paths]") {
  const Topology topology = network(3, {{1, 2}, {0, 1}, {0, 1}, {0, 2, 2.0}});
  const auto tree = shortest_path_tree(topology, NodeId{0}, weight_costs(topology));
  CHECK(tree.parent_link[1] == 1);
  CHECK(tree.parent_link[2] == 0);
}

TEST_CASE("links without cost are walked, in either order of settling", "[shortest_paths]") {
  const Topology topology = network(3, {{0, 1}, {1, 0}, {1, 2}, {2, 1}});
  const std::vector<double> free(4, 0.0);
  const auto tree = shortest_path_tree(topology, NodeId{0}, free);
  CHECK(tree.path_to(topology, NodeId{2}) == link_ids({0, 2}));
  CHECK(tree.path_to(topology, NodeId{0}).empty());
}

TEST_CASE("costs of links are delay in seconds, weight, or one", "[shortest_paths]") {
  const Topology topology = network(2, {{0, 1, 4.0}});
  CHECK(delay_costs(topology) == std::vector<double>{0.004});
  CHECK(weight_costs(topology) == std::vector<double>{4.0});
  CHECK(hop_costs(topology) == std::vector<double>{1.0});
}
