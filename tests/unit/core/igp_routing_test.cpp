#include "core/igp_routing.h"

#include <catch2/catch.hpp>
#include <map>

#include "core/link_load.h"
#include "core/shortest_paths.h"
#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::test;

namespace {

using Paths = std::map<std::vector<LinkId>, double>;

Paths paths_of(const PathPlan& plan, const Demand& of) {
  Paths paths;
  const auto at = plan.find(of);
  if (!at) return paths;
  for (std::size_t p = 0; p < plan.path_count(*at); ++p) {
    const auto [fraction, links] = plan.path(*at, p);
    paths[{links.begin(), links.end()}] = fraction;
  }
  return paths;
}

}  // namespace

TEST_CASE("equal-cost paths share a demand evenly at every hop", "[igp_routing]") {
  // A to E: two ways leave A; the one over B forks again, so its halves are quarters: not a third each.
  const Topology topology = network(5, {{0, 1}, {0, 2, 2.0}, {1, 3}, {1, 3}, {3, 4}, {2, 4}});
  const auto plan = igp_plan(topology, weight_costs(topology));
  REQUIRE(plan);
  CHECK(plan->check(topology).has_value());
  CHECK(paths_of(*plan, demand(0, 4)) ==
        Paths{{link_ids({0, 2, 4}), 0.25}, {link_ids({0, 3, 4}), 0.25}, {link_ids({1, 5}), 0.5}});
}

TEST_CASE("parallel links count separately", "[igp_routing]") {
  const Topology topology = network(2, {{0, 1}, {0, 1}, {0, 1}, {0, 1, 2.0}});
  const auto plan = igp_plan(topology, weight_costs(topology));
  REQUIRE(plan);
  const Paths paths = paths_of(*plan, demand(0, 1));
  REQUIRE(paths.size() == 3);
  for (const auto& [links, fraction] : paths) CHECK(fraction == Approx(1.0 / 3.0));
}

TEST_CASE("pairs that are not connected over links that are up are left out", "[igp_routing]") {
  const Topology topology = diamond().with_links_down(link_ids({0}));
  const auto plan = igp_plan(topology, hop_costs(topology));
  REQUIRE(plan);
  CHECK(plan->check(topology).has_value());
  CHECK(plan->find(demand(0, 1)) == std::nullopt);
  CHECK(plan->find(demand(3, 0)) == std::nullopt);
  CHECK(paths_of(*plan, demand(0, 3)) == Paths{{link_ids({2, 3}), 1.0}});
  CHECK(plan->demand_count() == 4);
}

TEST_CASE("weights decide, and every class gets the same paths", "[igp_routing]") {
  const Topology topology = network(3, {{0, 1}, {1, 2}, {0, 2, 3.0}});
  const auto by_weight = igp_plan(topology, weight_costs(topology), 2);
  REQUIRE(by_weight);
  CHECK(paths_of(*by_weight, demand(0, 2)) == Paths{{link_ids({0, 1}), 1.0}});
  CHECK(paths_of(*by_weight, demand(0, 2, 1)) == paths_of(*by_weight, demand(0, 2)));
  const auto by_hops = igp_plan(topology, hop_costs(topology));
  REQUIRE(by_hops);
  CHECK(paths_of(*by_hops, demand(0, 2)) == Paths{{link_ids({2}), 1.0}});
}

TEST_CASE("a pair with too many equal-cost paths is refused by name", "[igp_routing]") {
  std::vector<Edge> edges;  // 14 pairs of parallel links in a row: 16,384 paths from A to O
  for (std::size_t hop = 0; hop < 14; ++hop) {
    edges.push_back({hop, hop + 1});
    edges.push_back({hop, hop + 1});
  }
  const Topology topology = network(15, edges);
  const auto plan = igp_plan(topology, hop_costs(topology));
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == ErrorCode::kUnsupported);
  CHECK_THAT(plan.error().message, Catch::Contains("A > O"));
}

TEST_CASE("loads add up over the paths of all demands and classes", "[link_load]") {
  const Topology topology = diamond();
  const auto plan = igp_plan(topology, hop_costs(topology), 2);
  REQUIRE(plan);
  TrafficMatrix traffic{4, 2};
  traffic.set(TrafficClass{0}, NodeId{0}, NodeId{3}, BitRate::gbps(4));
  traffic.set(TrafficClass{1}, NodeId{0}, NodeId{3}, BitRate::gbps(2));
  traffic.set(TrafficClass{0}, NodeId{1}, NodeId{3}, BitRate::gbps(5));
  traffic.set(TrafficClass{0}, NodeId{3}, NodeId{0}, BitRate::gbps(9));  // no way: loads nothing
  CHECK(link_loads_bps(topology, *plan, traffic) == std::vector<double>{3e9, 8e9, 3e9, 3e9});
  CHECK(max_utilization(topology, *plan, traffic) == Approx(0.8));
}

TEST_CASE("a plan for more classes than the traffic has loads what there is", "[link_load]") {
  const Topology topology = diamond();
  const auto plan = igp_plan(topology, hop_costs(topology), 3);
  REQUIRE(plan);
  TrafficMatrix traffic{4};
  traffic.set(NodeId{0}, NodeId{1}, BitRate::gbps(1));
  CHECK(link_loads_bps(topology, *plan, traffic) == std::vector<double>{1e9, 0.0, 0.0, 0.0});
}

TEST_CASE("links that are down do not count towards utilisation", "[link_load]") {
  const Topology topology = diamond().with_links_down(link_ids({1}));
  const std::vector<double> loads{1e9, 9e9, 2e9, 0.0};
  CHECK(max_utilization(topology, loads) == Approx(0.2));
  CHECK(max_utilization(network(1, {}), std::vector<double>{}) == 0.0);
}
