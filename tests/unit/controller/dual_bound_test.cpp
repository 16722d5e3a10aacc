#include "controller/dual_bound.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {

TEST_CASE("any prices give a bound that no plan beats", "[bound]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "bound"};
    const Topology topology = test::drawn_network(rng, {.nodes = 5, .two_way_links = 7});
    const TrafficMatrix demand = test::drawn_demand(rng, 5, 0.5, 1e8);
    const double best = test::PathLp{topology}.best_utilization(demand);
    for (int trial = 0; trial < 10; ++trial) {
      std::vector<double> price(topology.link_count());
      for (double& p : price) p = rng.uniform() < 0.5 ? 0.0 : rng.exponential();
      CHECK(dual_bound(topology, demand, price) <= best * (1.0 + 1e-9));
    }
  }
}

TEST_CASE("the bound does not depend on the scale of the prices", "[bound]") {
  Rng rng{3, "scale"};
  const Topology topology = test::drawn_network(rng, {});
  const TrafficMatrix demand = test::drawn_demand(rng, 6, 0.5, 1e8);
  std::vector<double> price(topology.link_count());
  for (double& p : price) p = rng.uniform();
  const double bound = dual_bound(topology, demand, price);
  for (double& p : price) p *= 1e-15;
  CHECK(dual_bound(topology, demand, price) == Approx(bound).epsilon(1e-12));
}

TEST_CASE("without prices there is no bound", "[bound]") {
  const Topology topology = test::lines_network(2, {{.from = 0, .to = 1}});
  CHECK(dual_bound(topology, TrafficMatrix{2}, std::vector{0.0}) == 0.0);
}

TEST_CASE("a link that is down adds nothing to the bound's budget and shortens no path", "[bound]") {
  const Topology whole =
      test::lines_network(2, {{.from = 0, .to = 1, .capacity_bps = 100}, {.from = 0, .to = 1, .capacity_bps = 300}});
  TrafficMatrix demand{2};
  demand.set(NodeId{0}, NodeId{1}, BitRate::bps(200));
  CHECK(dual_bound(whole, demand, std::vector{1.0, 1.0}) == Approx(0.5));
  const std::vector<LinkId> down{LinkId{1}};
  CHECK(dual_bound(whole.with_links_down(down), demand, std::vector{1.0, 1.0}) == Approx(2.0));
}

TEST_CASE("demands without a way are named in order, by class, and others are not", "[bound]") {
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1}});
  TrafficMatrix demand{3, 2};
  demand.set(TrafficClass{1}, NodeId{0}, NodeId{2}, BitRate::bps(1e-3));
  demand.set(TrafficClass{0}, NodeId{2}, NodeId{0}, BitRate::bps(5));
  demand.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::bps(5));
  const std::vector<Demand> expected{{TrafficClass{0}, NodeId{2}, NodeId{0}}, {TrafficClass{1}, NodeId{0}, NodeId{2}}};
  CHECK(unconnected_demands(topology, demand) == expected);
}

}  // namespace wan::controller
