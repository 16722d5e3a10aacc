// One forecast by a learned model in the order in which a network asks for them, and twelve intervals with bands,
// beside AR(12). Trained with one pass only: the time of a forecast does not depend on how well it was trained.

#include <benchmark/benchmark.h>

#include <optional>
#include <span>
#include <string>

#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "models/baselines.h"
#include "models/training.h"
#include "tests/support/shared_data.h"

namespace {

struct Subject {
  wan::TrafficSeries series;
  std::size_t trained;
  wan::models::ModelBundle model;
};

std::optional<Subject> prepare(const std::string& name, std::size_t trained) {
  const auto folder = wan::test::shared_data(name);
  if (!folder) return std::nullopt;
  auto topology = wan::io::read_topology(*folder / (name + ".graph"));
  if (!topology) return std::nullopt;
  auto series = wan::io::read_traffic_csv(*folder / "traffic.csv", topology->topology);
  if (!series) return std::nullopt;
  wan::TrafficSeries before = *series;
  before.intervals.resize(trained);
  wan::models::TrainOptions options;
  options.epochs = 1;
  auto model = wan::models::train_model(topology->topology, before, options);
  if (!model) return std::nullopt;
  return Subject{*std::move(series), trained, *std::move(model)};
}

/// Calls `ask` with one history after the other, each an interval longer; begins again at the end.
template <typename Ask>
void in_order(benchmark::State& state, const Subject& subject, const Ask& ask) {
  const std::span<const wan::TrafficMatrix> all{subject.series.intervals};
  for (std::size_t row = subject.trained; row < subject.trained + 50; ++row) ask(all.first(row));  // as after a start
  std::size_t row = subject.trained + 50;
  for (auto _ : state) {
    ask(all.first(row));
    if (++row <= all.size()) continue;
    state.PauseTiming();
    for (row = subject.trained; row < subject.trained + 50; ++row) ask(all.first(row));
    state.ResumeTiming();
  }
}

void add(const std::string& name, const Subject& subject) {
  const auto& learned = *subject.model.learned;
  benchmark::RegisterBenchmark((name + "/learned").c_str(), [&](benchmark::State& state) {
    in_order(state, subject, [&](auto history) { benchmark::DoNotOptimize(learned.next(history)); });
  });
  benchmark::RegisterBenchmark((name + "/learned_12_ahead_with_bands").c_str(), [&](benchmark::State& state) {
    in_order(state, subject, [&](auto history) {
      const auto ahead = learned.ahead(history, wan::models::kHorizonMax);
      for (std::size_t step = 0; step < ahead->size(); ++step) {
        benchmark::DoNotOptimize(subject.model.bands.around(step + 1, (*ahead)[step].bps()));
      }
    });
  });
  benchmark::RegisterBenchmark((name + "/ar12").c_str(), [&](benchmark::State& state) {
    const auto ar12 = wan::models::make_ar12_forecaster(subject.model.ar12);
    in_order(state, subject, [&](auto history) { benchmark::DoNotOptimize(ar12->next(history)); });
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto abilene = prepare("abilene", 2880);
  const auto geant = prepare("geant", 400);
  if (abilene) add("abilene", *abilene);
  if (geant) add("geant", *geant);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
