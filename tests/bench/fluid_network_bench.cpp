#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "core/link_load.h"
#include "core/random.h"
#include "core/shortest_paths.h"
#include "simulator/fluid_network.h"
#include "simulator/workload.h"

// One interval of traffic through a network, by number of nodes and by the percent that its most loaded link is
// offered. 12 and 22 nodes stand for Abilene and GEANT, 197 for Cogentco.

namespace wan::simulator {
namespace {

/// A ring with chords: a little over three neighbours a node, as real backbones have.
Topology synthetic(std::size_t node_count, Rng& rng) {
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < node_count; ++n)
    nodes.push_back({std::string{"n"}.append(std::to_string(n)), std::nullopt});
  std::vector<Link> links;
  const auto both_ways = [&](std::size_t a, std::size_t b) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      links.push_back({.name = std::string{"l"}.append(std::to_string(links.size())),
                       .from = NodeId{from},
                       .to = NodeId{to},
                       .capacity = BitRate::gbps(rng.uniform() < 0.5 ? 10 : 40),
                       .delay = Duration{1'000'000 + rng.below(5'000'000)},
                       .srlgs = {}});
    }
  };
  for (std::size_t n = 0; n < node_count; ++n) both_ways(n, (n + 1) % node_count);
  for (std::size_t c = 0; c < node_count * 3 / 5; ++c) {
    const std::size_t a = rng.below(node_count), b = rng.below(node_count);
    if (a != b) both_ways(a, b);
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

/// Every ordered pair over up to four paths.
PathPlan four_paths_each(const Topology& topology, Rng& rng) {
  const std::size_t n = topology.node_count();
  PathPlanBuilder builder;
  for (std::size_t from = 0; from < n; ++from) {
    std::vector<ShortestPathTree> trees;
    for (std::size_t p = 0; p < 4; ++p) {
      std::vector<double> cost;
      for (std::size_t l = 0; l < topology.link_count(); ++l) cost.push_back(0.5 + rng.uniform());
      trees.push_back(shortest_path_tree(topology, NodeId{from}, cost));
    }
    for (std::size_t to = 0; to < n; ++to) {
      if (from == to) continue;
      builder.begin_demand({TrafficClass{0}, NodeId{from}, NodeId{to}});
      for (const auto& tree : trees) builder.add_path(0.25, tree.path_to(topology, NodeId{to}));
    }
  }
  return std::move(builder).build();
}

void carry_one_interval(benchmark::State& state) {
  Rng rng{static_cast<std::uint64_t>(state.range(0))};
  const FluidNetwork network{synthetic(static_cast<std::size_t>(state.range(0)), rng)};
  const PathPlan plan = four_paths_each(network.topology(), rng);
  const TrafficMatrix shape = gravity_demands(network.topology(), 1);
  const double wanted = static_cast<double>(state.range(1)) / 100.0;
  const TrafficMatrix traffic = shape.scaled(wanted / max_utilization(network.topology(), plan, shape));
  FluidOutcome outcome;
  for (auto _ : state) {
    outcome = network.carry(plan, traffic);
    benchmark::DoNotOptimize(outcome.delivered);
  }
  state.counters["paths"] = static_cast<double>(plan.path_count());
  state.counters["overloaded"] = static_cast<double>(outcome.overloaded.size());
  state.counters["rounds"] = static_cast<double>(outcome.rounds);
}

BENCHMARK(carry_one_interval)
    ->ArgNames({"nodes", "load_percent"})
    ->Args({12, 90})
    ->Args({22, 90})
    ->Args({22, 150})
    ->Args({22, 400})
    ->Args({197, 90})
    ->Args({197, 150})
    ->Args({197, 400})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace wan::simulator

BENCHMARK_MAIN();
