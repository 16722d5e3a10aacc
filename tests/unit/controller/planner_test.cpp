#include "controller/planner.h"

#include <catch2/catch.hpp>
#include <vector>

#include "controller/dual_bound.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

using test::Line;
using test::lines_network;

/// A ring of links of 1 Gbit/s and 1 ms in both directions.
Topology ring(std::size_t nodes) {
  std::vector<Line> lines;
  for (std::size_t n = 0; n < nodes; ++n) {
    lines.push_back({.from = n, .to = (n + 1) % nodes});
    lines.push_back({.from = (n + 1) % nodes, .to = n});
  }
  return lines_network(nodes, lines);
}

TrafficMatrix one_demand(std::size_t nodes, std::size_t from, std::size_t to, double bps) {
  TrafficMatrix demand{nodes};
  demand.set(NodeId{from}, NodeId{to}, BitRate::bps(bps));
  return demand;
}

PlannedRoutes planned(const Topology& topology, const TrafficMatrix& demand, const PlannerOptions& options = {}) {
  auto routes = plan_paths(topology, demand, options);
  REQUIRE(routes);
  const auto checked = routes->plan.check(topology);
  INFO((checked ? "" : checked.error().message));
  REQUIRE(checked);
  CHECK(routes->certificate.utilization == max_utilization(topology, routes->plan, demand));
  return *std::move(routes);
}

}  // namespace

TEST_CASE("parallel links are filled in proportion to their capacities", "[planner]") {
  const Topology topology = lines_network(2, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                              {.from = 0, .to = 1, .capacity_bps = 3e9},
                                              {.from = 0, .to = 1, .capacity_bps = 6e9}});
  const TrafficMatrix demand = one_demand(2, 0, 1, 5e9);
  for (const double gap : {0.01, 1e-4, 1e-6}) {
    CAPTURE(gap);
    const PlannedRoutes routes = planned(topology, demand, {.gap = gap});
    CHECK(routes.certificate.utilization >= 0.5 * (1.0 - 1e-12));
    CHECK(routes.certificate.utilization <= 0.5 * (1.0 + gap + 1e-12));
    CHECK(routes.certificate.lower_bound <= 0.5 * (1.0 + 1e-9));
    CHECK(routes.certificate.gap() <= gap + 1e-12);
  }
}

TEST_CASE("opposite nodes of a ring use both ways round evenly", "[planner]") {
  for (const std::size_t nodes : {4U, 6U, 10U}) {
    CAPTURE(nodes);
    const Topology topology = ring(nodes);
    const PlannedRoutes routes = planned(topology, one_demand(nodes, 0, nodes / 2, 1e9), {.gap = 1e-4});
    CHECK(routes.certificate.utilization == Approx(0.5).epsilon(1.1e-4));
    CHECK(routes.certificate.lower_bound == Approx(0.5).epsilon(1.1e-4));
  }
}

TEST_CASE("a ring in which every node sends to every other is filled evenly", "[planner]") {
  // n nodes, one unit a pair: on shortest ways the hops of all pairs spread over 2n links; no plan has fewer hops.
  for (const std::size_t nodes : {3U, 5U, 7U}) {
    CAPTURE(nodes);
    TrafficMatrix demand{nodes};
    for (std::size_t s = 0; s < nodes; ++s) {
      for (std::size_t t = 0; t < nodes; ++t) {
        if (s != t) demand.set(NodeId{s}, NodeId{t}, BitRate::mbps(100));
      }
    }
    const double half = static_cast<double>(nodes - 1) / 2.0;
    const double best = 0.1 * half * (half + 1.0) / 2.0;
    const PlannedRoutes routes = planned(ring(nodes), demand, {.gap = 1e-4});
    CHECK(routes.certificate.utilization == Approx(best).epsilon(1.1e-4));
    CHECK(routes.certificate.lower_bound <= best * (1.0 + 1e-9));
  }
}

