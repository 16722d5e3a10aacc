// One pass of the control loop (forecast by EWMA, 32 scenarios, plan, guard) and the exact LP of one matrix beside it.
// A step's percentiles are over the scored rows; those in processor time leave out what else the machine does.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "controller/control_loop.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
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

double wall_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

/// Nearest rank; of at least one value.
double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1];
}

/// A tenth of all traffic, three tenths and the rest: as classes of three priorities.
std::vector<wan::TrafficMatrix> with_priorities(const Network& network, wan::controller::LoopOptions& options) {
  const std::vector<double> parts{0.6, 0.3, 0.1};
  for (std::size_t c = 0; c < parts.size(); ++c) {
    options.constraints.levels.insert(options.constraints.levels.begin(),
                                      {.priority = static_cast<int>(c), .classes = {wan::TrafficClass{c}}});
  }
  options.constraints.classes.resize(parts.size());
  std::vector<wan::TrafficMatrix> parted;
  for (const wan::TrafficMatrix& matrix : network.series.intervals) {
    wan::TrafficMatrix& made = parted.emplace_back(matrix.node_count(), parts.size());
    made.set_measured_at(matrix.measured_at());
    for (std::size_t e = 0; e < made.bps().size(); ++e) {
      made.bps()[e] = parts[e / matrix.bps().size()] * matrix.bps()[e % matrix.bps().size()];
    }
  }
  return parted;
}

void step(benchmark::State& state, const Network& network, bool priorities) {
  wan::controller::LoopOptions options;
  const std::vector<wan::TrafficMatrix> parted =
      priorities ? with_priorities(network, options) : std::vector<wan::TrafficMatrix>{};
  const std::span<const wan::TrafficMatrix> all{priorities ? parted : network.series.intervals};
  options.utilization_target = 0.0;
  const auto fresh_loop = [&] {
    return wan::controller::ControlLoop::make(network.topology, nullptr, all.first(network.score_from),
                                              network.series.interval(), options);
  };
  auto loop = fresh_loop();
  std::vector<double> wall_times, cpu_times;
  std::size_t row = network.score_from;
  for (auto _ : state) {
    if (row + 1 == all.size()) {
      state.PauseTiming();
      loop = fresh_loop();
      row = network.score_from;
      state.ResumeTiming();
    }
    const double wall = wall_us();
    const double cpu = cpu_us();
    benchmark::DoNotOptimize(loop->step(all[row], all[row + 1].measured_at()));
    cpu_times.push_back(cpu_us() - cpu);
    wall_times.push_back(wall_us() - wall);
    ++row;
  }
  state.counters["p50_us"] = percentile(wall_times, 0.50);
  state.counters["p99_us"] = percentile(wall_times, 0.99);
  state.counters["cpu_p50_us"] = percentile(cpu_times, 0.50);
  state.counters["cpu_p99_us"] = percentile(cpu_times, 0.99);
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
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto abilene = read("abilene", 2880);
  const auto geant = read("geant", 400);
  for (const auto& [name, network] : {std::pair{"abilene", &abilene}, std::pair{"geant", &geant}}) {
    if (!*network) continue;
    const Network& at = **network;
    benchmark::RegisterBenchmark((std::string{name} + "/control_loop_step").c_str(), [&at](benchmark::State& state) {
      step(state, at, false);
    })->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((std::string{name} + "/control_loop_step_of_three_priorities").c_str(),
                                 [&at](benchmark::State& state) { step(state, at, true); })
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((std::string{name} + "/exact_clp_warm").c_str(), [&at](benchmark::State& state) {
      exact(state, at);
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
