#include <catch2/catch.hpp>
#include <functional>

#include "core/io/demand_file.h"
#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/random.h"
#include "tests/unit/core/format_samples.h"
#include "tests/unit/core/sample_plan.h"

using namespace wan;
using namespace wan::io;
using namespace wan::test;

namespace {

constexpr int kMutants = 1000;

/// One seeded accident: some bytes flipped, a stretch cut out, or a stretch repeated.
std::string mutated(std::string text, Rng& rng) {
  const auto stretch = [&] {
    const std::size_t begin = rng.below(text.size());
    return std::pair{begin, 1 + rng.below(std::min<std::size_t>(text.size() - begin, 80))};
  };
  switch (rng.below(4)) {
    case 0:
      for (std::uint64_t flips = 1 + rng.below(8); flips > 0; --flips) {
        text[rng.below(text.size())] ^= static_cast<char>(1 << rng.below(8));
      }
      return text;
    case 1:
      return text.substr(0, rng.below(text.size()));
    case 2: {
      const auto [begin, length] = stretch();
      return text.erase(begin, length);
    }
    default: {
      const auto [begin, length] = stretch();
      return text.insert(rng.below(text.size()), text.substr(begin, length));
    }
  }
}

/// Every mutant must give a value that `holds` its promises, or one line that names the file. Both must happen.
template <typename T>
void check_mutants(std::string_view sample, const std::function<Result<T>(std::string_view)>& parse,
                   const std::function<bool(const T&)>& holds) {
  int accepted = 0;
  for (int seed = 0; seed < kMutants; ++seed) {
    Rng rng{static_cast<std::uint64_t>(seed), "mutation"};
    const std::string text = mutated(std::string{sample}, rng);
    const auto result = parse(text);
    INFO("seed " << seed << ", text:\n" << text);
    if (result) {
      ++accepted;
      REQUIRE(holds(*result));
      continue;
    }
    const std::string& message = result.error().message;
    INFO(message);
    REQUIRE(result.error().code == ErrorCode::kBadInput);
    REQUIRE(message.starts_with("file:"));
    REQUIRE(message.size() > 10);
    REQUIRE(message.size() < 500);
    for (const char c : message) REQUIRE_FALSE((static_cast<unsigned char>(c) < 0x20 || c == 0x7f));
  }
  CHECK(accepted > 0);
  CHECK(accepted < kMutants);
}

bool is_sound(const TopologyFile& file) {
  return Topology::make({file.topology.nodes().begin(), file.topology.nodes().end()},
                        {file.topology.links().begin(), file.topology.links().end()})
      .has_value();
}

bool is_sound(const TrafficMatrix& matrix) {
  for (std::size_t i = 0; i < matrix.bps().size(); ++i) {
    const double bps = matrix.bps()[i];
    if (!(bps >= 0.0 && bps <= 1e18)) return false;
    if (i / matrix.node_count() == i % matrix.node_count() && bps != 0.0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("mutated topologies give a sound topology or one line", "[io][mutation]") {
  for (const std::string_view sample : {kGraphml, kRepetitaGraph, kSndlib, kNodeLink}) {
    check_mutants<TopologyFile>(
        sample, [](std::string_view text) { return parse_topology(text, "file"); },
        [](const TopologyFile& file) { return is_sound(file); });
  }
}

TEST_CASE("mutated demands give a sound matrix or one line", "[io][mutation]") {
  const Topology four = diamond();
  const auto sndlib = parse_topology(kSndlib, "s");
  REQUIRE(sndlib);
  for (const auto& [sample, topology] : {std::pair{kRepetitaDemands, &four}, std::pair{kSndlib, &sndlib->topology}}) {
    check_mutants<TrafficMatrix>(
        sample, [of = topology](std::string_view text) { return parse_demands(text, "file", *of); },
        [](const TrafficMatrix& matrix) { return is_sound(matrix); });
  }
}

TEST_CASE("mutated series give sound matrices in order or one line", "[io][mutation]") {
  const Topology triangle = network(3, {{0, 1}, {1, 2}, {2, 0}});
  check_mutants<TrafficSeries>(
      kTrafficCsv, [&](std::string_view text) { return parse_traffic_csv(text, "file", triangle); },
      [](const TrafficSeries& series) {
        for (std::size_t i = 0; i < series.intervals.size(); ++i) {
          if (!is_sound(series.intervals[i])) return false;
          if (i > 0 && series.intervals[i].measured_at() <= series.intervals[i - 1].measured_at()) return false;
        }
        return !series.intervals.empty();
      });
}

TEST_CASE("mutated plans give a plan that keeps its promises or one line", "[io][mutation]") {
  const Topology topology = diamond();
  check_mutants<PlanFile>(
      sample_plan(), [&](std::string_view text) { return parse_plan(text, "file", topology); },
      [](const PlanFile& file) {
        for (std::size_t d = 0; d < file.plan.demand_count(); ++d) {
          double sum = 0.0;
          for (std::size_t p = 0; p < file.plan.path_count(d); ++p) sum += file.plan.path(d, p).fraction;
          if (!(std::abs(sum - 1.0) <= 1e-9)) return false;
          if (d > 0 && file.plan.demands()[d] <= file.plan.demands()[d - 1]) return false;
        }
        return true;
      });
}
