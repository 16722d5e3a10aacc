// The whole REPETITA archive: every instance read, planned to a certified gap and checked by the verifier, one pass an
// iteration. Its demands are scaled so that the best possible utilisation is 0.90. From ../shared/data/repetita.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "controller/planner.h"
#include "core/huge_page_heap.h"
#include "core/io/demand_file.h"
#include "core/io/topology_file.h"
#include "simulator/program/plan_verifier.h"
#include "tests/support/repetita_archive.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_files(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Outcome {
  std::size_t instances = 0, refused = 0, gap_missed = 0;
  double utilization_max = 0.0;
};

Outcome plan_all(const fs::path& folder, double gap) {
  Outcome outcome;
  const std::vector<fs::path> demand_files = sorted_files(folder, ".demands");
  for (const fs::path& graph : sorted_files(folder, ".graph")) {
    const auto network = wan::io::read_topology(graph);
    const std::string prefix = graph.stem().string() + ".";
    for (const fs::path& file : demand_files) {
      const std::string name = file.filename().string();
      if (!name.starts_with(prefix) || std::count(name.begin(), name.end(), '.') != 2) continue;
      ++outcome.instances;
      const auto demand = network ? wan::io::read_demands(file, network->topology) : tl::unexpected{network.error()};
      const auto routes = demand ? wan::controller::plan_paths(network->topology, *demand, {.gap = gap})
                                 : tl::unexpected{demand.error()};
      if (!routes) {
        std::cerr << name << ": " << routes.error().message << '\n';
        ++outcome.refused;
        continue;
      }
      const auto verified = wan::simulator::verify_plan(network->topology, *demand,
                                                        {.topology_digest = network->topology.digest(),
                                                         .plan = routes->plan,
                                                         .certificate = routes->certificate,
                                                         .unrouted = routes->unrouted});
      outcome.refused += !verified;
      outcome.gap_missed += routes->certificate.gap() > gap;
      outcome.utilization_max = std::max(outcome.utilization_max, routes->certificate.utilization);
    }
  }
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  benchmark::Initialize(&argc, argv);
  const auto archive = wan::test::RepetitaArchive::open();
  if (!archive) {
    std::cerr << "bench_zoo: ../shared/data/repetita/zoo.tar.xz is not there\n";
    return 0;
  }
  for (const double gap : {0.01, 0.001}) {
    benchmark::RegisterBenchmark(("zoo/read_plan_verify/gap:" + std::to_string(gap)).c_str(),
                                 [&archive, gap](benchmark::State& state) {
                                   Outcome outcome;
                                   for (auto _ : state) outcome = plan_all(archive->folder(), gap);
                                   state.counters["instances"] = static_cast<double>(outcome.instances);
                                   state.counters["refused"] = static_cast<double>(outcome.refused);
                                   state.counters["gap_missed"] = static_cast<double>(outcome.gap_missed);
                                   state.counters["utilization_max"] = outcome.utilization_max;
                                 })
        ->Unit(benchmark::kSecond)
        ->UseRealTime()
        ->Iterations(1);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
