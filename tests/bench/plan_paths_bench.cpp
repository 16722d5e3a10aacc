// The planner against the exact linear program on the same instance in the same run: REPETITA's UsCarrier (158 nodes)
// and Cogentco (197 nodes), unpacked from ../shared/data/repetita/zoo.tar.xz, and the built-in backbone, which is
// always there.

#include <benchmark/benchmark.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "core/io/demand_file.h"
#include "core/io/topology_file.h"
#include "simulator/workload.h"
#include "tests/support/shared_data.h"

namespace {

struct Instance {
  wan::Topology topology;
  wan::TrafficMatrix demand;
};

/// Unpacked once a run into a temporary folder that `main` removes.
std::filesystem::path zoo_folder() {
  static const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("aiwan-bench-" + std::to_string(::getpid()));
  return folder;
}

std::optional<Instance> repetita(const std::string& name) {
  const auto archive = wan::test::shared_data("repetita/zoo.tar.xz");
  if (!archive) return std::nullopt;
  std::filesystem::create_directories(zoo_folder());
  const std::string command = "tar -xJf '" + archive->string() + "' -C '" + zoo_folder().string() + "' zoo/" + name +
                              ".graph zoo/" + name + ".0000.demands";
  if (std::system(command.c_str()) != 0) return std::nullopt;
  auto topology = wan::io::read_topology(zoo_folder() / "zoo" / (name + ".graph"));
  if (!topology) return std::nullopt;
  auto demand = wan::io::read_demands(zoo_folder() / "zoo" / (name + ".0000.demands"), topology->topology);
  if (!demand) return std::nullopt;
  return Instance{std::move(topology->topology), *std::move(demand)};
}

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
  const auto us_carrier = repetita("UsCarrier");
  const auto cogentco = repetita("Cogentco");
  if (small) register_instance("backbone12", *small, false);
  if (us_carrier) register_instance("UsCarrier", *us_carrier, true);
  if (cogentco) register_instance("Cogentco", *cogentco, true);
  benchmark::RunSpecifiedBenchmarks();
  std::filesystem::remove_all(zoo_folder());
  return 0;
}
