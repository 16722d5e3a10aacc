#include "controller/source_flow_solver.h"

#include <catch2/catch.hpp>
#include <vector>

#include "controller/dual_bound.h"
#include "controller/failure_set.h"
#include "controller/planner.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

TrafficMatrix changed(Rng& rng, const TrafficMatrix& demand) {
  TrafficMatrix next = demand;
  for (double& bps : next.bps()) bps *= 0.7 + 0.6 * rng.uniform();
  return next;
}

}  // namespace

TEST_CASE("the solver's flows deliver every demand, and its numbers follow from them", "[solver]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "flows"};
    const std::size_t n = 2 + rng.below(24);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n)});
    TrafficMatrix demand = test::drawn_demand(rng, n, 0.7, 1e6);
    SourceFlowSolver solver{topology};
    for (int interval = 0; interval < 3; ++interval) {
      solver.solve(demand, {.gap = 1e-3, .least_delay = interval == 1});
      std::vector<double> load(topology.link_count(), 0.0);
      std::vector<double> flow(topology.link_count());
      for (std::size_t s = 0; s < n; ++s) {
        solver.flow_of(NodeId{s}, flow);
        std::vector<double> kept(n, 0.0);
        for (std::size_t l = 0; l < flow.size(); ++l) {
          REQUIRE(flow[l] >= 0.0);
          load[l] += flow[l];
          kept[topology.links()[l].to.index()] += flow[l];
          kept[topology.links()[l].from.index()] -= flow[l];
        }
        for (std::size_t t = 0; t < n; ++t) {
          if (t == s) continue;
          CHECK(kept[t] == Approx(demand.at(NodeId{s}, NodeId{t}).bps()).epsilon(1e-6).margin(1.0));
        }
      }
      CHECK(solver.utilization() == Approx(max_utilization(topology, load)).epsilon(1e-9));
      CHECK(solver.lower_bound() == Approx(dual_bound(topology, demand, solver.duals())).epsilon(1e-9));
      CHECK(solver.utilization() <= solver.lower_bound() * (1.0 + 1e-3) + 1e-15);
      demand = changed(rng, demand);
    }
  }
}

TEST_CASE("a planner that goes on from its last plan ends as near to the optimum as one that begins anew", "[solver]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "warm"};
    const Topology topology = test::drawn_network(rng, {.nodes = 6, .two_way_links = 9});
    TrafficMatrix demand = test::drawn_demand(rng, 6, 0.7, 1e7);
    const test::PathLp truth{topology};
    RoutePlanner planner{topology, {.gap = 1e-4, .least_delay = false}};
    for (int interval = 0; interval < 6; ++interval) {
      CAPTURE(interval);
      const auto routes = planner.plan(demand);
      REQUIRE(routes);
      REQUIRE(routes->plan.check(topology));
      const double best = truth.best_utilization(demand);
      CHECK(routes->certificate.utilization >= best * (1.0 - 1e-9));
      CHECK(routes->certificate.utilization <= best * (1.0 + 1.01e-4));
      CHECK(routes->certificate.lower_bound <= best * (1.0 + 1e-9));
      demand = changed(rng, demand);
      if (interval == 3) demand.set(NodeId{0}, NodeId{5}, BitRate::mbps(5));  // perhaps a destination that is new
      if (interval == 4) {
        for (std::size_t t = 0; t < 6; ++t) demand.set(NodeId{2}, NodeId{t}, BitRate::bps(0));  // a source falls silent
      }
    }
  }
}

TEST_CASE(
    "flows follow traffic that grows everywhere alike, whatever circles they were in, and a pair that is new moves no "
    "other",
    "[solver]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "follow"};
    const std::size_t n = 4 + rng.below(20);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n)});
    TrafficMatrix demand = test::drawn_demand(rng, n, 0.6, 1e6);
    SourceFlowSolver solver{topology};
    solver.solve(demand, {.gap = 0.01, .least_delay = seed % 2 == 0});
    const double before = solver.utilization();
    for (double& bps : demand.bps()) bps *= 3.0;
    solver.solve(demand, {.gap = 0.01, .least_delay = false});
    CHECK(solver.sweeps() == 0);
    CHECK(solver.utilization() <= 3.0 * before * (1.0 + 1e-9));

    std::vector<double> now(topology.link_count()), then(topology.link_count());
    const NodeId source{rng.below(n)};
    const NodeId to{(source.index() + 1) % n};
    demand.set(source, to, BitRate::bps(0));
    solver.solve(demand, {.gap = 0.01, .least_delay = false});
    if (!solver.flow_of(source, now)) continue;
    demand.set(source, to, BitRate::bps(1e-3));  // too little to change a price
    solver.solve(demand, {.gap = 0.01, .least_delay = false});
    CHECK(solver.sweeps() == 0);
    REQUIRE(solver.flow_of(source, then));
    for (std::size_t l = 0; l < now.size(); ++l) CHECK(then[l] == Approx(now[l]).epsilon(1e-9).margin(2e-3));
  }
}

