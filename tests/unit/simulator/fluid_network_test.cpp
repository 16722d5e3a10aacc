#include "simulator/fluid_network.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/igp_routing.h"
#include "core/io/topology_file.h"
#include "core/link_load.h"
#include "core/random.h"
#include "core/shortest_paths.h"
#include "simulator/workload.h"
#include "tests/support/shared_data.h"

namespace wan::simulator {
namespace {

using namespace std::chrono_literals;

struct TestLink {
  std::size_t from, to;
  double mbps;
  Duration delay{1ms};
};

Topology network(std::size_t node_count, const std::vector<TestLink>& test_links) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < node_count; ++n)
    nodes.push_back({std::string(1, static_cast<char>('A' + n)), std::nullopt});
  std::vector<Link> links;
  for (const TestLink& link : test_links) {
    links.push_back({.name = "link" + std::to_string(links.size()),
                     .from = NodeId{link.from},
                     .to = NodeId{link.to},
                     .capacity = BitRate::mbps(link.mbps),
                     .delay = link.delay,
                     .srlgs = {}});
  }
  return Topology::make(nodes, links).value();
}

struct TestDemand {
  std::size_t from, to;
  double mbps;
};

TrafficMatrix traffic(std::size_t node_count, const std::vector<TestDemand>& demands) {
  TrafficMatrix matrix{node_count};
  for (const auto& [from, to, mbps] : demands) matrix.set(NodeId{from}, NodeId{to}, BitRate::mbps(mbps));
  return matrix;
}

double share(const FluidOutcome& outcome, std::size_t node_count, std::size_t from, std::size_t to) {
  return outcome.delivered_share[from * node_count + to];
}

FluidOutcome carry_by_hops(const Topology& topology, const TrafficMatrix& matrix) {
  const PathPlan plan = igp_plan(topology, hop_costs(topology)).value();
  return FluidNetwork{topology}.carry(plan, matrix);
}

/// A ring of n nodes with one-way links of 1 Mbit/s; every node sends `mbps` to the node before it, all the way round.
FluidOutcome carry_round_a_ring(std::size_t n, std::size_t hops, double mbps) {
  std::vector<TestLink> links;
  std::vector<TestDemand> demands;
  for (std::size_t i = 0; i < n; ++i) {
    links.push_back({i, (i + 1) % n, 1.0});
    demands.push_back({i, (i + hops) % n, mbps});
  }
  return carry_by_hops(network(n, links), traffic(n, demands));
}

/// A ring of two-way links with chords; every demand split at random over paths found under random link costs.
struct RandomCase {
  Topology topology;
  PathPlan plan;
  TrafficMatrix matrix;
};

RandomCase random_case(std::uint64_t seed, double mbps_mean) {
  Rng rng{seed};
  const std::size_t n = 4 + rng.below(8);
  std::vector<TestLink> links;
  const auto both_ways = [&](std::size_t a, std::size_t b) {
    links.push_back({a, b, 1.0 + 9.0 * rng.uniform()});
    links.push_back({b, a, 1.0 + 9.0 * rng.uniform()});
  };
  for (std::size_t i = 0; i < n; ++i) both_ways(i, (i + 1) % n);
  for (std::size_t c = 0; c < n / 2; ++c) {
    const std::size_t a = rng.below(n), b = rng.below(n);
    if (a != b) both_ways(a, b);
  }
  RandomCase made{.topology = network(n, links), .plan = {}, .matrix = TrafficMatrix{n}};

  PathPlanBuilder builder;
  for (std::size_t from = 0; from < n; ++from) {
    for (std::size_t to = 0; to < n; ++to) {
      if (from == to) continue;
      if (rng.uniform() < 0.8) {
        made.matrix.set(NodeId{from}, NodeId{to}, BitRate::mbps(mbps_mean * rng.exponential()));
      }
      builder.begin_demand({TrafficClass{0}, NodeId{from}, NodeId{to}});
      for (std::size_t p = 0; p < 4; ++p) {
        std::vector<double> cost;
        for (std::size_t l = 0; l < made.topology.link_count(); ++l) cost.push_back(0.1 + rng.uniform());
        const ShortestPathTree tree = shortest_path_tree(made.topology, NodeId{from}, cost);
        builder.add_path(0.1 + rng.uniform(), tree.path_to(made.topology, NodeId{to}));
      }
    }
  }
  made.plan = std::move(builder).build();
  return made;
}

