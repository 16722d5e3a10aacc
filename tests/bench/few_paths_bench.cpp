// Plans of few paths against the all-paths plan that they come from and, on the same instance in the same run, the
// exact linear program over all paths: the ten largest REPETITA graphs, unpacked from
// ../shared/data/repetita/zoo.tar.xz, and the built-in backbone, which is always there. `mlu` beside `optimum` is what
// few paths cost.

#include <benchmark/benchmark.h>

#include <array>
#include <deque>
#include <iostream>
#include <optional>
#include <string>

#include "controller/few_paths.h"
#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "simulator/workload.h"
#include "tests/support/repetita_archive.h"

namespace {

using namespace wan;

constexpr std::array kLargest{"Cogentco", "UsCarrier", "GtsCe",          "TataNld",        "Pern",
                              "Ion",      "Deltacom",  "VtlWavenet2011", "VtlWavenet2008", "RedBestel"};

using Instance = test::RepetitaInstance;

void all_paths(benchmark::State& state, const Instance& instance, double gap) {
  Certificate certificate;
  for (auto _ : state)
    certificate = controller::plan_paths(instance.topology, instance.demand, {.gap = gap})->certificate;
  state.counters["mlu"] = certificate.utilization;
  state.counters["gap_percent"] = 100.0 * certificate.gap();
}

/// The reduction alone: the plan that it begins with is made outside of the time.
void few_paths(benchmark::State& state, const Instance& instance, double gap,
               const controller::FewPathsOptions& options) {
  const auto routes = controller::plan_paths(instance.topology, instance.demand, {.gap = 0.7 * gap});
  Certificate certificate;
  for (auto _ : state) {
    const auto few =
        controller::reduce_paths(instance.topology, instance.demand, routes->plan, routes->certificate, options);
    if (!few) {
      state.SkipWithError(few.error().message.c_str());
      return;
    }
    certificate = few->certificate;
  }
  state.counters["mlu"] = certificate.utilization;
  state.counters["gap_percent"] = 100.0 * certificate.gap();
}

void exact(benchmark::State& state, const Instance& instance) {
  double optimum = 0.0;
  for (auto _ : state) {
    controller::ReferenceLp lp{instance.topology};
    optimum = lp.best_utilization(instance.demand).value_or(0.0);
  }
  state.counters["optimum"] = optimum;
}

void register_instance(const std::string& name, const Instance& instance) {
  const auto add = [&](const std::string& what, auto run) {
    benchmark::RegisterBenchmark((name + what).c_str(), run)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
  };
  add("/all_paths/gap:1%", [&instance](benchmark::State& state) { all_paths(state, instance, 0.01); });
  for (const std::size_t k : {4U, 2U, 1U}) {
    for (const double gap : {0.01, 0.001}) {
      add("/paths:" + std::to_string(k) + "/gap:" + (gap == 0.01 ? "1%" : "0.1%"),
          [&instance, k, gap](benchmark::State& state) {
            few_paths(state, instance, gap, {.paths_max = k, .gap = gap});
          });
    }
  }
  add("/paths:4/sid_depth:8/gap:1%", [&instance](benchmark::State& state) {
    few_paths(state, instance, 0.01, {.paths_max = 4, .sid_depth = 8, .gap = 0.01});
  });
  benchmark::RegisterBenchmark((name + "/exact_lp").c_str(),
                               [&instance](benchmark::State& state) { exact(state, instance); })
      ->Unit(benchmark::kMillisecond)
      ->MeasureProcessCPUTime()
      ->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  std::deque<Instance> instances;
  Topology backbone = simulator::builtin_backbone();
  TrafficMatrix demand = simulator::gravity_demands(backbone, 1);
  instances.push_back({std::move(backbone), std::move(demand)});
  register_instance("backbone", instances.back());
  if (const auto archive = test::RepetitaArchive::open()) {
    for (const std::string name : kLargest) {
      auto instance = archive->instance(name);
      if (!instance) continue;
      instances.push_back(*std::move(instance));
      register_instance(name, instances.back());
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
