// Consecutive matrices of real traffic on one network, each planned from the last one's splits to a certified 0.1 %,
// beside the exact linear program that goes on from its last basis: Abilene and GEANT from ../shared/data, both in the
// same run.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "tests/support/shared_data.h"

namespace {

constexpr double kGap = 1e-3;

struct Network {
  wan::Topology topology;
  wan::TrafficSeries traffic;
};

std::optional<Network> measured(const std::string& name) {
  const auto graph = wan::test::shared_data(name + "/" + name + ".graph");
  const auto csv = wan::test::shared_data(name + "/traffic.csv");
  if (!graph || !csv) return std::nullopt;
  auto topology = wan::io::read_topology(*graph);
  if (!topology) return std::nullopt;
  auto traffic = wan::io::read_traffic_csv(*csv, topology->topology);
  if (!traffic) return std::nullopt;
  return Network{std::move(topology->topology), *std::move(traffic)};
}

/// Times one call a matrix and shows how they are spread, in microseconds.
template <typename Plan>
void replan(benchmark::State& state, const Network& network, const Plan& plan) {
  std::vector<double> microseconds;
  std::size_t row = 0;
  for (auto _ : state) {
    const auto started = std::chrono::steady_clock::now();
    plan(network.traffic.intervals[row]);
    microseconds.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count());
    row = (row + 1) % network.traffic.intervals.size();
  }
  std::sort(microseconds.begin(), microseconds.end());
  const auto quantile = [&](double q) {
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))];
  };
  state.counters["p50_us"] = quantile(0.5);
  state.counters["p99_us"] = quantile(0.99);
  state.counters["max_us"] = microseconds.back();
}

void register_network(const std::string& name, const Network& network) {
  benchmark::RegisterBenchmark((name + "/ours_from_the_last_plan").c_str(), [&network](benchmark::State& state) {
    wan::controller::RoutePlanner planner{network.topology, {.gap = kGap, .least_delay = false}};
    double worst = 0.0;
    replan(state, network, [&](const wan::TrafficMatrix& demand) {
      const auto routes = planner.plan(demand);
      worst = std::max(worst, routes ? routes->certificate.gap() : 1.0);
    });
    state.counters["worst_gap_percent"] = 100.0 * worst;
  })->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark((name + "/clp_from_the_last_basis").c_str(), [&network](benchmark::State& state) {
    wan::controller::ReferenceLp lp{network.topology};
    replan(state, network,
           [&](const wan::TrafficMatrix& demand) { benchmark::DoNotOptimize(lp.best_utilization(demand)); });
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto abilene = measured("abilene");
  const auto geant = measured("geant");
  if (abilene) register_network("abilene", *abilene);
  if (geant) register_network("geant", *geant);
  if (!abilene && !geant) std::cerr << "bench_warm_replan: ../shared/data/abilene and geant are not there\n";
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