TEST_CASE("a saturated link passes the same share of every flow", "[fluid]") {
  const Topology topology = network(3, {{0, 1, 10.0}, {2, 0, 100.0}});
  const auto outcome = carry_by_hops(topology, traffic(3, {{0, 1, 12.0}, {2, 1, 8.0}}));
  CHECK(outcome.max_utilization == Approx(2.0).epsilon(1e-12));
  CHECK(share(outcome, 3, 0, 1) == Approx(0.5).epsilon(1e-12));
  CHECK(share(outcome, 3, 2, 1) == Approx(0.5).epsilon(1e-12));
  CHECK(outcome.carried[0].mbps() == Approx(10.0).epsilon(1e-12));
  CHECK(outcome.carried[1].mbps() == Approx(8.0).epsilon(1e-12));
  CHECK(outcome.offered.mbps() == Approx(20.0).epsilon(1e-12));
  CHECK(outcome.delivered.mbps() == Approx(10.0).epsilon(1e-12));
  CHECK(outcome.overloaded == std::vector<LinkId>{LinkId{0}});
}

TEST_CASE("a tighter second link drops from what the first has thinned", "[fluid]") {
  const auto outcome = carry_by_hops(network(3, {{0, 1, 10.0}, {1, 2, 6.0}}), traffic(3, {{0, 2, 20.0}}));
  CHECK(share(outcome, 3, 0, 2) == Approx(0.3).epsilon(1e-12));
  CHECK(outcome.carried[0].mbps() == Approx(10.0).epsilon(1e-12));
  CHECK(outcome.carried[1].mbps() == Approx(6.0).epsilon(1e-12));
  CHECK(outcome.offered_utilization[1] == Approx(20.0 / 6.0).epsilon(1e-12));
}

TEST_CASE("a link that only looks overloaded drops nothing", "[fluid]") {
  const auto outcome = carry_by_hops(network(3, {{0, 1, 10.0}, {1, 2, 12.0}}), traffic(3, {{0, 2, 20.0}}));
  CHECK(outcome.overloaded.size() == 2);
  CHECK(share(outcome, 3, 0, 2) == Approx(0.5).epsilon(1e-12));
  CHECK(outcome.carried[1].mbps() == Approx(10.0).epsilon(1e-12));
}

TEST_CASE("cross traffic meets the thinned load", "[fluid]") {
  const Topology topology = network(3, {{0, 1, 10.0}, {1, 2, 15.0}});
  const auto outcome = carry_by_hops(topology, traffic(3, {{0, 2, 20.0}, {1, 2, 20.0}}));
  CHECK(share(outcome, 3, 0, 2) == Approx(0.25).epsilon(1e-12));
  CHECK(share(outcome, 3, 1, 2) == Approx(0.5).epsilon(1e-12));
  CHECK(outcome.carried[1].mbps() == Approx(15.0).epsilon(1e-12));
}

TEST_CASE("merging flows, each thinned before, share the link where they meet", "[fluid]") {
  // A>C at 4 of 8, B>C at 6 of 8, then C>D holds 5 of the 4 + 6 that arrive.
  const Topology topology = network(4, {{0, 2, 4.0}, {1, 2, 6.0}, {2, 3, 5.0}});
  const auto outcome = carry_by_hops(topology, traffic(4, {{0, 3, 8.0}, {1, 3, 8.0}}));
  CHECK(share(outcome, 4, 0, 3) == Approx(0.25).epsilon(1e-12));
  CHECK(share(outcome, 4, 1, 3) == Approx(0.375).epsilon(1e-12));
}

TEST_CASE("a circle of links that thin each other reaches its closed form", "[fluid]") {
  // Each link carries a fresh flow and one thinned once: s (1 + s) = 1 / rate.
  for (const double mbps : {0.6, 1.0, 3.0, 50.0}) {
    const auto outcome = carry_round_a_ring(3, 2, mbps);
    const double passed = (std::sqrt(1.0 + 4.0 / mbps) - 1.0) / 2.0;
    INFO("rate " << mbps << " Mbit/s, " << outcome.rounds << " rounds");
    CHECK(share(outcome, 3, 0, 2) == Approx(passed * passed).epsilon(1e-12));
    CHECK(outcome.share_error <= 1e-13);
  }
}

