// The planner against the exact linear program on the same instance in the same run: REPETITA's UsCarrier (158 nodes)
// and Cogentco (197 nodes), unpacked from ../shared/data/repetita/zoo.tar.xz, and the built-in backbone, which is
// always there.

#include <benchmark/benchmark.h>

#include <iostream>
#include <optional>
#include <string>

#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "simulator/workload.h"
#include "tests/support/repetita_archive.h"

namespace {

using Instance = wan::test::RepetitaInstance;

std::optional<Instance> backbone() {
  wan::Topology topology = wan::simulator::builtin_backbone();
  wan::TrafficMatrix demand = wan::simulator::gravity_demands(topology, 1);
  return Instance{std::move(topology), std::move(demand)};
}

void plan(benchmark::State& state, const Instance& instance, double gap, int threads, bool least_delay) {
  double reached = 0.0;
  for (auto _ : state) {
    auto routes = wan::controller::plan_paths(instance.topology, instance.demand,
                                              {.gap = gap, .threads = threads, .least_delay = least_delay});
    reached = routes ? routes->certificate.gap() : 1.0;
    benchmark::DoNotOptimize(reached);
  }
  state.counters["gap_percent"] = 100.0 * reached;
}

void exact(benchmark::State& state, const Instance& instance) {
  for (auto _ : state) {
    wan::controller::ReferenceLp lp{instance.topology};
    benchmark::DoNotOptimize(lp.best_utilization(instance.demand));
  }
}

void register_instance(const std::string& name, const Instance& instance, bool exact_is_slow) {
  const auto ms = benchmark::kMillisecond;
  for (const double gap : {0.01, 1e-4}) {
    for (const int threads : {1, 2}) {
      benchmark::RegisterBenchmark(
          (name + "/plan/gap:" + std::to_string(gap) + "/threads:" + std::to_string(threads)).c_str(),
          [&instance, gap, threads](benchmark::State& state) { plan(state, instance, gap, threads, false); })
          ->Unit(ms)
          ->UseRealTime();
    }
  }
  benchmark::RegisterBenchmark((name + "/plan_least_delay/gap:0.01").c_str(),
                               [&instance](benchmark::State& state) { plan(state, instance, 0.01, 1, true); })
      ->Unit(ms)
      ->UseRealTime();
  auto* reference = benchmark::RegisterBenchmark((name + "/exact_clp").c_str(),
                                                 [&instance](benchmark::State& state) { exact(state, instance); });
  reference->Unit(ms)->UseRealTime();
  if (exact_is_slow) reference->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto small = backbone();
  const auto archive = wan::test::RepetitaArchive::open();
  const auto us_carrier = archive ? archive->instance("UsCarrier") : std::nullopt;
  const auto cogentco = archive ? archive->instance("Cogentco") : std::nullopt;
  if (small) register_instance("backbone12", *small, false);
  if (us_carrier) register_instance("UsCarrier", *us_carrier, true);
  if (cogentco) register_instance("Cogentco", *cogentco, true);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
