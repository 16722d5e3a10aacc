#include "controller/flow_follower.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "controller/flow_network.h"
#include "core/shortest_paths.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

/// A flow of source 0 over random trees, with random circles in it.
std::vector<double> drawn_flow(Rng& rng, const Topology& topology, const FlowNetwork& net,
                               std::span<const double> demand) {
  std::vector<double> flow(net.size(), 0.0);
  for (int tree = 0; tree < 3; ++tree) {
    std::vector<double> cost(topology.link_count());
    for (double& one : cost) one = 0.1 + rng.uniform();
    const ShortestPathTree paths = shortest_path_tree(topology, NodeId{0}, cost);
    for (std::size_t t = 1; t < demand.size(); ++t) {
      if (!paths.reaches(NodeId{t})) continue;
      for (const LinkId id : paths.path_to(topology, NodeId{t})) flow[net.bundle_of[id.index()]] += demand[t] / 3.0;
    }
  }
  for (std::size_t b = 0; b < net.size(); ++b) {
    for (std::size_t back = b + 1; back < net.size(); ++back) {
      if (net.from[back] != net.to[b] || net.to[back] != net.from[b] || rng.uniform() > 0.3) continue;
      const double circle = 1e6 * rng.uniform();
      flow[b] += circle;
      flow[back] += circle;
    }
  }
  return flow;
}

}  // namespace

TEST_CASE("a followed flow brings every node what it is to have, less what is missing, whatever circles it had",
          "[solver]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "follower"};
    const std::size_t n = 3 + rng.below(12);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n)});
    const FlowNetwork net{topology};
    std::vector<double> demand(n, 0.0);
    for (std::size_t t = 1; t < n; ++t) demand[t] = rng.uniform() < 0.7 ? 1e6 * rng.uniform() : 0.0;
    std::vector<double> flow = drawn_flow(rng, topology, net, demand);
    if (seed % 3 == 0) flow[rng.below(net.size())] = 0.0;  // a link that is gone
    for (std::size_t t = 1; t < n; ++t) demand[t] = rng.uniform() < 0.8 ? 1e6 * rng.uniform() : 0.0;

    FlowFollower follower{net};
    const auto missing = follower.follow(0, demand, flow);
    std::vector<double> kept(n, 0.0);
    for (std::size_t b = 0; b < net.size(); ++b) {
      REQUIRE(flow[b] >= 0.0);
      kept[net.to[b]] += flow[b];
      kept[net.from[b]] -= flow[b];
    }
    for (std::size_t t = 1; t < n; ++t) {
      REQUIRE(missing[t] >= 0.0);
      CHECK(kept[t] + missing[t] == Approx(demand[t]).epsilon(1e-9).margin(1e-3));
    }

    // Followed once, it has no circles left, so following the same demand again changes nothing.
    std::vector<double> again = flow;
    std::vector<double> rest(demand);
    for (std::size_t t = 1; t < n; ++t) rest[t] -= missing[t];
    for (double& bps : rest) bps = std::max(0.0, bps);
    const std::vector<double> missing_before(missing.begin(), missing.end());
    if (std::accumulate(missing_before.begin(), missing_before.end(), 0.0) > 0.0) continue;
    const auto none = follower.follow(0, rest, again);
    CHECK(std::accumulate(none.begin(), none.end(), 0.0) <= 1e-3);
    for (std::size_t b = 0; b < net.size(); ++b) CHECK(again[b] == Approx(flow[b]).epsilon(1e-9).margin(1e-3));
  }
}

TEST_CASE("a trace of a flow is no split to follow", "[solver]") {
  Rng rng{7, "trace"};
  const Topology topology = test::drawn_network(rng, {.nodes = 4, .two_way_links = 5});
  const FlowNetwork net{topology};
  std::vector<double> flow(net.size(), 1e-300);
  const std::vector<double> demand(4, 1e12);
  FlowFollower follower{net};
  const auto missing = follower.follow(0, demand, flow);
  for (std::size_t b = 0; b < net.size(); ++b) CHECK(flow[b] <= 1e-280);
  for (std::size_t t = 1; t < 4; ++t) CHECK(missing[t] == Approx(1e12));
}

}  // namespace wan::controller
