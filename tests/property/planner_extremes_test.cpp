#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "controller/dual_bound.h"
#include "controller/planner.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

void check_proof(const Topology& topology, const TrafficMatrix& demand, const PlannedRoutes& routes, double gap) {
  const auto checked = routes.plan.check(topology);
  INFO((checked ? "" : checked.error().message));
  CHECK(checked);
  CHECK(test::covers_connected_pairs(topology, routes.plan));
  CHECK(routes.certificate.utilization == max_utilization(topology, routes.plan, demand));
  CHECK(routes.certificate.gap() <= gap + 1e-12);
  CHECK(routes.certificate.lower_bound <= routes.certificate.utilization * (1.0 + 1e-9));
  CHECK(dual_bound(topology, demand, routes.certificate.duals) == Approx(routes.certificate.lower_bound).epsilon(1e-9));
}

}  // namespace

TEST_CASE("two hundred networks of 20 to 60 nodes are all planned to 1 %", "[planner][extremes]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "networks"};
    const std::size_t n = 20 + rng.below(41);
    const Topology topology = test::drawn_network(
        rng, {.nodes = n, .two_way_links = n + rng.below(2 * n), .capacity_decades = 2.0 * rng.uniform()});
    const TrafficMatrix demand = test::drawn_demand(rng, n, 0.1 + 0.9 * rng.uniform(), 1e6);
    const auto routes = plan_paths(topology, demand);
    REQUIRE(routes);
    check_proof(topology, demand, *routes, 0.01);
  }
}

TEST_CASE("links of 1 bit/s beside links of 1 Tbit/s are planned", "[planner][extremes]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "capacities"};
    const std::size_t n = 3 + rng.below(10);
    const Topology topology = test::drawn_network(
        rng, {.nodes = n, .two_way_links = 2 * n, .capacity_decades = 12.0, .capacity_bps_least = 1.0});
    const TrafficMatrix demand = test::drawn_demand(rng, n, 0.5, 1e6);
    const auto routes = plan_paths(topology, demand);
    REQUIRE(routes);
    check_proof(topology, demand, *routes, 0.01);
  }
}

TEST_CASE("demands from a thousandth of a bit to ten terabits a second are planned", "[planner][extremes]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "demands"};
    const std::size_t n = 3 + rng.below(10);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = 2 * n});
    TrafficMatrix demand{n};
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t t = 0; t < n; ++t) {
        if (s != t) demand.set(NodeId{s}, NodeId{t}, BitRate::bps(1e-3 * std::pow(10.0, 16.0 * rng.uniform())));
      }
    }
    const auto routes = plan_paths(topology, demand);
    REQUIRE(routes);
    check_proof(topology, demand, *routes, 0.01);
  }
}

TEST_CASE("a thousandth of a bit over links of a terabit is planned as exactly as any demand", "[planner][extremes]") {
  std::vector<test::Line> lines(2, {.from = 0, .to = 1, .capacity_bps = 1e12});
  lines[1].capacity_bps = 3e12;
  const Topology topology = test::lines_network(2, lines);
  TrafficMatrix demand{2};
  demand.set(NodeId{0}, NodeId{1}, BitRate::bps(1e-3));
  for (const double gap : {0.01, 1e-5}) {
    CAPTURE(gap);
    const auto routes = plan_paths(topology, demand, {.gap = gap});
    REQUIRE(routes);
    CHECK(routes->certificate.utilization == Approx(0.25e-15).epsilon(1.01 * gap));
    CHECK(routes->certificate.gap() <= gap + 1e-12);
  }
}

TEST_CASE("parallel links over twelve decades carry their shares", "[planner][extremes]") {
  std::vector<test::Line> lines;
  double total = 0.0;
  for (int decade = 0; decade <= 12; ++decade) {
    lines.push_back({.from = 0, .to = 1, .capacity_bps = std::pow(10.0, decade)});
    total += lines.back().capacity_bps;
  }
  const Topology topology = test::lines_network(2, lines);
  TrafficMatrix demand{2};
  for (const double rate : {1e-3, 1e6, 1e13}) {
    CAPTURE(rate);
    demand.set(NodeId{0}, NodeId{1}, BitRate::bps(rate));
    const auto routes = plan_paths(topology, demand);
    REQUIRE(routes);
    CHECK(routes->certificate.utilization >= rate / total * (1.0 - 1e-9));
    CHECK(routes->certificate.utilization <= rate / total * 1.0101);
    check_proof(topology, demand, *routes, 0.01);
  }
}

