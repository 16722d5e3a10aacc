#include "controller/fair_share.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/link_load.h"
#include "core/random.h"
#include "simulator/program/class_proof.h"
#include "simulator/program/class_verifier.h"
#include "tests/property/class_wishes.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

using test::ClassWishes;

constexpr double kSame = 1e-6;    // shares
constexpr double kWithin = 1e-5;  // of the smallest demands, where rates are not negligible yet

/// More traffic than fits, most of the time.
ClassWishes overloaded(std::uint64_t seed, bool with_rules) {
  ClassWishes wishes{seed, with_rules};
  for (double& rate : wishes.traffic.bps()) rate *= 1.0 + static_cast<double>(seed % 7);
  return wishes;
}

/// Every class of one priority: as many demands as can be in one filling.
ClassWishes of_one_priority(std::uint64_t seed) {
  ClassWishes wishes = overloaded(seed, false);
  for (ClassPolicy& policy : wishes.policies.classes) policy.priority = 0;
  return wishes;
}

double admitted(const FairRoutes& routes, const Demand& demand) { return routes.admitted[*routes.plan.find(demand)]; }

void check_loads(const ClassWishes& wishes, const FairRoutes& routes, double utilization_max) {
  REQUIRE(routes.plan.check(wishes.topology));
  REQUIRE(routes.admitted.size() == routes.plan.demand_count());
  TrafficMatrix carried = wishes.traffic;
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    const Demand& demand = routes.plan.demands()[d];
    carried.set(demand.cls, demand.from, demand.to,
                routes.admitted[d] * carried.at(demand.cls, demand.from, demand.to));
  }
  const double highest = max_utilization(wishes.topology, routes.plan, carried);
  CHECK(highest <= utilization_max * (1.0 + 1e-9));
  CHECK(routes.utilization == Approx(highest).epsilon(1e-12));
}

/// The most that any demand differs by from progressive filling by linear programs over every simple path.
double check_shares(const ClassWishes& wishes, const FairRoutes& routes, double utilization_max) {
  const auto named = test::commodities_of(wishes);
  const auto fair = test::fair_fractions(wishes.topology, named.commodities, utilization_max);
  double worst = 0.0, carried = 0.0;
  for (std::size_t i = 0; i < fair.size(); ++i) {
    CAPTURE(i, named.commodities[i].level);
    CHECK(admitted(routes, named.demands[i]) == Approx(fair[i]).margin(kSame).epsilon(0.0));
    worst = std::max(worst, std::abs(admitted(routes, named.demands[i]) - fair[i]));
    carried += fair[i] * named.commodities[i].rate_bps;
  }
  // Nothing is left to raise the total by.
  const double most = test::most_carried(wishes.topology, named.commodities, fair, utilization_max);
  CHECK(most <= carried * (1.0 + kSame));
  return worst;
}

Result<simulator::ClassVerification> verdict(const ClassWishes& wishes, const PathPlan& plan,
                                             const simulator::ClassProof& proof) {
  return simulator::verify_classes(wishes.topology, wishes.traffic, wishes.policies, plan, proof);
}

}  // namespace