TEST_CASE("long circles, where plain substitution would swing for ever, still converge", "[fluid]") {
  for (const std::size_t n : {6u, 9u, 12u}) {
    const double hops = static_cast<double>(n - 1);
    for (const double load : {1.01, 1.2, 2.0, 20.0}) {
      const auto outcome = carry_round_a_ring(n, n - 1, load / hops);
      INFO(n << " nodes, load " << load << ", " << outcome.rounds << " rounds, error " << outcome.share_error);
      CHECK(outcome.share_error <= 1e-13);
      // With s the share a link passes, rate * (s + s^2 + ... + s^hops) fills the link.
      const double passed = std::pow(share(outcome, n, 0, n - 1), 1.0 / hops);
      double filled = 0.0, power = passed;
      for (std::size_t h = 0; h + 1 < n; ++h, power *= passed) filled += load / hops * power;
      CHECK(filled == Approx(1.0).epsilon(1e-10));
    }
  }
}

TEST_CASE("delay and its stretch weigh paths by what they are offered", "[fluid]") {
  const Topology topology = network(3, {{0, 2, 10.0, 10ms}, {0, 1, 10.0, 10ms}, {1, 2, 10.0, 20ms}});
  PathPlanBuilder builder;
  builder.begin_demand({TrafficClass{0}, NodeId{0}, NodeId{2}});
  builder.add_path(0.75, std::vector{LinkId{0}});
  builder.add_path(0.25, std::vector{LinkId{1}, LinkId{2}});
  const auto outcome = FluidNetwork{topology}.carry(std::move(builder).build(), traffic(3, {{0, 2, 4.0}}));
  CHECK(outcome.mean_delay == 15ms);
  CHECK(outcome.delay_stretch == Approx(1.5).epsilon(1e-12));
  CHECK(outcome.delivered == outcome.offered);
}

TEST_CASE("a demand that the plan leaves out is lost and named", "[fluid]") {
  const Topology topology = network(3, {{0, 1, 10.0}, {1, 2, 10.0}});
  const auto outcome = carry_by_hops(topology, traffic(3, {{0, 1, 4.0}, {2, 0, 6.0}}));
  REQUIRE(outcome.lost.size() == 1);
  CHECK(demand_name(topology, outcome.lost[0]) == "C>A");
  CHECK(share(outcome, 3, 2, 0) == 0.0);
  CHECK(outcome.offered.mbps() == Approx(10.0));
  CHECK(outcome.delivered.mbps() == Approx(4.0));
}

TEST_CASE("traffic classes are delivered and lost each for itself", "[fluid]") {
  const Topology topology = network(2, {{0, 1, 10.0}});
  TrafficMatrix matrix{2, 2};
  matrix.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::mbps(5.0));
  matrix.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::mbps(15.0));
  const auto both = FluidNetwork{topology}.carry(igp_plan(topology, hop_costs(topology), 2).value(), matrix);
  CHECK(both.delivered_share[1] == Approx(0.5).epsilon(1e-12));
  CHECK(both.delivered_share[4 + 1] == Approx(0.5).epsilon(1e-12));
  const auto one = FluidNetwork{topology}.carry(igp_plan(topology, hop_costs(topology), 1).value(), matrix);
  CHECK(one.delivered_share[1] == 1.0);
  CHECK(one.lost == std::vector<Demand>{{TrafficClass{1}, NodeId{0}, NodeId{1}}});
}

