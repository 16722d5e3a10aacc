#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/control_loop.h"
#include "controller/input_guard.h"
#include "controller/reference_lp.h"
#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "core/link_load.h"
#include "tests/support/shared_data.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

struct RealNetwork {
  Topology topology;
  TrafficSeries series;
};

/// Nothing where the shared data is absent: the test is skipped.
std::optional<RealNetwork> real_network(const std::string& name) {
  const auto graph = test::shared_data(name + "/" + name + ".graph");
  const auto traffic = test::shared_data(name + "/traffic.csv");
  if (!graph || !traffic) return std::nullopt;
  Topology topology = io::read_topology(*graph).value().topology;
  TrafficSeries series = io::read_traffic_csv(*traffic, topology).value();
  return RealNetwork{std::move(topology), std::move(series)};
}

/// Faults that the guard finds on clean rows after the training rows, each believed all the same.
std::vector<std::string> faults_on_clean_rows(const RealNetwork& real, std::size_t training) {
  const std::span<const TrafficMatrix> rows{real.series.intervals};
  const Duration interval = real.series.interval();
  InputGuard guard = InputGuard::fit(real.topology, rows.first(training), interval, {});
  std::vector<std::string> faults;
  for (const TrafficMatrix& row : rows.subspan(training)) {
    const Timestamp now = row.measured_at() + std::chrono::duration_cast<std::chrono::seconds>(interval);
    if (const auto fault = guard.fault(row, now))
      faults.push_back(format_timestamp(row.measured_at()) + " " + fault->text);
    guard.record(row, row);
  }
  return faults;
}

}  // namespace

TEST_CASE("the guard lets Abilene's last days pass", "[guard][real]") {
  const auto real = real_network("abilene");
  if (!real) return;
  for (const std::string& fault : faults_on_clean_rows(*real, 2880)) FAIL_CHECK(fault);
}

TEST_CASE("the guard lets GEANT's last day pass but for one surge", "[guard][real]") {
  const auto real = real_network("geant");
  if (!real) return;
  // One pair jumps to fourteen times its last hour and 2.7 times its highest day: held for an interval, and rightly so.
  const std::vector<std::string> faults = faults_on_clean_rows(*real, 400);
  REQUIRE(faults.size() <= 1);
  for (const std::string& fault : faults) CHECK_THAT(fault, Catch::Contains("2005-04-18T20:30:00Z spike: n9 > n15"));
}

TEST_CASE("a spike on real traffic is seen on every pair that matters", "[guard][real]") {
  for (const std::string name : {"abilene", "geant"}) {
    CAPTURE(name);
    const auto real = real_network(name);
    if (!real) return;
    const std::span<const TrafficMatrix> rows{real->series.intervals};
    const std::size_t training = rows.size() * 5 / 6;
    const InputGuard guard = InputGuard::fit(real->topology, rows.first(training), real->series.interval(), {});
    const TrafficMatrix& next = rows[training];
    std::size_t seen = 0;
    std::size_t tried = 0;
    for (std::size_t pair = 0; pair < next.bps().size(); ++pair) {
      if (next.bps()[pair] < 2e-3 * next.total().bps()) continue;
      TrafficMatrix spiked = next;
      spiked.bps()[pair] *= 100.0;
      ++tried;
      if (guard.demand_fault(spiked)) ++seen;
    }
    INFO(seen << " of " << tried);
    CHECK(tried > 50);
    CHECK(seen == tried);
  }
}

TEST_CASE("the loop on GEANT's last day keeps near the best that hindsight could do", "[loop][real]") {
  const auto real = real_network("geant");
  if (!real) return;
  const std::span<const TrafficMatrix> rows{real->series.intervals};
  const std::size_t training = 400;
  auto loop = ControlLoop::make(real->topology, nullptr, rows.first(training), real->series.interval(), {});
  REQUIRE(loop);
  ReferenceLp hindsight{real->topology};
  double ratio = 0.0;
  double ratio_max = 0.0;
  std::size_t count = 0;
  std::size_t holds = 0;
  for (std::size_t row = training; row + 1 < rows.size(); ++row) {
    const auto interval = std::chrono::duration_cast<std::chrono::seconds>(real->series.interval());
    const Decision decision = loop->step(rows[row], rows[row].measured_at() + interval);
    INFO(decision.reason);
    if (decision.action == Action::kHold) ++holds;
    const double reached = max_utilization(real->topology, loop->plan_in_force(), rows[row + 1]);
    const double best = hindsight.best_utilization(rows[row + 1]).value();
    ratio += reached / best;
    ratio_max = std::max(ratio_max, reached / best);
    ++count;
  }
  ratio /= static_cast<double>(count);
  CAPTURE(ratio, ratio_max);
  CHECK(holds <= 1);
  CHECK(ratio < 1.02);
  CHECK(ratio_max < 1.15);
}

}  // namespace wan::controller