TEST_CASE("shares are those of exact progressive filling over every simple path", "[fair][property]") {
  std::size_t shed = 0, whole = 0, rounds = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = seed % 2 == 0 ? of_one_priority(seed) : overloaded(seed, seed % 3 == 0);
    const double utilization_max = seed % 4 == 0 ? 0.8 : 1.0;
    const auto routes =
        plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies, {.utilization_max = utilization_max});
    if (!routes) FAIL(routes.error().message);
    check_loads(wishes, *routes, utilization_max);
    check_shares(wishes, *routes, utilization_max);
    CHECK(routes->within <= kWithin);
    CHECK(routes->unproven == 0);
    rounds += routes->rounds.size();
    for (const double fraction : routes->admitted) ++(fraction < 1.0 ? shed : whole);
  }
  CHECK(shed > 2'000);
  CHECK(whole > 2'000);
  CHECK(rounds > 1'000);
}

TEST_CASE("the verifier bears shares out, and finds them as near to fair as the planner does", "[fair][property]") {
  for (std::uint64_t seed = 401; seed <= 700; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, seed % 3 == 0);
    const auto routes = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    if (!routes) FAIL(routes.error().message);
    const auto found = verdict(wishes, routes->plan, simulator::class_proof(*routes, 1.0));
    if (!found) FAIL(found.error().message);
    CHECK(found->fair_within <= kWithin);
    CHECK(found->carried_share_more <= 1e-8);
    CHECK(found->utilization == Approx(routes->utilization).epsilon(1e-12));
    CHECK(found->broken == routes->broken);
  }
}

TEST_CASE("the order of nodes changes no share", "[fair][property]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, false);
    const std::size_t n = wishes.topology.node_count();
    std::vector<std::size_t> place(n);
    std::iota(place.begin(), place.end(), std::size_t{0});
    Rng rng{seed, "order"};
    for (std::size_t i = n; i-- > 1;) std::swap(place[i], place[rng.below(i + 1)]);
    std::vector<Node> nodes(n);
    for (std::size_t i = 0; i < n; ++i) nodes[place[i]] = wishes.topology.nodes()[i];
    std::vector<Link> links{wishes.topology.links().begin(), wishes.topology.links().end()};
    for (Link& link : links) {
      link.from = NodeId{place[link.from.index()]};
      link.to = NodeId{place[link.to.index()]};
    }
    std::reverse(links.begin(), links.end());
    const auto shuffled = Topology::make(nodes, links);
    REQUIRE(shuffled);
    TrafficMatrix traffic{n, wishes.class_count};
    for (std::size_t e = 0; e < traffic.bps().size(); ++e) {
      const std::size_t cls = e / (n * n), from = e / n % n, to = e % n;
      traffic.bps()[(cls * n + place[from]) * n + place[to]] = wishes.traffic.bps()[e];
    }
    const auto plain = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    const auto other = plan_fair_shares(*shuffled, traffic, wishes.policies);
    REQUIRE((plain && other));
    for (std::size_t d = 0; d < plain->plan.demand_count(); ++d) {
      const Demand& demand = plain->plan.demands()[d];
      const Demand there{demand.cls, NodeId{place[demand.from.index()]}, NodeId{place[demand.to.index()]}};
      CHECK(admitted(*other, there) == Approx(plain->admitted[d]).margin(kSame).epsilon(0.0));
    }
  }
}

TEST_CASE("more capacity never lowers the lowest share", "[fair][property]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = of_one_priority(seed);
    Rng rng{seed, "wider"};
    std::vector<Link> links{wishes.topology.links().begin(), wishes.topology.links().end()};
    if (seed % 2 == 0) {
      Link& link = links[rng.below(links.size())];
      link.capacity = link.capacity * 3.0;
    } else {
      for (Link& link : links) link.capacity = link.capacity * (1.0 + rng.uniform());
    }
    const auto wider = Topology::make({wishes.topology.nodes().begin(), wishes.topology.nodes().end()}, links);
    REQUIRE(wider);
    const auto before = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    const auto after = plan_fair_shares(*wider, wishes.traffic, wishes.policies);
    REQUIRE((before && after));
    CHECK(*std::min_element(after->admitted.begin(), after->admitted.end()) >=
          *std::min_element(before->admitted.begin(), before->admitted.end()) - kSame);
  }
}

TEST_CASE("too few rounds leave shares within what the plan admits, and the verifier agrees", "[fair][property]") {
  std::size_t cut_short = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = overloaded(seed, false);
    const auto all = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    const auto two = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies, {.rounds_max = 2});
    REQUIRE((all && two));
    check_loads(wishes, *two, 1.0);
    const auto found = verdict(wishes, two->plan, simulator::class_proof(*two, 1.0));
    if (!found) FAIL(found.error().message);
    if (two->unproven == 0) continue;
    ++cut_short;
    CHECK(two->within > 0.0);
    // Of the most important level, whose room depends on no other: what it misses is no more than the plan says.
    const auto level_of = level_of_class(two->levels, wishes.class_count);
    for (std::size_t d = 0; d < two->plan.demand_count(); ++d) {
      if (level_of[two->plan.demands()[d].cls.index()] != 0) continue;
      CHECK(two->admitted[d] <= all->admitted[d] + kSame);
      CHECK(all->admitted[d] <= two->admitted[d] + two->within + kSame);
    }
  }
  CHECK(cut_short > 30);
}

