#include "controller/class_planner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/random.h"
#include "tests/property/class_wishes.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using test::ClassWishes;

constexpr double kGap = 1e-4;

/// Every level against the LP over every path, given what the plan left to the levels before.
void check_levels(const ClassWishes& wishes, const ClassRoutes& routes) {
  const auto named = test::commodities_of(wishes);
  std::vector<double> limits;
  for (std::size_t k = 0; k < routes.levels.size(); ++k) {
    const LevelCertificate& level = routes.levels[k];
    const double best = test::best_level_utilization(wishes.topology, named.commodities, k, limits);
    CAPTURE(k, best, level.utilization, level.lower_bound, level.limit);
    CHECK(level.lower_bound <= best * (1.0 + 1e-7));
    CHECK(level.utilization >= best * (1.0 - 1e-6));
    CHECK(level.limit <= std::max(best, level.level.utilization_target.value_or(0.0)) * (1.0 + kGap + 1e-6));
    CHECK(level.utilization <= level.limit * (1.0 + 1e-7));
    limits.push_back(level.limit);
  }
}

}  // namespace

TEST_CASE("each level comes within the gap of the LP that holds the levels above", "[classes][property]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, false};
    const auto routes = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
    REQUIRE(routes);
    REQUIRE(routes->plan.check(wishes.topology));
    CHECK(test::worst_split_error(routes->plan) < 1e-9);
    CHECK(test::covers_connected_pairs(wishes.topology, routes->plan, wishes.class_count));
    check_levels(wishes, *routes);
  }
}

TEST_CASE("with rules and pins too, and no path breaks a rule that some path follows", "[classes][property]") {
  std::size_t ruled = 0, broken = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, true};
    const auto routes = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
    REQUIRE(routes);
    REQUIRE(routes->plan.check(wishes.topology));
    std::vector<BrokenRule> given_up;
    for (std::size_t d = 0; d < routes->plan.demand_count(); ++d) {
      const Demand& demand = routes->plan.demands()[d];
      const auto allowed = test::allowed_paths(wishes, demand);
      if (allowed.broken) {
        REQUIRE(routes->plan.path_count(d) == 1);
        if (wishes.traffic.at(demand.cls, demand.from, demand.to).bps() > 0.0) {
          given_up.push_back({demand, *allowed.broken});
        }
        continue;
      }
      for (std::size_t p = 0; p < routes->plan.path_count(d); ++p) {
        const auto links = routes->plan.path(d, p).links;
        REQUIRE(std::find(allowed.paths.begin(), allowed.paths.end(),
                          std::vector<LinkId>(links.begin(), links.end())) != allowed.paths.end());
        ++ruled;
      }
    }
    CHECK(routes->broken == given_up);
    broken += given_up.size();
    check_levels(wishes, *routes);
  }
  CHECK(ruled > 1'000);
  CHECK(broken > 30);
}

TEST_CASE("traffic of a lower priority does not hurt a higher one", "[classes][property]") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    ClassWishes wishes{seed, seed % 2 == 0};
    const auto levels = wishes.levels();
    if (levels.size() < 2) continue;
    const auto before = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
    for (const TrafficClass cls : levels.back().classes) {
      const std::size_t n = wishes.topology.node_count();
      for (double& rate : wishes.traffic.bps().subspan(cls.index() * n * n, n * n)) rate *= 20.0;
    }
    const auto after = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
    REQUIRE((before && after));
    // The optimum of the first level depends on nothing below it.
    const double first_best = std::max(before->levels[0].lower_bound, after->levels[0].lower_bound);
    CHECK(after->levels[0].utilization <= first_best * (1.0 + 2.0 * kGap));
    for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
      CHECK(after->levels[k].utilization <= after->levels[k].lower_bound * (1.0 + kGap + 1e-6));
      ++compared;
    }
  }
  CHECK(compared > 60);
}

