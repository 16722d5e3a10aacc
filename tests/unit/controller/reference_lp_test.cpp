#include "controller/reference_lp.h"

#include <catch2/catch.hpp>

#include "controller/dual_bound.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {

TEST_CASE("the edge program and the program over all simple paths agree", "[lp]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "two programs"};
    const std::size_t n = 2 + rng.below(5);
    const Topology topology =
        test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(4), .connected = rng.uniform() < 0.6});
    const TrafficMatrix demand = test::drawn_demand(rng, n, 0.2 + 0.7 * rng.uniform(), 1e8);
    ReferenceLp lp{topology};
    const auto best = lp.best_utilization(demand);
    REQUIRE(best);
    CHECK(*best == Approx(test::PathLp{topology}.best_utilization(demand)).epsilon(1e-6));
  }
}

TEST_CASE("the LP's plan reaches its optimum and its duals prove it", "[lp]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "lp plan"};
    const Topology topology = test::drawn_network(rng, {.connected = rng.uniform() < 0.6});
    const TrafficMatrix demand = test::drawn_demand(rng, 6, 0.5, 1e8);
    ReferenceLp lp{topology};
    const auto best = lp.best_utilization(demand);
    const auto routes = lp.plan(demand);
    REQUIRE(best);
    REQUIRE(routes);
    REQUIRE(routes->plan.check(topology));
    CHECK(test::covers_connected_pairs(topology, routes->plan));
    CHECK(routes->unrouted == unconnected_demands(topology, demand));
    CHECK(routes->certificate.utilization == max_utilization(topology, routes->plan, demand));
    CHECK(routes->certificate.utilization == Approx(*best).epsilon(1e-4));
    CHECK(routes->certificate.lower_bound == Approx(*best).epsilon(1e-6));
    CHECK(routes->certificate.lower_bound == dual_bound(topology, demand, routes->certificate.duals));
  }
}

TEST_CASE("a warm start on other demands gives the same optimum as a cold one", "[lp]") {
  Rng rng{11, "warm"};
  const Topology topology = test::drawn_network(rng, {});
  ReferenceLp warm{topology};
  for (int row = 0; row < 30; ++row) {
    CAPTURE(row);
    const TrafficMatrix demand = test::drawn_demand(rng, 6, rng.uniform(), 1e6 * (1.0 + 1e3 * rng.uniform()));
    ReferenceLp cold{topology};
    const auto from_warm = warm.best_utilization(demand);
    const auto from_cold = cold.best_utilization(demand);
    REQUIRE(from_warm);
    REQUIRE(from_cold);
    CHECK(*from_warm == Approx(*from_cold).epsilon(1e-6));
  }
}

TEST_CASE("the LP of no demand is 0, and of another network refused", "[lp]") {
  const Topology topology = test::lines_network(2, {{.from = 0, .to = 1}});
  ReferenceLp lp{topology};
  CHECK(lp.best_utilization(TrafficMatrix{2}).value() == 0.0);
  CHECK(lp.plan(TrafficMatrix{2}).value().plan.demand_count() == 1);
  CHECK(lp.best_utilization(TrafficMatrix{3}).error().code == ErrorCode::kShapeMismatch);
}

TEST_CASE("the LP leaves out demands whose ends a failure cut off", "[lp]") {
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1}, {.from = 1, .to = 2}});
  const std::vector<LinkId> down{LinkId{1}};
  ReferenceLp lp{topology.with_links_down(down)};
  TrafficMatrix demand{3};
  demand.set(NodeId{0}, NodeId{1}, BitRate::mbps(400));
  demand.set(NodeId{0}, NodeId{2}, BitRate::gbps(400));
  const auto routes = lp.plan(demand);
  REQUIRE(routes);
  CHECK(routes->certificate.utilization == Approx(0.4));
  CHECK(routes->unrouted == std::vector<Demand>{{TrafficClass{0}, NodeId{0}, NodeId{2}}});
}

}  // namespace wan::controller