TEST_CASE("nothing is created, whatever the plan and the traffic", "[fluid][property]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto [topology, plan, matrix] = random_case(seed, seed % 3 == 0 ? 0.3 : 3.0);
    const FluidNetwork net{topology};
    const auto outcome = net.carry(plan, matrix);
    INFO("seed " << seed << ", " << outcome.rounds << " rounds, error " << outcome.share_error);
    REQUIRE(outcome.share_error <= 1e-13);
    REQUIRE(outcome.delivered.bps() <= outcome.offered.bps() * (1.0 + 1e-12));
    REQUIRE(outcome.delay_stretch >= 1.0 - 1e-12);
    REQUIRE(outcome.max_utilization == Approx(max_utilization(topology, plan, matrix)).epsilon(1e-12));
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      REQUIRE(outcome.carried[l].bps() <= topology.links()[l].capacity.bps() * (1.0 + 1e-10));
    }
    for (const double delivered : outcome.delivered_share) {
      REQUIRE(delivered >= 0.0);
      REQUIRE(delivered <= 1.0);
    }
    const auto calm = net.carry(plan, matrix.scaled(0.999 / outcome.max_utilization));
    REQUIRE(calm.overloaded.empty());
    REQUIRE(std::all_of(calm.delivered_share.begin(), calm.delivered_share.end(), [](double s) { return s == 1.0; }));
    REQUIRE(calm.delivered == calm.offered);
  }
}

TEST_CASE("surviving paths take over in proportion to their fractions", "[fluid]") {
  const Topology topology = network(4, {{0, 3, 1.0}, {0, 1, 1.0}, {1, 3, 1.0}, {0, 2, 1.0}, {2, 3, 1.0}});
  PathPlanBuilder builder;
  builder.begin_demand({TrafficClass{0}, NodeId{0}, NodeId{3}});
  builder.add_path(0.5, std::vector{LinkId{0}});
  builder.add_path(0.2, std::vector{LinkId{1}, LinkId{2}});
  builder.add_path(0.3, std::vector{LinkId{3}, LinkId{4}});
  const PathPlan plan = std::move(builder).build();
  const PathPlan alive = surviving_plan(topology.with_links_down(std::vector{LinkId{0}}), plan);
  REQUIRE(alive.path_count() == 2);
  CHECK(alive.path(0, 0).fraction == Approx(0.4).epsilon(1e-12));
  CHECK(alive.path(0, 1).fraction == Approx(0.6).epsilon(1e-12));
}

TEST_CASE("the surviving plan is sound and keeps what did not fail", "[fluid][property]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    INFO("seed " << seed);
    const auto [topology, plan, matrix] = random_case(seed, 1.0);
    REQUIRE(surviving_plan(topology, plan) == plan);
    Rng rng{seed, "failures"};
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (rng.uniform() < 0.25) down.push_back(LinkId{l});
    }
    const Topology broken = topology.with_links_down(down);
    const PathPlan alive = surviving_plan(broken, plan);
    REQUIRE(alive.check(broken).has_value());
    REQUIRE(surviving_plan(broken, alive) == alive);
    const auto outcome = FluidNetwork{broken}.carry(plan, matrix);
    for (const LinkId id : down) REQUIRE(outcome.carried[id.index()].bps() == 0.0);
    for (const Demand& demand : outcome.lost) {
      REQUIRE(!alive.find(demand));
      REQUIRE(matrix.at(demand.from, demand.to).bps() > 0.0);
    }
  }
}

TEST_CASE("cutting a node's only link loses all its demands and no other", "[fluid]") {
  const auto file = test::shared_data("abilene/abilene.graph");
  if (!file) return;
  const Topology topology = io::read_topology(*file).value().topology;
  const NodeId atlanta = topology.find_node("ATLA-M5").value();
  std::vector<LinkId> down;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (topology.links()[l].from == atlanta || topology.links()[l].to == atlanta) down.push_back(LinkId{l});
  }
  REQUIRE(down.size() == 2);
  TrafficMatrix matrix{topology.node_count()};
  for (std::size_t from = 0; from < 12; ++from) {
    for (std::size_t to = 0; to < 12; ++to) {
      if (from != to) matrix.set(NodeId{from}, NodeId{to}, BitRate::mbps(1.0));
    }
  }
  const PathPlan plan = igp_plan(topology, weight_costs(topology)).value();
  const auto outcome = FluidNetwork{topology.with_links_down(down)}.carry(plan, matrix);
  REQUIRE(outcome.lost.size() == 22);
  for (const Demand& demand : outcome.lost) CHECK((demand.from == atlanta || demand.to == atlanta));
  CHECK(demand_name(topology, outcome.lost.front()) == "ATLA-M5>ATLAng");
  CHECK(outcome.delivered.mbps() == Approx(110.0));
}

}  // namespace
}  // namespace wan::simulator
