#include "controller/flow_decomposition.h"

#include <catch2/catch.hpp>
#include <vector>

#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using test::lines_network;

/// Sends every demand over a random mixture of its simple paths and adds the flows up by source.
std::vector<std::vector<double>> drawn_flows(Rng& rng, const Topology& topology, const TrafficMatrix& demand) {
  const std::size_t n = topology.node_count();
  std::vector<std::vector<double>> flow(n, std::vector<double>(topology.link_count(), 0.0));
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t t = 0; t < n; ++t) {
      const auto paths = test::simple_paths(topology, NodeId{s}, NodeId{t});
      if (paths.empty()) continue;
      std::vector<double> share(paths.size());
      double sum = 0.0;
      for (double& part : share) sum += part = rng.uniform() < 0.3 ? rng.exponential() : 0.0;
      if (sum == 0.0) sum = share.front() = 1.0;
      const double rate = demand.at(NodeId{s}, NodeId{t}).bps();
      for (std::size_t p = 0; p < paths.size(); ++p) {
        for (const LinkId link : paths[p]) flow[s][link.index()] += rate * share[p] / sum;
      }
    }
  }
  return flow;
}

std::vector<double> total_by_link(const std::vector<std::vector<double>>& flow, std::size_t links) {
  std::vector<double> total(links, 0.0);
  for (const auto& of_source : flow) {
    for (std::size_t l = 0; l < links; ++l) total[l] += of_source[l];
  }
  return total;
}

}  // namespace

TEST_CASE("paths taken from flows load each link as the flows do, less their circles", "[decomposition]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "flows"};
    const Topology topology = test::drawn_network(rng, {.nodes = 5, .two_way_links = 7});
    const TrafficMatrix demand = test::drawn_demand(rng, 5, 0.6, 1e8);
    const auto flow = drawn_flows(rng, topology, demand);
    const PathPlan plan = decompose_flows(topology, demand, flow, 1);
    REQUIRE(plan.check(topology));
    CHECK(test::covers_connected_pairs(topology, plan));
    const auto loads = link_loads_bps(topology, plan, demand);
    const auto wanted = total_by_link(flow, topology.link_count());
    const double total = demand.total().bps();
    for (std::size_t l = 0; l < loads.size(); ++l) {
      CAPTURE(l);
      // Mixtures of simple paths may meet in circles, which the plan leaves out: it never loads a link more.
      CHECK(loads[l] <= wanted[l] + 1e-5 * total);
    }
  }
}

TEST_CASE("flows without circles come back to the last digit that matters", "[decomposition]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "acyclic"};
    // Links lead from lower to higher numbers only, so no circle is possible.
    std::vector<test::Line> lines;
    for (std::size_t a = 0; a < 6; ++a) {
      for (std::size_t b = a + 1; b < 6; ++b) {
        if (rng.uniform() < 0.7 || b == a + 1) lines.push_back({.from = a, .to = b});
      }
    }
    const Topology topology = lines_network(6, lines);
    const TrafficMatrix demand = test::drawn_demand(rng, 6, 0.7, 1e8);
    const auto flow = drawn_flows(rng, topology, demand);
    const PathPlan plan = decompose_flows(topology, demand, flow, 1);
    REQUIRE(plan.check(topology));
    const auto loads = link_loads_bps(topology, plan, demand);
    const auto wanted = total_by_link(flow, topology.link_count());
    for (std::size_t l = 0; l < loads.size(); ++l) CHECK(loads[l] == Approx(wanted[l]).epsilon(1e-5).margin(1e3));
  }
}

TEST_CASE("a circle in the flow carries nobody's traffic", "[decomposition]") {
  // 0 > 1 > 2 with a full circle 1 > 3 > 1 beside it that is fuller than the path itself.
  const Topology topology =
      lines_network(4, {{.from = 0, .to = 1}, {.from = 1, .to = 2}, {.from = 1, .to = 3}, {.from = 3, .to = 1}});
  TrafficMatrix demand{4};
  demand.set(NodeId{0}, NodeId{2}, BitRate::mbps(10));
  std::vector<std::vector<double>> flow(4, std::vector<double>(4, 0.0));
  flow[0] = {10e6, 10e6, 70e6, 70e6};
  const PathPlan plan = decompose_flows(topology, demand, flow, 1);
  REQUIRE(plan.check(topology));
  const auto at = plan.find({TrafficClass{0}, NodeId{0}, NodeId{2}});
  REQUIRE(at);
  REQUIRE(plan.path_count(*at) == 1);
  CHECK(plan.path(*at, 0).links.size() == 2);
  CHECK(link_loads_bps(topology, plan, demand) == std::vector<double>{10e6, 10e6, 0.0, 0.0});
}

TEST_CASE("pairs without demand take the least-delay path, in every class", "[decomposition]") {
  const Topology topology = lines_network(
      3,
      {{.from = 0, .to = 2, .delay_ms = 9}, {.from = 0, .to = 1, .delay_ms = 2}, {.from = 1, .to = 2, .delay_ms = 3}});
  const PathPlan plan = decompose_flows(topology, TrafficMatrix{3}, std::vector(3, std::vector<double>(3, 0.0)), 2);
  REQUIRE(plan.check(topology));
  CHECK(test::covers_connected_pairs(topology, plan, 2));
  for (const std::size_t cls : {0U, 1U}) {
    const auto at = plan.find({TrafficClass{cls}, NodeId{0}, NodeId{2}});
    REQUIRE(at);
    CHECK(plan.path(*at, 0).links.size() == 2);
  }
}

}  // namespace wan::controller
