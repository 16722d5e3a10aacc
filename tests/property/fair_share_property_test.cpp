#include "controller/fair_share.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "controller/fixed_path_filling.h"
#include "core/link_load.h"
#include "core/random.h"
#include "tests/property/class_wishes.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

using test::ClassWishes;

/// More traffic than fits, most of the time.
ClassWishes overloaded(std::uint64_t seed, bool with_rules) {
  ClassWishes wishes{seed, with_rules};
  for (double& rate : wishes.traffic.bps()) rate *= 1.0 + static_cast<double>(seed % 7);
  return wishes;
}

std::vector<double> loads(const ClassWishes& wishes, const FairRoutes& routes) {
  TrafficMatrix carried = wishes.traffic;
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    const Demand& demand = routes.plan.demands()[d];
    carried.set(demand.cls, demand.from, demand.to,
                routes.admitted[d] * carried.at(demand.cls, demand.from, demand.to));
  }
  return link_loads_bps(wishes.topology, routes.plan, carried);
}

double admitted(const FairRoutes& routes, const Demand& demand) { return routes.admitted[*routes.plan.find(demand)]; }

void check_carried(const ClassWishes& wishes, const FairRoutes& routes, double utilization_max) {
  REQUIRE(routes.plan.check(wishes.topology));
  REQUIRE(routes.admitted.size() == routes.plan.demand_count());
  const std::vector<double> load = loads(wishes, routes);
  for (std::size_t l = 0; l < load.size(); ++l) {
    CHECK(load[l] <= utilization_max * wishes.topology.links()[l].capacity.bps() * (1.0 + 1e-6));
  }
  // What is shed crosses a full link.
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    if (routes.admitted[d] >= 1.0 - 1e-9) continue;
    bool bound = false;
    for (std::size_t p = 0; p < routes.plan.path_count(d); ++p) {
      for (const LinkId link : routes.plan.path(d, p).links) {
        const double capacity = wishes.topology.link(link).capacity.bps();
        bound = bound || load[link.index()] >= utilization_max * capacity * (1.0 - 1e-5);
      }
    }
    CHECK(bound);
  }
}

}  // namespace

TEST_CASE("admitted fractions are those of progressive filling by linear programs", "[fair][property]") {
  std::size_t shed = 0, whole = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, seed % 3 == 0);
    const double utilization_max = seed % 4 == 0 ? 0.8 : 1.0;
    const auto routes =
        plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies, {.utilization_max = utilization_max});
    REQUIRE(routes);
    check_carried(wishes, *routes, utilization_max);
    const auto named = test::commodities_of(wishes);
    const auto fair = test::fair_fractions(wishes.topology, named.commodities, utilization_max);
    for (std::size_t i = 0; i < fair.size(); ++i) {
      CAPTURE(i, named.commodities[i].level);
      CHECK(admitted(*routes, named.demands[i]) == Approx(fair[i]).margin(1e-4));
      ++(fair[i] < 1.0 - 1e-6 ? shed : whole);
    }
    for (const FairRound& round : routes->rounds) CHECK(round.bound <= round.fraction + 1e-6);
  }
  CHECK(shed > 300);
  CHECK(whole > 300);
}

TEST_CASE("without linear programs the first common fraction is within the gap, and bounds hold", "[fair][property]") {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, seed % 3 == 0);
    const auto routes =
        plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies, {.gap = 0.005, .exact_size_max = 0});
    REQUIRE(routes);
    check_carried(wishes, *routes, 1.0);
    const auto named = test::commodities_of(wishes);
    std::vector<std::optional<double>> fraction(named.commodities.size(), 0.0);
    for (std::size_t i = 0; i < fraction.size(); ++i) {
      if (named.commodities[i].level == 0) fraction[i].reset();
    }
    if (std::none_of(fraction.begin(), fraction.end(), [](const auto& f) { return !f; })) continue;
    const double best = test::best_common_fraction(
        wishes.topology, {.commodities = named.commodities, .fraction = fraction, .utilization_max = 1.0});
    CHECK(routes->rounds[0].fraction <= best + 1e-6);
    CHECK(routes->rounds[0].fraction >= best * (1.0 - 0.006));
    CHECK(routes->rounds[0].bound >= best - 1e-6);
  }
}

TEST_CASE("more capacity lowers no demand's share of the first round", "[fair][property]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, false);
    Rng rng{seed, "wider"};
    std::vector<Link> links{wishes.topology.links().begin(), wishes.topology.links().end()};
    for (Link& link : links) link.capacity = link.capacity * (1.0 + rng.uniform());
    const auto wider = Topology::make({wishes.topology.nodes().begin(), wishes.topology.nodes().end()}, links);
    REQUIRE(wider);
    const auto before = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    const auto after = plan_fair_shares(*wider, wishes.traffic, wishes.policies);
    REQUIRE((before && after));
    CHECK(after->rounds[0].fraction >= before->rounds[0].fraction - 1e-6);
  }
}

TEST_CASE("a full link is shared in proportion, the more important class first", "[fair]") {
  // One way from 0 to 1 of capacity 10, and one from 1 to 2 of capacity 4.
  const Topology topology =
      test::lines_network(3, {{.from = 0, .to = 1, .capacity_bps = 10}, {.from = 1, .to = 2, .capacity_bps = 4}});
  TrafficMatrix traffic{3, 2};
  traffic.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::bps(6));
  traffic.set(TrafficClass{0}, NodeId{0}, NodeId{2}, BitRate::bps(8));
  traffic.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(4));
  PolicySet policies;
  policies.classes.push_back({.name = "gold", .priority = 1});
  const auto routes = plan_fair_shares(topology, traffic, policies);
  REQUIRE(routes);
  // Gold has its 4 of 10; of the 6 left, fraction f of 6 + 8: both stop at 6/14, which is below 4/8.
  CHECK(admitted(*routes, {TrafficClass{1}, NodeId{0}, NodeId{1}}) == Approx(1.0));
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{1}}) == Approx(6.0 / 14.0).epsilon(1e-6));
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{2}}) == Approx(6.0 / 14.0).epsilon(1e-6));

  // Without gold the longer demand stops at 4/8, and the other one has what is left: all of it.
  traffic.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(0));
  const auto alone = plan_fair_shares(topology, traffic, policies);
  REQUIRE(alone);
  CHECK(admitted(*alone, {TrafficClass{0}, NodeId{0}, NodeId{2}}) == Approx(0.5).epsilon(1e-6));
  CHECK(admitted(*alone, {TrafficClass{0}, NodeId{0}, NodeId{1}}) == Approx(1.0).epsilon(1e-6));
}

TEST_CASE("filling on fixed paths raises the lowest first until a link is full", "[fair]") {
  FixedPathFilling filling{{5.0, 1.0}};
  const std::vector<LinkFlow> first{{0, 10.0}}, second{{0, 10.0}, {1, 4.0}}, third{{1, 1.0}};
  filling.add(0.2, first);
  filling.add(0.0, second);
  filling.add(0.9, third);
  const auto fraction = filling.fill();
  // The second alone rises to 0.2 (2 of link 0, 0.8 of link 1), then with the first until link 1 is full at 0.25.
  CHECK(fraction[1] == Approx(0.25));
  CHECK(fraction[2] == Approx(0.9));
  // The first goes on: 5 - 2.5 - 0.5 = 2 are left on link 0.
  CHECK(fraction[0] == Approx(0.45));
}

}  // namespace wan::controller
