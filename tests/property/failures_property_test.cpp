#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "controller/failure_set.h"
#include "controller/planner.h"
#include "controller/protection_planner.h"
#include "controller/reference_lp.h"
#include "core/link_load.h"
#include "simulator/program/failure_verifier.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

// Every failure of small random networks, against linear programs over every simple path that is left.

namespace wan::controller {
namespace {

constexpr std::uint64_t kSeeds = 60;
constexpr double kGap = 0.005;

/// A network of at most six nodes, some of whose links share a risk, with demands, its plan and all its failures.
struct Drawn {
  explicit Drawn(std::uint64_t seed) : Drawn{Rng{seed, "failing networks"}} {}

  Topology topology;
  TrafficMatrix demand;
  PathPlan base;
  std::vector<Failure> failures;

 private:
  explicit Drawn(Rng rng) {
    const std::size_t n = 3 + rng.below(4);
    const Topology plain = test::drawn_network(
        rng, {.nodes = n, .two_way_links = n + rng.below(5), .capacity_decades = 1.5, .parallel_chance = 0.2});
    std::vector<Link> links(plain.links().begin(), plain.links().end());
    for (Link& link : links) {
      if (rng.uniform() < 0.3) link.srlgs.push_back(SrlgId{rng.below(3)});
    }
    topology = Topology::make({plain.nodes().begin(), plain.nodes().end()}, std::move(links)).value();
    demand = test::drawn_demand(rng, n, 0.2 + 0.8 * rng.uniform(), 1e7);
    base = plan_paths(topology, demand, {.gap = kGap, .least_delay = false}).value().plan;
    failures = link_failures(topology);
    for (auto& failure : srlg_failures(topology, {})) failures.push_back(std::move(failure));
    for (auto& failure : node_failures(topology)) failures.push_back(std::move(failure));
  }
};

bool works(const Topology& failed, std::span<const LinkId> path) {
  return std::all_of(path.begin(), path.end(), [&](LinkId link) { return failed.link(link).up; });
}

/// The least largest utilisation when only what crossed the failure may move, to any simple path that is left.
double best_protection(const Drawn& drawn, const Topology& failed) {
  std::vector<test::Commodity> commodities;
  for (std::size_t d = 0; d < drawn.base.demand_count(); ++d) {
    const Demand& key = drawn.base.demands()[d];
    const double bps = drawn.demand.at(key.from, key.to).bps();
    if (bps == 0.0) continue;
    double displaced = 0.0;
    for (std::size_t p = 0; p < drawn.base.path_count(d); ++p) {
      const auto [fraction, links] = drawn.base.path(d, p);
      if (works(failed, links)) {
        commodities.push_back({{{links.begin(), links.end()}}, {bps * fraction}});
      } else {
        displaced += bps * fraction;
      }
    }
    auto ways = test::simple_paths(failed, key.from, key.to);
    if (displaced > 0.0 && !ways.empty()) commodities.push_back({std::move(ways), {displaced}});
  }
  return commodities.empty() ? 0.0 : test::best_mean_utilization(failed, commodities, 1);
}

}  // namespace

TEST_CASE("every failure is re-optimised to within half a percent of the LP's optimum", "[failures][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    for (const Failure& failure : drawn.failures) {
      CAPTURE(seed, failure.name);
      const Topology failed = after_failure(drawn.topology, failure);
      const auto routes = plan_paths(failed, drawn.demand, {.gap = kGap, .least_delay = false});
      REQUIRE(routes);
      const double best = ReferenceLp{failed}.best_utilization(drawn.demand).value();
      CHECK(routes->certificate.utilization <= best * (1.0 + kGap) + 1e-15);
      CHECK(test::PathLp{failed}.best_utilization(drawn.demand) == Approx(best).epsilon(1e-6).margin(1e-12));
    }
  }
}

TEST_CASE("backups come within 1.5 percent of the best that leaves all others where they are", "[failures][property]") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    const ProtectionPlanner planner{drawn.topology, drawn.demand, drawn.base};
    for (const Failure& failure : drawn.failures) {
      CAPTURE(seed, failure.name);
      const Topology failed = after_failure(drawn.topology, failure);
      const Protection protection = planner.protect(failure);
      const double best = best_protection(drawn, failed);
      CHECK(protection.lower_bound <= best * (1.0 + 1e-6));
      CHECK(protection.utilization >= best * (1.0 - 1e-6));
      CHECK(protection.utilization <= best * 1.0155);
      compared += protection.backups.demand_count() > 0;
    }
  }
  CHECK(compared > 400);
}

TEST_CASE("backups avoid what failed, sum to 1 and leave everybody else alone", "[failures][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    const ProtectionPlanner planner{drawn.topology, drawn.demand, drawn.base};
    for (const Failure& failure : drawn.failures) {
      CAPTURE(seed, failure.name);
      const Topology failed = after_failure(drawn.topology, failure);
      const Protection protection = planner.protect(failure);
      const auto sound = protection.backups.check(failed);
      INFO((sound ? "" : sound.error().message));
      CHECK(sound);
      const PathPlan in_force = with_backups(failed, drawn.base, protection.backups);
      CHECK(in_force.check(failed));
      CHECK(test::covers_connected_pairs(failed, in_force));
      CHECK(max_utilization(failed, in_force, drawn.demand) ==
            Approx(protection.utilization).epsilon(1e-9).margin(1e-15));
      const PathPlan naive = rescaled(failed, drawn.base);
      CHECK(naive.check(failed));
      CHECK(test::covers_connected_pairs(failed, naive));
      CHECK(planner.protect(failure).backups == protection.backups);
    }
  }
}

TEST_CASE("the verifier holds every answer", "[failures][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    const ProtectionPlanner planner{drawn.topology, drawn.demand, drawn.base};
    for (const Failure& failure : drawn.failures) {
      CAPTURE(seed, failure.name);
      const Topology failed = after_failure(drawn.topology, failure);
      const auto routes = plan_paths(failed, drawn.demand, {.gap = kGap, .least_delay = false}).value();
      const Protection protection = planner.protect(failure);
      CHECK(protection.lost == routes.unrouted);
      const PathPlan naive = rescaled(failed, drawn.base);
      const auto held = simulator::verify_failure(drawn.topology, drawn.demand, drawn.base,
                                                  {.failure = failure,
                                                   .replanned = {.topology_digest = drawn.topology.digest(),
                                                                 .plan = routes.plan,
                                                                 .certificate = routes.certificate,
                                                                 .unrouted = routes.unrouted},
                                                   .backups = protection.backups,
                                                   .protected_utilization = protection.utilization,
                                                   .rescaled = naive,
                                                   .rescaled_utilization = max_utilization(failed, naive, drawn.demand),
                                                   .lost = routes.unrouted});
      INFO((held ? "" : held.error().message));
      CHECK(held);
    }
  }
}

}  // namespace wan::controller
