// Plans by class priority and fair shares against exact linear programs on the same instance in the same run: the
// built-in backbone (always there), Abilene and GEANT (../shared/data), and REPETITA's Cogentco and UsCarrier, unpacked
// from ../shared/data/repetita/zoo.tar.xz. Four classes of four priorities, each entry split among them at random. Few
// paths are taken from the same plans.
//
// The reference is Clp on the edge formulation by level and source, level after level, as ReferenceLp solves it for one
// class: each level is priced as if those above it stood on their own optimum, which is no more work than a
// lexicographic LP asks for, and less where a level must be solved with those above it again.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/class_planner.h"
#include "controller/fair_share.h"
#include "controller/few_class_paths.h"
#include "controller/reference_lp.h"
#include "core/huge_page_heap.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/random.h"
#include "simulator/workload.h"
#include "tests/support/repetita_archive.h"
#include "tests/support/shared_data.h"

namespace {

using wan::controller::PolicySet;

constexpr std::size_t kClasses = 4;

struct Instance {
  wan::Topology topology;
  wan::TrafficMatrix traffic;  // of all classes
};

/// Splits every entry among the classes.
Instance with_classes(wan::Topology topology, const wan::TrafficMatrix& demand, double scale) {
  wan::Rng rng{1, "class shares"};
  const std::size_t entries = demand.bps().size();
  wan::TrafficMatrix traffic{topology.node_count(), kClasses};
  for (std::size_t e = 0; e < entries; ++e) {
    std::vector<double> part;
    double sum = 0.0;
    for (std::size_t c = 0; c < kClasses; ++c) sum += part.emplace_back(rng.exponential());
    for (std::size_t c = 0; c < kClasses; ++c) {
      traffic.bps()[c * entries + e] = scale * demand.bps()[e] * part[c] / sum;
    }
  }
  return {std::move(topology), std::move(traffic)};
}

PolicySet four_priorities() {
  PolicySet policies;
  policies.classes.clear();
  for (std::size_t c = 0; c < kClasses; ++c) {
    policies.classes.push_back({.name = std::to_string(c), .priority = static_cast<int>(c)});
  }
  return policies;
}

std::optional<Instance> repetita(const std::optional<wan::test::RepetitaArchive>& archive, const std::string& name,
                                 double scale) {
  auto instance = archive ? archive->instance(name) : std::nullopt;
  if (!instance) return std::nullopt;
  return with_classes(std::move(instance->topology), instance->demand, scale);
}

std::optional<Instance> measured(const std::string& name, std::size_t row, double scale) {
  const auto graph = wan::test::shared_data(name + "/" + name + ".graph");
  const auto series = wan::test::shared_data(name + "/traffic.csv");
  if (!graph || !series) return std::nullopt;
  auto topology = wan::io::read_topology(*graph);
  if (!topology) return std::nullopt;
  const auto traffic = wan::io::read_traffic_csv(*series, topology->topology);
  if (!traffic || traffic->intervals.size() <= row) return std::nullopt;
  return with_classes(std::move(topology->topology), traffic->intervals[row], scale);
}

Instance backbone(double scale) {
  wan::Topology topology = wan::simulator::builtin_backbone();
  const wan::TrafficMatrix demand = wan::simulator::gravity_demands(topology, 1);
  return with_classes(std::move(topology), demand, scale);
}

void classes(benchmark::State& state, const Instance& instance, double gap, bool least_delay) {
  double worst = 0.0;
  for (auto _ : state) {
    const auto routes = wan::controller::plan_classes(instance.topology, instance.traffic, four_priorities(),
                                                      {.gap = gap, .least_delay = least_delay});
    worst = 0.0;
    if (!routes) return state.SkipWithError(routes.error().message.c_str());
    for (const auto& level : routes->levels) worst = std::max(worst, level.utilization / level.lower_bound - 1.0);
  }
  state.counters["worst_gap_percent"] = 100.0 * worst;
}

/// The reduction alone: the plan that it begins with is made outside of the time.
void few_paths(benchmark::State& state, const Instance& instance, const wan::controller::FewPathsOptions& options) {
  const auto routes =
      wan::controller::plan_classes(instance.topology, instance.traffic, four_priorities(), {.gap = 0.7 * options.gap});
  double worst = 0.0;
  for (auto _ : state) {
    const auto few =
        wan::controller::reduce_class_paths(instance.topology, instance.traffic, four_priorities(), *routes, options);
    worst = 0.0;
    if (!few) return state.SkipWithError(few.error().message.c_str());
    for (const auto& level : few->routes.levels) worst = std::max(worst, level.utilization / level.lower_bound - 1.0);
  }
  state.counters["worst_gap_percent"] = 100.0 * worst;
}

/// All traffic as one class: one filling.
void shares(benchmark::State& state, const Instance& instance) {
  for (auto _ : state) {
    const auto routes = wan::controller::plan_fair_shares(instance.topology, instance.traffic.classes_summed(), {});
    if (!routes) return state.SkipWithError(routes.error().message.c_str());
    state.counters["rounds"] = static_cast<double>(routes->rounds.size());
    state.counters["pricings"] = routes->pricings;
    state.counters["lowest_share"] = *std::min_element(routes->admitted.begin(), routes->admitted.end());
    state.counters["within"] = routes->within;
    state.counters["unproven"] = static_cast<double>(routes->unproven);
  }
}

/// Levels summed up, most important first, each an LP of its own.
void exact(benchmark::State& state, const Instance& instance) {
  const std::size_t entries = instance.topology.node_count() * instance.topology.node_count();
  for (auto _ : state) {
    wan::controller::ReferenceLp lp{instance.topology};
    wan::TrafficMatrix summed{instance.topology.node_count()};
    for (std::size_t c = kClasses; c-- > 0;) {
      for (std::size_t e = 0; e < entries; ++e) summed.bps()[e] += instance.traffic.bps()[c * entries + e];
      benchmark::DoNotOptimize(lp.best_utilization(summed));
    }
  }
}

void register_fair(const std::string& name, const Instance& overloaded) {
  benchmark::RegisterBenchmark((name + "/fair").c_str(), [&overloaded](benchmark::State& state) {
    shares(state, overloaded);
  })->Unit(benchmark::kMillisecond);
}

void register_instance(const std::string& name, const Instance& instance, const Instance& overloaded, bool slow) {
  const auto add = [&](const std::string& what, auto run) {
    auto* benchmark = benchmark::RegisterBenchmark((name + "/" + what).c_str(), run);
    benchmark->Unit(benchmark::kMillisecond);
    return benchmark;
  };
  for (const double gap : {0.01, 0.001}) {
    if (slow && gap < 0.01) continue;
    add("classes/gap:" + std::to_string(gap),
        [&instance, gap](benchmark::State& state) { classes(state, instance, gap, false); });
  }
  add("classes_least_delay/gap:0.01", [&instance](benchmark::State& state) { classes(state, instance, 0.01, true); });
  add("few_paths:4/gap:0.01",
      [&instance](benchmark::State& state) { few_paths(state, instance, {.paths_max = 4, .gap = 0.01}); });
  add("few_paths:4/sid_depth:8/gap:0.01", [&instance](benchmark::State& state) {
    few_paths(state, instance, {.paths_max = 4, .sid_depth = 8, .gap = 0.01});
  });
  register_fair(name, overloaded);
  auto* reference = add("exact_clp_by_level", [&instance](benchmark::State& state) { exact(state, instance); });
  if (slow) reference->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const Instance small = backbone(1.0), small_overloaded = backbone(2.0);
  register_instance("backbone12", small, small_overloaded, false);
  const auto abilene = measured("abilene", 500, 1.0), abilene_overloaded = measured("abilene", 500, 40.0);
  const auto geant = measured("geant", 50, 1.0), geant_overloaded = measured("geant", 50, 2.0);
  const auto archive = wan::test::RepetitaArchive::open();
  const auto cogentco = repetita(archive, "Cogentco", 1.0), cogentco_overloaded = repetita(archive, "Cogentco", 2.0);
  const auto us_carrier_overloaded = repetita(archive, "UsCarrier", 2.0);
  if (abilene) register_instance("Abilene", *abilene, *abilene_overloaded, false);
  if (geant) register_instance("GEANT", *geant, *geant_overloaded, false);
  if (cogentco) register_instance("Cogentco", *cogentco, *cogentco_overloaded, true);
  if (us_carrier_overloaded) register_fair("UsCarrier", *us_carrier_overloaded);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