TEST_CASE("a chain has one plan, and the bound finds its narrowest link", "[planner]") {
  const Topology topology = lines_network(4, {{.from = 0, .to = 1, .capacity_bps = 8e9},
                                              {.from = 1, .to = 2, .capacity_bps = 2e9},
                                              {.from = 2, .to = 3, .capacity_bps = 4e9}});
  TrafficMatrix demand = one_demand(4, 0, 3, 1e9);
  demand.set(NodeId{2}, NodeId{3}, BitRate::gbps(0.2));
  const PlannedRoutes routes = planned(topology, demand);
  CHECK(routes.certificate.utilization == Approx(0.5).epsilon(1e-12));
  CHECK(routes.certificate.lower_bound <= 0.5 * (1.0 + 1e-12));
  CHECK(routes.certificate.gap() <= 0.01);
}

TEST_CASE("overload is planned, with a proof that no plan avoids it", "[planner]") {
  const Topology topology = ring(4);
  const PlannedRoutes routes = planned(topology, one_demand(4, 0, 2, 7e9));
  CHECK(routes.certificate.utilization == Approx(3.5).epsilon(0.011));
  CHECK(routes.certificate.lower_bound > 3.4);
  CHECK(routes.unrouted.empty());
}

TEST_CASE("an empty matrix gets the least-delay paths and a bound of nothing", "[planner]") {
  Rng rng{5, "empty"};
  const Topology topology = test::drawn_network(rng, {});
  const PlannedRoutes routes = planned(topology, TrafficMatrix{6});
  CHECK(test::covers_connected_pairs(topology, routes.plan));
  CHECK(routes.certificate.utilization == 0.0);
  CHECK(routes.certificate.lower_bound == 0.0);
  CHECK(routes.certificate.gap() == 0.0);
  CHECK(routes.certificate.duals == std::vector<double>(topology.link_count(), 0.0));
  CHECK(routes.plan == test::least_delay_plan(topology));
}

TEST_CASE("a network of one node needs no plan", "[planner]") {
  const Topology topology = lines_network(1, {});
  const PlannedRoutes routes = planned(topology, TrafficMatrix{1});
  CHECK(routes.plan.demand_count() == 0);
  CHECK(routes.certificate.duals.empty());
  CHECK(routes.unrouted.empty());
}

TEST_CASE("nodes without any link leave all demands named and unrouted", "[planner]") {
  const Topology topology = lines_network(2, {});
  const PlannedRoutes routes = planned(topology, one_demand(2, 0, 1, 1e9));
  CHECK(routes.plan.demand_count() == 0);
  CHECK(routes.unrouted == std::vector<Demand>{{TrafficClass{0}, NodeId{0}, NodeId{1}}});
  CHECK(routes.certificate.utilization == 0.0);
}

TEST_CASE("demands that no path connects are named, and the others planned as if they were not there", "[planner]") {
  const Topology topology = lines_network(4, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                              {.from = 0, .to = 1, .capacity_bps = 1e9},
                                              {.from = 2, .to = 3, .capacity_bps = 1e9}});
  TrafficMatrix demand = one_demand(4, 0, 1, 1e9);
  demand.set(NodeId{0}, NodeId{3}, BitRate::gbps(50));
  demand.set(NodeId{3}, NodeId{2}, BitRate::bps(1));
  const PlannedRoutes routes = planned(topology, demand, {.gap = 1e-4});
  CHECK(routes.unrouted ==
        std::vector<Demand>{{TrafficClass{0}, NodeId{0}, NodeId{3}}, {TrafficClass{0}, NodeId{3}, NodeId{2}}});
  CHECK(test::covers_connected_pairs(topology, routes.plan));
  CHECK(routes.certificate.utilization == Approx(0.5).epsilon(1.1e-4));
}

