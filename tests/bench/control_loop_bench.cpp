// One pass of the control loop (forecast by EWMA, 32 scenarios, plan, guard) and the exact LP of one matrix beside it.

#include <benchmark/benchmark.h>

#include <optional>
#include <span>
#include <string>

#include "controller/control_loop.h"
#include "controller/reference_lp.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "tests/support/shared_data.h"

namespace {

struct Network {
  wan::Topology topology;
  wan::TrafficSeries series;
  std::size_t score_from;
};

std::optional<Network> read(const std::string& name, std::size_t score_from) {
  const auto folder = wan::test::shared_data(name);
  if (!folder) return std::nullopt;
  auto topology = wan::io::read_topology(*folder / (name + ".graph"));
  if (!topology) return std::nullopt;
  auto series = wan::io::read_traffic_csv(*folder / "traffic.csv", topology->topology);
  if (!series) return std::nullopt;
  return Network{std::move(topology->topology), *std::move(series), score_from};
}

void step(benchmark::State& state, const Network& network) {
  const std::span<const wan::TrafficMatrix> all{network.series.intervals};
  wan::controller::LoopOptions options;
  options.utilization_target = 0.0;
  const auto fresh_loop = [&] {
    return wan::controller::ControlLoop::make(network.topology, nullptr, all.first(network.score_from),
                                              network.series.interval(), options);
  };
  auto loop = fresh_loop();
  std::size_t row = network.score_from;
  for (auto _ : state) {
    if (row + 1 == all.size()) {
      state.PauseTiming();
      loop = fresh_loop();
      row = network.score_from;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(loop->step(all[row], all[row + 1].measured_at()));
    ++row;
  }
}

void exact(benchmark::State& state, const Network& network) {
  wan::controller::ReferenceLp lp{network.topology};
  std::size_t row = network.score_from;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lp.best_utilization(network.series.intervals[row]));
    if (++row == network.series.intervals.size()) row = network.score_from;
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const auto abilene = read("abilene", 2880);
  const auto geant = read("geant", 400);
  for (const auto& [name, network] : {std::pair{"abilene", &abilene}, std::pair{"geant", &geant}}) {
    if (!*network) continue;
    const Network& at = **network;
    benchmark::RegisterBenchmark((std::string{name} + "/control_loop_step").c_str(), [&at](benchmark::State& state) {
      step(state, at);
    })->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((std::string{name} + "/exact_clp_warm").c_str(), [&at](benchmark::State& state) {
      exact(state, at);
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