TEST_CASE("more capacity raises no first level's optimum, and the order of nodes changes no value",
          "[classes][property]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, false};
    const auto plain = plan_classes(wishes.topology, wishes.traffic, wishes.policies, {.gap = kGap});
    REQUIRE(plain);

    Rng rng{seed, "more capacity"};
    std::vector<Link> links{wishes.topology.links().begin(), wishes.topology.links().end()};
    links[rng.below(links.size())].capacity = links[rng.below(links.size())].capacity * 3.0;
    for (std::size_t l = 0; l < links.size(); ++l) {
      links[l].capacity = std::max(links[l].capacity, wishes.topology.links()[l].capacity);
    }
    const std::vector<Node> nodes{wishes.topology.nodes().begin(), wishes.topology.nodes().end()};
    const auto wider = Topology::make(nodes, links);
    REQUIRE(wider);
    const auto roomy = plan_classes(*wider, wishes.traffic, wishes.policies, {.gap = kGap});
    REQUIRE(roomy);
    CHECK(roomy->levels[0].lower_bound <= plain->levels[0].utilization * (1.0 + 1e-9));

    // The nodes in reverse.
    const std::size_t n = nodes.size();
    std::vector<Link> turned{wishes.topology.links().begin(), wishes.topology.links().end()};
    for (Link& link : turned) {
      link.from = NodeId{n - 1 - link.from.index()};
      link.to = NodeId{n - 1 - link.to.index()};
    }
    const auto reversed = Topology::make({nodes.rbegin(), nodes.rend()}, turned);
    REQUIRE(reversed);
    TrafficMatrix traffic{n, wishes.class_count};
    for (std::size_t e = 0; e < traffic.bps().size(); ++e) {
      const std::size_t cls = e / (n * n), from = e / n % n, to = e % n;
      traffic.bps()[(cls * n + n - 1 - from) * n + n - 1 - to] = wishes.traffic.bps()[e];
    }
    const auto other = plan_classes(*reversed, traffic, wishes.policies, {.gap = kGap});
    REQUIRE(other);
    CHECK(other->levels[0].utilization == Approx(plain->levels[0].utilization).epsilon(2.0 * kGap));
  }
}

TEST_CASE("a level at its target goes no lower, and what that frees goes to the level below", "[classes]") {
  // Two ways from 0 to 1: straight (1 ms), and by way of node 2 (20 ms). Each carries 10.
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1, .capacity_bps = 10, .delay_ms = 1},
                                                    {.from = 0, .to = 2, .capacity_bps = 10, .delay_ms = 10},
                                                    {.from = 2, .to = 1, .capacity_bps = 10, .delay_ms = 10}});
  TrafficMatrix traffic{3, 2};
  traffic.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(4));
  PolicySet policies;
  policies.classes.push_back({.name = "gold", .priority = 1});
  const auto split = plan_classes(topology, traffic, policies, {.gap = 1e-3});
  REQUIRE(split);
  CHECK(split->levels[0].utilization == Approx(0.2).epsilon(2e-3));

  policies.classes[1].utilization_target = 0.5;
  const auto relaxed = plan_classes(topology, traffic, policies, {.gap = 1e-3});
  REQUIRE(relaxed);
  CHECK(relaxed->levels[0].limit == Approx(0.5).epsilon(1e-6));
  // Below its target gold takes the short way where that costs nobody anything.
  CHECK(relaxed->levels[0].utilization > 0.2);
  CHECK(relaxed->levels[0].utilization <= 0.5);
}

TEST_CASE("classes of one priority are one level; a matrix of another network is refused", "[classes]") {
  PolicySet policies;
  policies.classes = {{.name = "default", .utilization_target = 0.7},
                      {.name = "gold", .priority = 5, .utilization_target = 0.5},
                      {.name = "silver", .priority = 0, .utilization_target = 0.4},
                      {.name = "voice", .priority = 5}};
  const auto levels = priority_levels(policies, 5);
  REQUIRE(levels.size() == 2);
  CHECK(levels[0].priority == 5);
  CHECK(levels[0].classes == std::vector<TrafficClass>{TrafficClass{1}, TrafficClass{3}});
  CHECK_FALSE(levels[0].utilization_target);
  CHECK(levels[1].classes == std::vector<TrafficClass>{TrafficClass{0}, TrafficClass{2}, TrafficClass{4}});
  CHECK_FALSE(levels[1].utilization_target);  // class 4 is not known and wants all that can be had
  CHECK(priority_levels(policies, 3)[1].utilization_target == 0.4);

  const Topology topology = test::lines_network(2, {{.from = 0, .to = 1}});
  const auto refused = plan_classes(topology, TrafficMatrix{3}, policies);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kShapeMismatch);
}

}  // namespace wan::controller