TEST_CASE("traffic that passed a node which its source no longer reaches is planned anew", "[solver]") {
  // 0 > 2 goes partly by 1; when 0 > 1 fails, what left 1 must not stay as if it came from nowhere.
  const std::vector<test::Line> lines{
      {.from = 0, .to = 1}, {.from = 1, .to = 2}, {.from = 0, .to = 2}, {.from = 2, .to = 0}};
  const Topology topology = test::lines_network(3, lines);
  TrafficMatrix demand{3};
  demand.set(NodeId{0}, NodeId{2}, BitRate::gbps(1.5));
  demand.set(NodeId{1}, NodeId{2}, BitRate::gbps(0.1));
  RoutePlanner before{topology, {.gap = 1e-4, .least_delay = false}};
  REQUIRE(before.plan(demand));
  std::vector<Link> links{topology.links().begin(), topology.links().end()};
  links[0].up = false;
  const auto failed = Topology::make({topology.nodes().begin(), topology.nodes().end()}, links);
  REQUIRE(failed);
  RoutePlanner planner{*failed, before};
  const auto routes = planner.plan(demand);
  REQUIRE(routes);
  CHECK(routes->certificate.utilization == Approx(1.5));
  CHECK(routes->certificate.gap() <= 1e-4);
}

TEST_CASE(
    "after each failure, and after its repair, a planner that starts from the plan before ends as near to the optimum",
    "[solver]") {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "failures"};
    const Topology topology = test::drawn_network(rng, {.nodes = 6, .two_way_links = 9});
    const TrafficMatrix demand = test::drawn_demand(rng, 6, 0.7, 1e7);
    RoutePlanner whole{topology, {.gap = 1e-4, .least_delay = false}};
    const auto base = whole.plan(demand);
    REQUIRE(base);
    for (const Failure& failure : link_failures(topology)) {
      CAPTURE(failure.name);
      const Topology failed = after_failure(topology, failure);
      RoutePlanner planner{failed, whole};
      const auto routes = planner.plan(demand);
      REQUIRE(routes);
      REQUIRE(routes->plan.check(failed));
      const auto anew = plan_paths(failed, demand, {.gap = 1e-4, .least_delay = false});
      REQUIRE(anew);
      CHECK(routes->unrouted == anew->unrouted);
      CHECK(routes->certificate.gap() <= 1e-4);
      CHECK(routes->certificate.utilization <= anew->certificate.utilization * (1.0 + 1.01e-4));
      CHECK(routes->certificate.lower_bound <= anew->certificate.utilization * (1.0 + 1e-9));

      const auto repaired = RoutePlanner{topology, planner}.plan(demand);
      REQUIRE(repaired);
      REQUIRE(repaired->plan.check(topology));
      CHECK(repaired->certificate.gap() <= 1e-4);
      CHECK(repaired->certificate.lower_bound <= base->certificate.utilization * (1.0 + 1e-9));
    }
    const auto again = RoutePlanner{topology, whole}.plan(demand);
    REQUIRE(again);
    CHECK(again->certificate.utilization <= base->certificate.utilization * (1.0 + 1.01e-4));
  }
}

TEST_CASE("equal sequences of matrices give equal plans", "[solver]") {
  Rng rng{3, "sequence"};
  const Topology topology = test::drawn_network(rng, {.nodes = 14, .two_way_links = 24});
  RoutePlanner first{topology, {.gap = 1e-3}};
  RoutePlanner second{topology, {.gap = 1e-3, .threads = 2}};
  TrafficMatrix demand = test::drawn_demand(rng, 14, 0.8, 1e7);
  for (int interval = 0; interval < 4; ++interval) {
    const auto one = first.plan(demand);
    const auto other = second.plan(demand);
    REQUIRE(one);
    REQUIRE(other);
    CHECK(one->plan == other->plan);
    CHECK(one->certificate == other->certificate);
    demand = changed(rng, demand);
  }
}

TEST_CASE("a matrix without traffic between matrices with traffic harms nothing", "[solver]") {
  Rng rng{5, "silence"};
  const Topology topology = test::drawn_network(rng, {.nodes = 8, .two_way_links = 12});
  const TrafficMatrix demand = test::drawn_demand(rng, 8, 0.8, 1e7);
  RoutePlanner planner{topology, {.gap = 1e-3}};
  const auto before = planner.plan(demand);
  const auto silent = planner.plan(TrafficMatrix{8});
  const auto after = planner.plan(demand);
  REQUIRE(before);
  REQUIRE(silent);
  REQUIRE(after);
  CHECK(silent->certificate.utilization == 0.0);
  CHECK(silent->certificate.lower_bound == 0.0);
  CHECK(after->certificate.gap() <= 1e-3);
  CHECK(after->certificate.utilization == Approx(before->certificate.utilization).epsilon(2e-3));
}

}  // namespace wan::controller
