// Every single link failure: re-optimising, and precomputing backup splits, beside Clp's exact linear program for the
// same failure in the same run. Abilene and GEANT with measured traffic, REPETITA's UsCarrier and Cogentco.
//
// One iteration answers all failures of a network; the counters say what one failure takes, in milliseconds of this
// thread's processor time. On the two large networks Clp solves one failure only.

#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/failure_set.h"
#include "controller/planner.h"
#include "controller/protection_planner.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "tests/support/repetita_archive.h"
#include "tests/support/shared_data.h"

namespace {

using namespace wan::controller;

struct Instance {
  wan::Topology topology;
  wan::TrafficMatrix demand;
  bool large = false;
};

std::optional<Instance> measured(const std::string& name, std::size_t row) {
  const auto graph = wan::test::shared_data(name + "/" + name + ".graph");
  const auto traffic = wan::test::shared_data(name + "/traffic.csv");
  if (!graph || !traffic) return std::nullopt;
  auto topology = wan::io::read_topology(*graph);
  if (!topology) return std::nullopt;
  auto series = wan::io::read_traffic_csv(*traffic, topology->topology);
  if (!series || row >= series->intervals.size()) return std::nullopt;
  return Instance{std::move(topology->topology), std::move(series->intervals[row])};
}

std::optional<Instance> repetita(const std::optional<wan::test::RepetitaArchive>& archive, const std::string& name) {
  auto instance = archive ? archive->instance(name) : std::nullopt;
  if (!instance) return std::nullopt;
  return Instance{std::move(instance->topology), std::move(instance->demand), true};
}

double thread_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// Of each failure the shortest of the iterations' times.
struct Times {
  std::vector<double> ms;
  void take(std::size_t failure, double spent) {
    if (failure >= ms.size()) ms.resize(failure + 1, 1e300);
    ms[failure] = std::min(ms[failure], spent);
  }
  void report(benchmark::State& state) {
    std::sort(ms.begin(), ms.end());
    const auto rank = [&](double share) {
      return ms[static_cast<std::size_t>(std::ceil(share * static_cast<double>(ms.size()))) - 1];
    };
    state.counters["failures"] = static_cast<double>(ms.size());
    state.counters["ms_mean"] = std::accumulate(ms.begin(), ms.end(), 0.0) / static_cast<double>(ms.size());
    state.counters["ms_p50"] = rank(0.5);
    state.counters["ms_p99"] = rank(0.99);
    state.counters["ms_max"] = ms.back();
  }
};

void replan(benchmark::State& state, const Instance& instance) {
  const auto failures = link_failures(instance.topology);
  RoutePlanner base{instance.topology, {.gap = 0.005, .threads = 1, .least_delay = false}};
  if (const auto routes = base.plan(instance.demand); !routes)
    return state.SkipWithError(routes.error().message.c_str());
  Times times;
  double gap = 0.0;
  for (auto _ : state) {
    for (std::size_t f = 0; f < failures.size(); ++f) {
      const wan::Topology failed = after_failure(instance.topology, failures[f]);
      const double started = thread_ms();
      const auto routes = RoutePlanner{failed, base}.plan(instance.demand);
      times.take(f, thread_ms() - started);
      gap = std::max(gap, routes ? routes->certificate.gap() : 1.0);
    }
  }
  times.report(state);
  state.counters["gap_percent_max"] = 100.0 * gap;
}

void protect(benchmark::State& state, const Instance& instance) {
  const auto failures = link_failures(instance.topology);
  auto base = plan_paths(instance.topology, instance.demand, {.gap = 0.005, .threads = 1, .least_delay = false});
  if (!base) return state.SkipWithError(base.error().message.c_str());
  const ProtectionPlanner planner{instance.topology, instance.demand, std::move(base->plan)};
  Times times;
  for (auto _ : state) {
    for (std::size_t f = 0; f < failures.size(); ++f) {
      const double started = thread_ms();
      benchmark::DoNotOptimize(planner.protect(failures[f]));
      times.take(f, thread_ms() - started);
    }
  }
  times.report(state);
}

void exact(benchmark::State& state, const Instance& instance) {
  auto failures = link_failures(instance.topology);
  if (instance.large) failures.resize(1);
  Times times;
  for (auto _ : state) {
    for (std::size_t f = 0; f < failures.size(); ++f) {
      const wan::Topology failed = after_failure(instance.topology, failures[f]);
      const double started = thread_ms();
      ReferenceLp lp{failed};
      benchmark::DoNotOptimize(lp.best_utilization(instance.demand));
      times.take(f, thread_ms() - started);
    }
  }
  times.report(state);
}

void register_instance(const std::string& name, const std::optional<Instance>& instance) {
  if (!instance) return;
  const auto add = [&](const char* what, auto run) {
    auto* added = benchmark::RegisterBenchmark((name + what).c_str(),
                                               [&instance, run](benchmark::State& state) { run(state, *instance); });
    added->Unit(benchmark::kMillisecond)->UseRealTime();
    return added;
  };
  add("/replan", replan)->Iterations(instance->large ? 3 : 20);
  add("/protect", protect)->Iterations(instance->large ? 2 : 20);
  add("/exact_clp", exact)->Iterations(instance->large ? 1 : 3);
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto abilene = measured("abilene", 1200);
  const auto geant = measured("geant", 150);
  const auto archive = wan::test::RepetitaArchive::open();
  const auto us_carrier = repetita(archive, "UsCarrier");
  const auto cogentco = repetita(archive, "Cogentco");
  register_instance("Abilene", abilene);
  register_instance("GEANT", geant);
  register_instance("UsCarrier", us_carrier);
  register_instance("Cogentco", cogentco);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
