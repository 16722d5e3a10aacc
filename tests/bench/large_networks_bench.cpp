// Networks beyond what a linear program takes (Clp and HiGHS were stopped after ten minutes on Kdl): Kdl and ASN2k from
// ../shared/data/teal with gravity traffic over all pairs, planned to a certified gap with every path. Ten draws of
// Kdl, for the time depends on the traffic; then what the next matrix takes, every pair 10 % up or down: the solver
// alone, and with the paths.

#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "controller/planner.h"
#include "controller/source_flow_solver.h"
#include "core/huge_page_heap.h"
#include "core/io/topology_file.h"
#include "core/random.h"
#include "simulator/workload.h"
#include "tests/support/shared_data.h"

namespace {

using namespace wan;

constexpr int kThreads = 2;
constexpr int kNextMatrices = 5;

std::optional<Topology> teal(const std::string& name) {
  const auto file = test::shared_data("teal/" + name + ".json");
  if (!file) return std::nullopt;
  auto read = io::read_topology(*file);
  if (!read) return std::nullopt;
  return std::move(read->topology);
}

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of this process so far, GiB.
double peak_memory_gib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1024.0 * 1024.0);
}

void cold(benchmark::State& state, const Topology& topology, std::uint64_t seed, double gap) {
  const TrafficMatrix demand = simulator::gravity_demands(topology, seed);
  double reached = 0.0;
  for (auto _ : state) {
    const auto routes =
        controller::plan_paths(topology, demand, {.gap = gap, .threads = kThreads, .least_delay = false});
    reached = routes ? routes->certificate.gap() : 1.0;
  }
  state.counters["gap_percent"] = 100.0 * reached;
  state.counters["peak_GiB"] = peak_memory_gib();
}

/// `solve` takes a matrix and gives the gap reached.
template <typename Solve>
void next_matrices(benchmark::State& state, const Topology& topology, const Solve& solve) {
  Rng rng{1, "next matrices"};
  TrafficMatrix demand = simulator::gravity_demands(topology, 1);
  double worst_gap = solve(demand);
  std::vector<double> ms;
  for (auto _ : state) {
    state.PauseTiming();
    for (double& bps : demand.bps()) bps *= std::exp(0.1 * rng.normal());
    state.ResumeTiming();
    const double started = now_ms();
    worst_gap = std::max(worst_gap, solve(demand));
    ms.push_back(now_ms() - started);
  }
  std::sort(ms.begin(), ms.end());
  state.counters["p50_ms"] = ms[ms.size() / 2];
  state.counters["max_ms"] = ms.back();
  state.counters["gap_percent"] = 100.0 * worst_gap;
}

void register_kdl(const Topology& kdl) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    benchmark::RegisterBenchmark(("Kdl/gravity:" + std::to_string(seed) + "/gap:0.01").c_str(),
                                 [&kdl, seed](benchmark::State& state) { cold(state, kdl, seed, 0.01); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->Iterations(1);
  }
  benchmark::RegisterBenchmark("Kdl/next_matrix/solver",
                               [&kdl](benchmark::State& state) {
                                 controller::SourceFlowSolver solver{kdl, kThreads};
                                 next_matrices(state, kdl, [&](const TrafficMatrix& demand) {
                                   solver.solve(demand, {.gap = 0.01, .least_delay = false});
                                   return solver.utilization() / solver.lower_bound() - 1.0;
                                 });
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->Iterations(kNextMatrices);
  benchmark::RegisterBenchmark(
      "Kdl/next_matrix/with_paths",
      [&kdl](benchmark::State& state) {
        controller::RoutePlanner planner{kdl, {.gap = 0.01, .threads = kThreads, .least_delay = false}};
        next_matrices(state, kdl, [&](const TrafficMatrix& demand) {
          const auto routes = planner.plan(demand);
          return routes ? routes->certificate.gap() : 1.0;
        });
      })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->Iterations(kNextMatrices);
}

}  // namespace

int main(int argc, char** argv) {
  use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto kdl = teal("Kdl");
  const auto asn2k = teal("ASN2k");
  if (!kdl || !asn2k) std::cerr << "bench_large_networks: ../shared/data/teal is not there\n";
  if (kdl) register_kdl(*kdl);
  if (asn2k) {
    benchmark::RegisterBenchmark("ASN2k/gravity:1/gap:0.02",
                                 [&](benchmark::State& state) { cold(state, *asn2k, 1, 0.02); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->Iterations(1);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
