#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/dual_bound.h"
#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

constexpr std::uint64_t kSeeds = 150;

/// A network of at most six nodes and something to send over it: the seed decides on its shape.
struct Drawn {
  explicit Drawn(std::uint64_t seed) : Drawn{Rng{seed, "small networks"}} {}

  Topology topology;
  TrafficMatrix demand;

 private:
  explicit Drawn(Rng rng) {
    const std::size_t n = 2 + rng.below(5);
    topology = test::drawn_network(
        rng, {.nodes = n, .two_way_links = n + rng.below(5), .parallel_chance = 0.3, .connected = rng.uniform() < 0.7});
    demand = test::drawn_demand(rng, n, 0.15 + 0.85 * rng.uniform(), 1e7 * std::pow(10.0, 3.0 * rng.uniform()));
  }
};

double best_of(const Topology& topology, const TrafficMatrix& demand) {
  ReferenceLp lp{topology};
  return lp.best_utilization(demand).value();
}

/// Node number n becomes order[n].
Topology reordered(const Topology& topology, const std::vector<std::size_t>& order) {
  std::vector<Node> nodes(topology.node_count());
  for (std::size_t n = 0; n < nodes.size(); ++n) nodes[order[n]] = topology.nodes()[n];
  std::vector<Link> links(topology.links().begin(), topology.links().end());
  for (Link& link : links) {
    link.from = NodeId{order[link.from.index()]};
    link.to = NodeId{order[link.to.index()]};
  }
  std::reverse(links.begin(), links.end());
  return Topology::make(std::move(nodes), std::move(links)).value();
}

TrafficMatrix reordered(const TrafficMatrix& demand, const std::vector<std::size_t>& order) {
  TrafficMatrix result{demand.node_count()};
  for (std::size_t s = 0; s < demand.node_count(); ++s) {
    for (std::size_t t = 0; t < demand.node_count(); ++t) {
      result.set(NodeId{order[s]}, NodeId{order[t]}, demand.at(NodeId{s}, NodeId{t}));
    }
  }
  return result;
}

Topology with_capacity(const Topology& topology, std::size_t link, double factor) {
  std::vector<Link> links(topology.links().begin(), topology.links().end());
  links[link].capacity = links[link].capacity * factor;
  return Topology::make({topology.nodes().begin(), topology.nodes().end()}, std::move(links)).value();
}

}  // namespace

TEST_CASE("plans reach the LP's optimum within the gap asked for, and prove it", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    const double best = best_of(drawn.topology, drawn.demand);
    for (const double gap : {0.01, 1e-4}) {
      for (const bool least_delay : {true, false}) {
        CAPTURE(seed, gap, least_delay, best);
        const auto routes = plan_paths(drawn.topology, drawn.demand, {.gap = gap, .least_delay = least_delay});
        REQUIRE(routes);
        const auto checked = routes->plan.check(drawn.topology);
        INFO((checked ? "" : checked.error().message));
        CHECK(checked);
        CHECK(test::covers_connected_pairs(drawn.topology, routes->plan));
        CHECK(test::worst_split_error(routes->plan) <= 1e-9);
        CHECK(routes->unrouted == unconnected_demands(drawn.topology, drawn.demand));

        const Certificate& proof = routes->certificate;
        CHECK(proof.utilization == max_utilization(drawn.topology, routes->plan, drawn.demand));
        CHECK(proof.utilization >= best * (1.0 - 1e-7));
        CHECK(proof.utilization <= best * (1.0 + gap + 1e-7));
        CHECK(proof.lower_bound <= best * (1.0 + 1e-9) + 1e-300);
        CHECK(proof.gap() <= gap + 1e-12);
        CHECK(dual_bound(drawn.topology, drawn.demand, proof.duals) == Approx(proof.lower_bound).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("the order of nodes and links changes nothing but names", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const Drawn drawn{seed};
    Rng rng{seed, "order"};
    std::vector<std::size_t> order(drawn.topology.node_count());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
    const auto plain = plan_paths(drawn.topology, drawn.demand, {.gap = 1e-4});
    const auto other = plan_paths(reordered(drawn.topology, order), reordered(drawn.demand, order), {.gap = 1e-4});
    REQUIRE(plain);
    REQUIRE(other);
    CHECK(plain->certificate.utilization == Approx(other->certificate.utilization).epsilon(1.01e-4));
    CHECK(plain->unrouted.size() == other->unrouted.size());
  }
}

TEST_CASE("more capacity never makes the best plan worse", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const Drawn drawn{seed};
    Rng rng{seed, "capacity"};
    const Topology wider =
        with_capacity(drawn.topology, rng.below(drawn.topology.link_count()), 1.0 + 9.0 * rng.uniform());
    CHECK(best_of(wider, drawn.demand) <= best_of(drawn.topology, drawn.demand) * (1.0 + 1e-7));
    const double gap = 1e-3;
    const auto before = plan_paths(drawn.topology, drawn.demand, {.gap = gap});
    const auto after = plan_paths(wider, drawn.demand, {.gap = gap});
    REQUIRE(before);
    REQUIRE(after);
    CHECK(after->certificate.utilization <= before->certificate.utilization * (1.0 + gap + 1e-9));
  }
}

TEST_CASE("utilisation scales with demand and against capacity", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drawn drawn{seed};
    const auto plain = plan_paths(drawn.topology, drawn.demand, {.gap = 1e-3});
    REQUIRE(plain);
    for (const double factor : {1e-6, 0.3, 7.0, 1e6}) {
      CAPTURE(seed, factor);
      const auto scaled = plan_paths(drawn.topology, drawn.demand.scaled(factor), {.gap = 1e-3});
      REQUIRE(scaled);
      CHECK(scaled->certificate.utilization == Approx(plain->certificate.utilization * factor).epsilon(1.01e-3));
      CHECK(scaled->certificate.gap() <= 1e-3 + 1e-12);
    }
  }
}

TEST_CASE("equal inputs give equal plans", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const Drawn drawn{seed};
    const auto first = plan_paths(drawn.topology, drawn.demand, {.gap = 1e-3});
    const auto second = plan_paths(drawn.topology, drawn.demand, {.gap = 1e-3});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->plan == second->plan);
    CHECK(first->certificate == second->certificate);
  }
}

TEST_CASE("one thread or several give the very same plan", "[planner][property]") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Rng rng{seed, "threads"};
    const std::size_t n = 44 + rng.below(20);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = 2 * n, .capacity_decades = 1.0});
    const TrafficMatrix demand = test::drawn_demand(rng, n, 0.5, 1e6);
    const auto alone = plan_paths(topology, demand, {.gap = 0.01, .threads = 1});
    REQUIRE(alone);
    for (const int threads : {2, 3, 7}) {
      CAPTURE(seed, threads);
      const auto together = plan_paths(topology, demand, {.gap = 0.01, .threads = threads});
      REQUIRE(together);
      CHECK(together->plan == alone->plan);
      CHECK(together->certificate == alone->certificate);
    }
  }
}

}  // namespace wan::controller