TEST_CASE("a pair without demand takes the least-delay path even where its source sends elsewhere", "[planner]") {
  // 0 > 2 is fastest by way of 1; the demand 0 > 1 is heavy enough to be split away from there.
  const Topology topology = lines_network(3, {{.from = 0, .to = 1, .capacity_bps = 1e8, .delay_ms = 1},
                                              {.from = 1, .to = 2, .capacity_bps = 1e9, .delay_ms = 1},
                                              {.from = 0, .to = 2, .capacity_bps = 1e9, .delay_ms = 10},
                                              {.from = 2, .to = 1, .capacity_bps = 1e9, .delay_ms = 10}});
  const PlannedRoutes routes = planned(topology, one_demand(3, 0, 1, 5e8));
  const auto at = routes.plan.find({TrafficClass{0}, NodeId{0}, NodeId{2}});
  REQUIRE(at);
  REQUIRE(routes.plan.path_count(*at) == 1);
  CHECK(routes.plan.path(*at, 0).links.size() == 2);
}

TEST_CASE("links that are down carry nothing", "[planner]") {
  const Topology whole = ring(4);
  const std::vector<LinkId> down{LinkId{0}};  // 0 > 1
  const Topology topology = whole.with_links_down(down);
  const PlannedRoutes routes = planned(topology, one_demand(4, 0, 1, 1e9));
  CHECK(routes.certificate.utilization == Approx(1.0));
  CHECK(link_loads_bps(topology, routes.plan, one_demand(4, 0, 1, 1e9))[0] == 0.0);
}

TEST_CASE("classes are planned together and get the same splits", "[planner]") {
  const Topology topology =
      lines_network(2, {{.from = 0, .to = 1, .capacity_bps = 1e9}, {.from = 0, .to = 1, .capacity_bps = 1e9}});
  TrafficMatrix demand{2, 2};
  demand.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::mbps(900));
  demand.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::mbps(100));
  const PlannedRoutes routes = planned(topology, demand, {.gap = 1e-4});
  CHECK(routes.certificate.utilization == Approx(0.5).epsilon(1.1e-4));
  REQUIRE(routes.plan.demand_count() == 2);
  for (std::size_t p = 0; p < 2; ++p) {
    CHECK(routes.plan.path(0, p).fraction == routes.plan.path(1, p).fraction);
  }
}

TEST_CASE("a matrix of another network is refused", "[planner]") {
  const auto routes = plan_paths(ring(4), TrafficMatrix{5});
  REQUIRE(!routes);
  CHECK(routes.error().code == ErrorCode::kShapeMismatch);
}

TEST_CASE("links without delay are planned like any other", "[planner]") {
  const Topology topology = lines_network(2, {{.from = 0, .to = 1, .capacity_bps = 1e9, .delay_ms = 0},
                                              {.from = 0, .to = 1, .capacity_bps = 1e9, .delay_ms = 0}});
  CHECK(planned(topology, one_demand(2, 0, 1, 1e9), {.gap = 1e-4}).certificate.gap() <= 1.1e-4);
}

TEST_CASE("of two ways that are wide enough, the faster one is taken", "[planner]") {
  // The narrow link 0 > 1 sets the utilisation; what goes 2 > 3 has room to choose.
  const Topology topology = lines_network(4, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                              {.from = 2, .to = 3, .capacity_bps = 10e9, .delay_ms = 30},
                                              {.from = 2, .to = 3, .capacity_bps = 10e9, .delay_ms = 5}});
  TrafficMatrix demand = one_demand(4, 0, 1, 0.5e9);
  demand.set(NodeId{2}, NodeId{3}, BitRate::gbps(4));
  const PlannedRoutes routes = planned(topology, demand);
  const auto at = routes.plan.find({TrafficClass{0}, NodeId{2}, NodeId{3}});
  REQUIRE(at);
  CHECK(routes.plan.path_count(*at) == 1);
  CHECK(routes.plan.path(*at, 0).links[0] == LinkId{2});
}

}  // namespace wan::controller
