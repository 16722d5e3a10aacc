#include "controller/path_simplex.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/random.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using Outcome = PathSimplex::Outcome;
constexpr std::size_t kMany = 100'000;

/// Every simple path of every pair of a small network, and the numbers of a matrix in the same order.
struct Paths {
  explicit Paths(const Topology& topology) : nodes{topology.node_count()}, of_pair(nodes * nodes) {
    for (const Link& link : topology.links()) capacity.push_back(link.capacity.bps());
    for (std::size_t s = 0; s < nodes; ++s) {
      for (std::size_t t = 0; t < nodes; ++t) {
        if (s == t) continue;
        for (const auto& path : test::simple_paths(topology, NodeId{s}, NodeId{t})) {
          auto& links = of_pair[s * nodes + t].emplace_back();
          for (const LinkId link : path) links.push_back(static_cast<std::uint32_t>(link.index()));
        }
      }
    }
  }
  [[nodiscard]] PathSimplex at_home() const {
    PathSimplex simplex{capacity, of_pair.size()};
    for (std::size_t pair = 0; pair < of_pair.size(); ++pair) {
      if (!of_pair[pair].empty()) simplex.set_home(pair, of_pair[pair].front());
    }
    return simplex;
  }
  /// Adds what saves something until nothing does. A path is added once: what is held already saves nothing.
  Outcome add_all(PathSimplex& simplex) const {
    Outcome outcome = Outcome::kOptimal;
    int count = 0;
    for (bool added = true; added && outcome == Outcome::kOptimal;) {
      added = false;
      for (std::size_t pair = 0; pair < of_pair.size(); ++pair) {
        for (const auto& path : of_pair[pair]) {
          if (!(simplex.saving(pair, path) > 1e-12)) continue;
          if (++count > 1000) return Outcome::kBroken;  // more than there are
          simplex.add_path(pair, path);
          added = true;
        }
      }
      if (added) outcome = simplex.improve();
    }
    return outcome;
  }

  std::size_t nodes;
  std::vector<double> capacity;
  std::vector<std::vector<std::vector<std::uint32_t>>> of_pair;
};

/// That flows are what the demands ask for, and load no link above the utilisation claimed.
void check_flows(const PathSimplex& simplex, const Paths& paths, const TrafficMatrix& demand) {
  std::vector<double> load(paths.capacity.size(), 0.0), carried(demand.bps().size(), 0.0);
  simplex.for_each_flow([&](std::size_t pair, std::span<const std::uint32_t> links, double bps) {
    CHECK(bps > 0.0);
    carried[pair] += bps;
    for (const std::uint32_t l : links) load[l] += bps / paths.capacity[l];
  });
  const double total = std::accumulate(demand.bps().begin(), demand.bps().end(), 0.0);
  for (std::size_t pair = 0; pair < carried.size(); ++pair) {
    CHECK(carried[pair] == Approx(demand.bps()[pair]).epsilon(1e-9).margin(1e-9 * total));
  }
  CHECK(*std::max_element(load.begin(), load.end()) == Approx(simplex.utilization()).epsilon(1e-8));
}

TrafficMatrix changed(Rng& rng, const TrafficMatrix& demand) {
  TrafficMatrix next = demand;
  const bool leaps = rng.below(4) == 0;
  for (double& bps : next.bps()) {
    bps *= leaps ? std::pow(10.0, 2.0 * rng.uniform() - 1.0) : 0.8 + 0.4 * rng.uniform();
    if (rng.below(20) == 0) bps = 0.0;
  }
  return next;
}

}  // namespace

TEST_CASE("the simplex method over all paths finds the optimum, matrix after matrix", "[solver]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "path simplex"};
    const std::size_t n = 2 + rng.below(5);
    // Capacities all alike, in every third network, make every choice a tie.
    const Topology topology = test::drawn_network(
        rng, {.nodes = n, .two_way_links = n + rng.below(4), .capacity_decades = seed % 3 == 0 ? 0.0 : 3.0});
    const Paths paths{topology};
    const test::PathLp truth{topology};
    PathSimplex simplex = paths.at_home();
    const TrafficMatrix first = test::drawn_demand(rng, n, 0.8, 1e7);
    TrafficMatrix demand = first;
    for (int interval = 0; interval < 8; ++interval) {
      CAPTURE(interval);
      if (std::none_of(demand.bps().begin(), demand.bps().end(), [](double bps) { return bps > 0.0; })) break;
      REQUIRE(simplex.follow(demand.bps(), 1e-12, kMany) == Outcome::kOptimal);
      REQUIRE(paths.add_all(simplex) == Outcome::kOptimal);
      const double best = truth.best_utilization(demand);
      CHECK(simplex.utilization() == Approx(best).epsilon(1e-7));
      check_flows(simplex, paths, demand);
      CHECK(std::accumulate(simplex.prices().begin(), simplex.prices().end(), 0.0) == Approx(1.0).epsilon(1e-7));
      CHECK(*std::min_element(simplex.prices().begin(), simplex.prices().end()) >= 0.0);

      if (interval % 3 == 2) {
        REQUIRE(simplex.tidy());
        CHECK(simplex.utilization() == Approx(best).epsilon(1e-7));
        check_flows(simplex, paths, demand);
      }
      demand = changed(rng, interval == 5 ? first : demand);
    }
  }
}

