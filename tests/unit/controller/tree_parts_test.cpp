#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/batch_tree_search.h"
#include "controller/tree_search.h"
#include "core/shortest_paths.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {

TEST_CASE("the kept search finds the same distances as Dijkstra from the vocabulary", "[trees]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "search"};
    const std::size_t n = 2 + rng.below(40);
    const Topology whole =
        test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n), .connected = rng.uniform() < 0.5});
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < whole.link_count(); ++l) {
      if (rng.uniform() < 0.1) down.push_back(LinkId{l});
    }
    const Topology topology = whole.with_links_down(down);
    const TreeSearchGraph graph{topology};
    TreeSearch search{graph};
    std::vector<double> cost(topology.link_count());
    for (double& c : cost) c = rng.uniform() < 0.3 ? 0.0 : rng.exponential();  // free links make ties
    for (std::size_t s = 0; s < n; ++s) {
      search.run(s, cost);
      const ShortestPathTree expected = shortest_path_tree(topology, NodeId{s}, cost);
      CHECK(search.cost() == expected.cost);
    }
  }
}

TEST_CASE("accumulated demand is what passes each link of the tree", "[trees]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "accumulate"};
    const Topology topology = test::drawn_network(rng, {.nodes = 12, .two_way_links = 18});
    const TreeSearchGraph graph{topology};
    TreeSearch search{graph};
    std::vector<double> cost(topology.link_count());
    for (double& c : cost) c = rng.uniform() < 0.3 ? 0.0 : rng.exponential();
    search.run(3, cost);
    std::vector<double> demand(12);
    for (double& d : demand) d = rng.exponential();
    demand[3] = 0.0;
    std::vector<double> expected(12, 0.0);
    for (std::size_t t = 0; t < 12; ++t) {
      for (std::size_t at = t; at != 3; at = graph.link_from[search.parent_link()[at]]) expected[at] += demand[t];
    }
    std::vector<double> by_node = demand;
    search.accumulate(by_node);
    for (std::size_t t = 0; t < 12; ++t) CHECK(by_node[t] == Approx(expected[t]));
  }
}

TEST_CASE("eight sources at once reach what each of them reaches alone, whatever order they begin with", "[trees]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "batch"};
    const std::size_t n = 2 + rng.below(60);
    const Topology topology =
        test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n), .connected = rng.uniform() < 0.5});
    const TreeSearchGraph graph{topology};
    std::vector<double> cost(topology.link_count());
    for (double& c : cost) c = std::pow(10.0, -12.0 * rng.uniform()) * (1.0 + static_cast<double>(rng.below(3)));
    floor_costs(cost, n);
    std::vector<std::uint32_t> sources;
    for (std::uint32_t s = 0; s < n; ++s) {
      if (rng.uniform() < 0.7) sources.push_back(s);
    }
    BatchTreeSearch batch{graph};
    TreeSearch alone{graph};
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
    std::vector<bool> met(n, false);
    for (const auto& block : source_blocks(graph, sources)) {
      REQUIRE(block.size() <= BatchTreeSearch::kLanes);
      batch.run(block, cost, order);
      batch.find_parents();
      std::vector<double> demand(n * BatchTreeSearch::kLanes, 0.0);
      for (double& d : demand) d = rng.exponential();
      std::vector<double> by_node = demand;
      batch.accumulate(by_node);
      for (std::size_t lane = 0; lane < block.size(); ++lane) {
        CHECK_FALSE(met[block[lane]]);
        met[block[lane]] = true;
        alone.run(block[lane], cost);
        std::vector<double> passes(n, 0.0);
        for (std::size_t t = 0; t < n; ++t) {
          CHECK(batch.cost()[t * BatchTreeSearch::kLanes + lane] == alone.cost()[t]);
          if (t == block[lane] || std::isinf(alone.cost()[t])) continue;
          std::size_t hops = 0;
          for (std::size_t at = t; at != block[lane]; ++hops) {
            REQUIRE(hops < n);  // parents lead home
            passes[at] += demand[t * BatchTreeSearch::kLanes + lane];
            const std::uint32_t up = batch.parent_link()[at * BatchTreeSearch::kLanes + lane];
            REQUIRE(up != ShortestPathTree::kNoLink);
            at = graph.link_from[up];
          }
        }
        for (std::size_t t = 0; t < n; ++t) {
          if (t == block[lane] || std::isinf(alone.cost()[t])) continue;
          CHECK(by_node[t * BatchTreeSearch::kLanes + lane] == Approx(passes[t]));
        }
      }
    }
    for (const std::uint32_t source : sources) CHECK(met[source]);
    std::sort(order.begin(), order.end());
    for (std::uint32_t node = 0; node < n; ++node) CHECK(order[node] == node);  // still every node once
  }
}

}  // namespace wan::controller