TEST_CASE("the verifier refuses shares that were tampered with", "[fair][property]") {
  std::size_t raised = 0, swapped = 0, over = 0, lowered = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes = of_one_priority(seed);
    const auto routes = plan_fair_shares(wishes.topology, wishes.traffic, wishes.policies);
    if (!routes) FAIL(routes.error().message);
    const simulator::ClassProof honest = simulator::class_proof(*routes, 1.0);
    REQUIRE(verdict(wishes, routes->plan, honest));
    if (honest.admitted.empty()) continue;
    Rng rng{seed, "tampering"};
    const std::size_t pick = rng.below(honest.admitted.size());

    auto proof = honest;  // one share raised
    proof.admitted[pick].fraction = std::min(1.0, proof.admitted[pick].fraction * 1.001 + 1e-5);
    CHECK_FALSE(verdict(wishes, routes->plan, proof));
    ++raised;

    proof = honest;  // a whole round raised: a link is over its capacity
    const std::uint32_t round = proof.admitted[pick].round;
    proof.rounds[round].fraction = std::min(1.0, proof.rounds[round].fraction * 1.001 + 1e-5);
    for (auto& entry : proof.admitted) {
      if (entry.round == round) entry.fraction = proof.rounds[round].fraction;
    }
    CHECK_FALSE(verdict(wishes, routes->plan, proof));
    ++over;

    proof = honest;  // a whole round lowered: it could have more
    proof.rounds[round].fraction *= 0.999;
    for (auto& entry : proof.admitted) {
      if (entry.round == round) entry.fraction = proof.rounds[round].fraction;
    }
    if (honest.rounds[round].fraction > 0.01) {
      CHECK_FALSE(verdict(wishes, routes->plan, proof));
      ++lowered;
    }

    // One that did better takes the place of one that did worse.
    const auto& first = honest.admitted[pick];
    for (std::size_t i = 0; i < honest.admitted.size(); ++i) {
      if (honest.admitted[i].fraction <= first.fraction + 0.01) continue;
      proof = honest;
      std::swap(proof.admitted[pick].round, proof.admitted[i].round);
      std::swap(proof.admitted[pick].fraction, proof.admitted[i].fraction);
      CHECK_FALSE(verdict(wishes, routes->plan, proof));
      ++swapped;
      break;
    }

    proof = honest;  // no prices
    std::fill(proof.rounds[round].duals.begin(), proof.rounds[round].duals.end(), 0.0);
    CHECK_FALSE(verdict(wishes, routes->plan, proof));
  }
  CHECK(raised > 80);
  CHECK(over > 80);
  CHECK(lowered > 80);
  CHECK(swapped > 50);
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
  CHECK(admitted(*routes, {TrafficClass{1}, NodeId{0}, NodeId{1}}) == 1.0);
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{1}}) == Approx(6.0 / 14.0).epsilon(1e-8));
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{2}}) == Approx(6.0 / 14.0).epsilon(1e-8));

  // Without gold the longer demand stops at 4/8, and the other one has what is left: all of it.
  traffic.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(0));
  const auto alone = plan_fair_shares(topology, traffic, policies);
  REQUIRE(alone);
  CHECK(admitted(*alone, {TrafficClass{0}, NodeId{0}, NodeId{2}}) == Approx(0.5).epsilon(1e-8));
  CHECK(admitted(*alone, {TrafficClass{0}, NodeId{0}, NodeId{1}}) == 1.0);
}

TEST_CASE("a demand that stopped makes way for one that grows", "[fair]") {
  // 0 > 3 may go over 1 or 2; 1 > 3 over the first way's second link alone; 0 > 2 over the other's first.
  const Topology topology = test::lines_network(4, {{.from = 0, .to = 1, .capacity_bps = 10},
                                                    {.from = 1, .to = 3, .capacity_bps = 10},
                                                    {.from = 0, .to = 2, .capacity_bps = 10},
                                                    {.from = 2, .to = 3, .capacity_bps = 2}});
  TrafficMatrix traffic{4, 1};
  traffic.set(TrafficClass{0}, NodeId{0}, NodeId{3}, BitRate::bps(10));
  traffic.set(TrafficClass{0}, NodeId{1}, NodeId{3}, BitRate::bps(10));
  traffic.set(TrafficClass{0}, NodeId{0}, NodeId{2}, BitRate::bps(10));
  const auto routes = plan_fair_shares(topology, traffic, {});
  REQUIRE(routes);
  // 12 reach node 3, in equal shares; the first demand sends 2 over node 2, where 8 are left for the third.
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{3}}) == Approx(0.6).epsilon(1e-8));
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{1}, NodeId{3}}) == Approx(0.6).epsilon(1e-8));
  CHECK(admitted(*routes, {TrafficClass{0}, NodeId{0}, NodeId{2}}) == Approx(0.8).epsilon(1e-8));
}

}  // namespace wan::controller
