#include "models/scenarios.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/unit/controller/drawn_network.h"

namespace wan::models {
namespace {

/// Two nodes, traffic one way.
TrafficMatrix one_way(double bps) {
  TrafficMatrix matrix{2};
  matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(bps));
  return matrix;
}

double rate_of(const TrafficMatrix& matrix) { return matrix.at(NodeId{0}, NodeId{1}).bps(); }

}  // namespace

TEST_CASE("while no residual is known the forecast is the only scenario", "[scenarios]") {
  const ScenarioSource source{{}};
  const ScenarioSet set = source.around(one_way(70.0));
  REQUIRE(set.scenarios.size() == 1);
  CHECK(set.scenarios[0] == one_way(70.0));
  CHECK(set.forecast == one_way(70.0));
}

TEST_CASE("a residual is laid around the next forecast, scaled by how that has grown", "[scenarios]") {
  ScenarioSource source{{.widen_every = 0}};
  source.record(one_way(100.0), one_way(110.0));
  CHECK(rate_of(source.around(one_way(100.0)).scenarios[0]) == Approx(110.0));
  CHECK(rate_of(source.around(one_way(150.0)).scenarios[0]) == Approx(165.0));
  CHECK(rate_of(source.around(one_way(50.0)).scenarios[0]) == Approx(55.0));
}

TEST_CASE("a residual is at most doubled", "[scenarios]") {
  ScenarioSource source{{.widen_every = 0}};
  source.record(one_way(1.0), one_way(11.0));
  CHECK(rate_of(source.around(one_way(500.0)).scenarios[0]) == Approx(520.0));
}

TEST_CASE("a residual of a pair that was forecast to be silent is taken as it is", "[scenarios]") {
  ScenarioSource source{{.widen_every = 0}};
  source.record(one_way(0.0), one_way(30.0));
  CHECK(rate_of(source.around(one_way(500.0)).scenarios[0]) == Approx(530.0));
}

TEST_CASE("no scenario is negative", "[scenarios]") {
  ScenarioSource source{{.count = 8, .widen_every = 1, .widen_factor = 3.0}};
  source.record(one_way(100.0), one_way(20.0));
  CHECK(rate_of(source.around(one_way(100.0)).scenarios[0]) == 0.0);
}

TEST_CASE("every fourth residual is widened, counted from the newest", "[scenarios]") {
  ScenarioSource source{{.count = 32, .widen_every = 4, .widen_factor = 2.0}};
  for (int i = 1; i <= 8; ++i) source.record(one_way(100.0), one_way(100.0 + i));  // the newest missed by 8
  const ScenarioSet set = source.around(one_way(100.0));
  std::vector<double> missed;
  for (const TrafficMatrix& scenario : set.scenarios) missed.push_back(rate_of(scenario) - 100.0);
  const std::vector<double> expected{8, 7, 6, 2 * 5, 4, 3, 2, 2 * 1};
  REQUIRE(missed.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(missed[i] == Approx(expected[i]));
}

TEST_CASE("only the newest residuals are kept", "[scenarios]") {
  ScenarioSource source{{.count = 3, .widen_every = 0}};
  for (int i = 1; i <= 10; ++i) source.record(one_way(100.0), one_way(100.0 + i));
  CHECK(source.residual_count() == 3);
  const ScenarioSet set = source.around(one_way(100.0));
  REQUIRE(set.scenarios.size() == 3);
  CHECK(rate_of(set.scenarios[0]) == Approx(110.0));
  CHECK(rate_of(set.scenarios[2]) == Approx(108.0));
}

TEST_CASE("a source that keeps no residual plans on the forecast", "[scenarios]") {
  ScenarioSource source{{.count = 0}};
  source.record(one_way(100.0), one_way(300.0));
  CHECK(source.residual_count() == 0);
  CHECK(source.around(one_way(100.0)).scenarios == std::vector<TrafficMatrix>{one_way(100.0)});
}

TEST_CASE("scenarios keep the forecast's time, classes and silent diagonal", "[scenarios]") {
  Rng rng{4, "classes"};
  TrafficMatrix forecast{3, 2};
  TrafficMatrix measured{3, 2};
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t s = 0; s < 3; ++s) {
      for (std::size_t t = 0; t < 3; ++t) {
        if (s == t) continue;
        forecast.set(TrafficClass{c}, NodeId{s}, NodeId{t}, BitRate::bps(100.0 * rng.exponential()));
        measured.set(TrafficClass{c}, NodeId{s}, NodeId{t}, BitRate::bps(100.0 * rng.exponential()));
      }
    }
  }
  forecast.set_measured_at(Timestamp{std::chrono::seconds{300}});
  ScenarioSource source{{}};
  source.record(forecast, measured);
  const ScenarioSet set = source.around(forecast);
  REQUIRE(set.scenarios.size() == 1);
  CHECK(set.scenarios[0].class_count() == 2);
  CHECK(set.scenarios[0].measured_at() == forecast.measured_at());
  for (std::size_t i = 0; i < measured.bps().size(); ++i) {
    CHECK(set.scenarios[0].bps()[i] == Approx(measured.bps()[i]));  // same forecast again: the miss gives what was
  }
  for (std::size_t node = 0; node < 3; ++node) CHECK(set.scenarios[0].at(NodeId{node}, NodeId{node}).bps() == 0.0);
}

}  // namespace wan::models
