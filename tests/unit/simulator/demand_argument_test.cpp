#include "simulator/program/demand_argument.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "simulator/workload.h"
#include "tests/support/shared_data.h"

namespace wan::simulator {
namespace {

const BestUtilization kUnused = [](const Topology&, const TrafficMatrix&) -> Result<double> {
  FAIL("the planner was asked for");
  return 0.0;
};

/// Stands in for the planner with something as linear: all traffic over all capacity.
Result<double> mean_utilization(const Topology& topology, const TrafficMatrix& matrix) {
  double capacity_bps = 0.0;
  for (const Link& link : topology.links()) capacity_bps += link.capacity.bps();
  return matrix.total().bps() / capacity_bps;
}

TEST_CASE("gravity demands are scaled to the utilisation asked for", "[demands]") {
  const Topology topology = builtin_backbone();
  const auto usual = resolve_demands("gravity:7", topology, mean_utilization);
  REQUIRE(usual);
  CHECK(mean_utilization(topology, *usual).value() == Approx(0.9).epsilon(1e-12));
  const auto low = resolve_demands("gravity:7:0.3", topology, mean_utilization);
  REQUIRE(low);
  CHECK(mean_utilization(topology, *low).value() == Approx(0.3).epsilon(1e-12));
  CHECK(low->at(NodeId{0}, NodeId{1}) / usual->at(NodeId{0}, NodeId{1}) == Approx(1.0 / 3.0));
  CHECK(!(resolve_demands("gravity:8", topology, mean_utilization).value() == *usual));
}

TEST_CASE("malformed gravity arguments are refused in one line", "[demands]") {
  const Topology topology = builtin_backbone();
  for (const char* text : {"gravity:", "gravity:x", "gravity:-1", "gravity:1:", "gravity:1:0", "gravity:1:-2",
                           "gravity:1:inf", "gravity:1:nan", "gravity:1:0.5:2", "gravity:99999999999999999999"}) {
    const auto result = resolve_demands(text, topology, kUnused);
    INFO(text);
    REQUIRE(!result);
    CHECK(result.error().code == ErrorCode::kBadInput);
    CHECK(result.error().message.starts_with(text));
    CHECK(result.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("gravity demands need connected nodes, and pass the planner's error on", "[demands]") {
  const Topology islands = Topology::make({{"A", {}}, {"B", {}}}, {}).value();
  const auto none = [](const Topology&, const TrafficMatrix&) -> Result<double> { return 0.0; };
  CHECK(resolve_demands("gravity:1", islands, none).error().code == ErrorCode::kBadInput);
  const auto broken = [](const Topology&, const TrafficMatrix&) -> Result<double> {
    return fail(ErrorCode::kInternal, "no optimum");
  };
  CHECK(resolve_demands("gravity:1", builtin_backbone(), broken).error().message == "no optimum");
}

TEST_CASE("a row of a series is chosen by number or by time", "[demands]") {
  const auto graph = test::shared_data("abilene/abilene.graph");
  const auto csv = test::shared_data("abilene/traffic.csv");
  if (!graph || !csv) return;
  const Topology topology = io::read_topology(*graph).value().topology;
  const TrafficSeries series = io::read_traffic_csv(*csv, topology).value();
  const auto resolve = [&](const std::string& row) { return resolve_demands(csv->string() + row, topology, kUnused); };
  CHECK(resolve("@0").value() == series.intervals.front());
  CHECK(resolve("@3455").value() == series.intervals.back());
  CHECK(resolve("@2004-03-01T00:05:00Z").value() == series.intervals[1]);
  CHECK(resolve("@3456").error().code == ErrorCode::kNotFound);
  CHECK(resolve("@2004-03-01T00:06:00Z").error().code == ErrorCode::kNotFound);
  CHECK(resolve("@-1").error().code == ErrorCode::kBadInput);
  CHECK(resolve("@").error().code == ErrorCode::kBadInput);
  CHECK(resolve("").error().message.find("@ROW") != std::string::npos);
}

TEST_CASE("an absent demand file is named", "[demands]") {
  const auto result = resolve_demands("/nonexistent/x.demands", builtin_backbone(), kUnused);
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::kNotFound);
  CHECK(result.error().message.find("/nonexistent/x.demands") != std::string::npos);
}

}  // namespace
}  // namespace wan::simulator