TEST_CASE("a simplex method that may take three pivots at a time gets to the optimum all the same", "[solver]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "few pivots"};
    const Topology topology = test::drawn_network(rng, {.nodes = 6, .two_way_links = 9});
    const Paths paths{topology};
    PathSimplex simplex = paths.at_home();
    TrafficMatrix demand = test::drawn_demand(rng, 6, 0.8, 1e7);
    for (int interval = 0; interval < 4; ++interval) {
      CAPTURE(interval);
      Outcome outcome = Outcome::kOutOfPivots;
      int tries = 0;
      for (; outcome == Outcome::kOutOfPivots && tries < 1000; ++tries) {
        outcome = simplex.follow(demand.bps(), 1e-12, 3);
        if (outcome == Outcome::kOptimal) outcome = paths.add_all(simplex);
      }
      REQUIRE(outcome == Outcome::kOptimal);
      CHECK(simplex.utilization() == Approx(test::PathLp{topology}.best_utilization(demand)).epsilon(1e-7));
      check_flows(simplex, paths, demand);
      for (double& bps : demand.bps()) bps *= 0.5 + rng.uniform();
    }
  }
}

TEST_CASE("a link that may be a little too full makes no flow negative and no demand carry too much", "[solver]") {
  constexpr double kTolerance = 0.02;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "tolerance"};
    const Topology topology = test::drawn_network(rng, {.nodes = 6, .two_way_links = 9, .capacity_decades = 0.5});
    const Paths paths{topology};
    PathSimplex simplex = paths.at_home();
    TrafficMatrix demand = test::drawn_demand(rng, 6, 0.8, 1e7);
    for (int interval = 0; interval < 20; ++interval) {
      CAPTURE(interval);
      REQUIRE(simplex.follow(demand.bps(), kTolerance, kMany) == Outcome::kOptimal);
      REQUIRE(paths.add_all(simplex) == Outcome::kOptimal);
      std::vector<double> carried(demand.bps().size(), 0.0);
      simplex.for_each_flow(
          [&](std::size_t pair, std::span<const std::uint32_t>, double bps) { carried[pair] += bps; });
      for (std::size_t pair = 0; pair < carried.size(); ++pair) {
        CHECK(carried[pair] == Approx(demand.bps()[pair]).epsilon(1e-6).margin(1.0));
      }
      for (double& bps : demand.bps()) bps *= std::exp(rng.normal() * (rng.below(8) == 0 ? 2.0 : 0.05));
    }
  }
}

TEST_CASE("what a path saves is what the utilisation falls by, a bit at a time", "[solver]") {
  // n0 -> n1 directly or by n2; the direct link is half as wide as the others.
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                                    {.from = 0, .to = 2, .capacity_bps = 2e9},
                                                    {.from = 2, .to = 1, .capacity_bps = 2e9}});
  const Paths paths{topology};
  PathSimplex simplex{paths.capacity, 9};
  const std::vector<std::uint32_t> direct{0}, by_way{1, 2};
  simplex.set_home(1, direct);
  TrafficMatrix demand{3};
  demand.set(NodeId{0}, NodeId{1}, BitRate::bps(6e8));
  REQUIRE(simplex.follow(demand.bps(), 1e-12, kMany) == Outcome::kOptimal);
  CHECK(simplex.utilization() == Approx(0.6));
  CHECK(simplex.saving(1, by_way) == Approx(1.0));  // all of the utilisation hangs on the direct link
  simplex.add_path(1, by_way);
  REQUIRE(simplex.improve() == Outcome::kOptimal);
  CHECK(simplex.utilization() == Approx(0.2));  // 2e8 directly, 4e8 by the wider way
  CHECK(simplex.saving(1, by_way) == 0.0);
  CHECK(simplex.saving(1, direct) == 0.0);
}

}  // namespace wan::controller