TEST_CASE("where every way is equally long and wide the planner settles all the same", "[planner][extremes]") {
  for (const std::size_t n : {6U, 12U, 24U}) {
    CAPTURE(n);
    std::vector<test::Line> lines;  // everyone with everyone, all alike
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        if (a != b) lines.push_back({.from = a, .to = b});
      }
    }
    const Topology topology = test::lines_network(n, lines);
    TrafficMatrix demand{n};
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t t = 0; t < n; ++t) {
        if (s != t) demand.set(NodeId{s}, NodeId{t}, BitRate::mbps(100));
      }
    }
    const auto routes = plan_paths(topology, demand);
    REQUIRE(routes);
    CHECK(routes->certificate.utilization == Approx(0.1).epsilon(0.0101));
    check_proof(topology, demand, *routes, 0.01);
  }
}

TEST_CASE("a torus whose links fill all at once is planned to a hundredth of a per cent", "[planner][extremes]") {
  constexpr std::size_t kSide = 8;
  std::vector<test::Line> lines;
  for (std::size_t i = 0; i < kSide; ++i) {
    for (std::size_t j = 0; j < kSide; ++j) {
      for (const std::size_t next : {(i + 1) % kSide * kSide + j, i * kSide + (j + 1) % kSide}) {
        lines.push_back({.from = i * kSide + j, .to = next, .capacity_bps = 1e6});
        lines.push_back({.from = next, .to = i * kSide + j, .capacity_bps = 1e6});
      }
    }
  }
  const Topology topology = test::lines_network(kSide * kSide, lines);
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "masses"};
    std::vector<double> mass(kSide * kSide);
    for (double& entry : mass) entry = std::exp(0.3 * rng.normal());
    TrafficMatrix demand{mass.size()};
    for (std::size_t s = 0; s < mass.size(); ++s) {
      for (std::size_t t = 0; t < mass.size(); ++t) {
        if (s != t) demand.set(NodeId{s}, NodeId{t}, BitRate::bps(1e3 * mass[s] * mass[t]));
      }
    }
    for (const bool least_delay : {false, true}) {
      CAPTURE(least_delay);
      const auto routes = plan_paths(topology, demand, {.gap = 1e-4, .least_delay = least_delay});
      REQUIRE(routes);
      check_proof(topology, demand, *routes, 1e-4);
    }
  }
}

TEST_CASE("a detour a hundred times as long as other ways does not keep a plan from its gap", "[planner][extremes]") {
  // Metro rings of eight nodes, 0.02 to 0.12 ms a link, between which few long links of 3 to 40 ms run; nearly all
  // traffic stays within its metro, and what relieves a full ring may go round by way of others.
  constexpr std::size_t kMetros = 16, kRing = 8;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "metros"};
    std::vector<test::Line> lines;
    const auto join = [&lines](std::size_t a, std::size_t b, double delay_ms) {
      lines.push_back({.from = a, .to = b, .capacity_bps = 1e10, .delay_ms = delay_ms});
      lines.push_back({.from = b, .to = a, .capacity_bps = 1e10, .delay_ms = delay_ms});
    };
    const auto join_metros = [&](std::size_t a, std::size_t b) {
      join(a * kRing + rng.below(kRing), b * kRing + rng.below(kRing), 3.0 + 37.0 * rng.uniform());
    };
    for (std::size_t metro = 0; metro < kMetros; ++metro) {
      for (std::size_t i = 0; i < kRing; ++i) {
        join(metro * kRing + i, metro * kRing + (i + 1) % kRing, 0.02 + 0.1 * rng.uniform());
      }
      join(metro * kRing, metro * kRing + kRing / 2, 0.05);
      if (metro > 0) join_metros(metro, rng.below(metro));
      if (metro > 0) join_metros(metro, rng.below(metro));
    }
    const Topology topology = test::lines_network(kMetros * kRing, lines);
    std::vector<double> mass(kMetros * kRing);
    for (double& entry : mass) entry = std::exp(rng.normal());
    TrafficMatrix demand{mass.size()};
    for (std::size_t s = 0; s < mass.size(); ++s) {
      for (std::size_t t = 0; t < mass.size(); ++t) {
        const double local = s / kRing == t / kRing ? 1e3 : 1.0;
        if (s != t) demand.set(NodeId{s}, NodeId{t}, BitRate::bps(1e6 * local * mass[s] * mass[t]));
      }
    }
    for (const bool least_delay : {false, true}) {
      CAPTURE(least_delay);
      const auto routes = plan_paths(topology, demand, {.least_delay = least_delay});
      REQUIRE(routes);
      check_proof(topology, demand, *routes, 0.01);
    }
  }
}

}  // namespace wan::controller
