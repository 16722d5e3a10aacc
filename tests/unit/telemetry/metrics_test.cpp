#include "telemetry/prometheus/metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <string>

#include "telemetry/matrix_builder.h"
#include "telemetry/sqlite/history_store.h"
#include "telemetry/zmq/bus.h"
#include "tests/unit/core/small_networks.h"

namespace {

using wan::BitRate;
using wan::NodeId;
using wan::telemetry::Metrics;
using namespace std::chrono_literals;

wan::Topology network() { return wan::test::network(3, {{0, 1}, {1, 0}, {1, 2}}); }

constexpr const char* kNameCharacters = "abcdefghijklmnopqrstuvwxyz_";

/// Values by what stands before them: `name{labels}`. Fails on a line that Prometheus would not read.
std::map<std::string, double> samples_of(const std::string& exposition) {
  std::map<std::string, double> samples;
  std::istringstream lines{exposition};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP aiwan_") || line.starts_with("# TYPE aiwan_")) continue;
    const std::size_t value = line.rfind(' ');
    const std::string name = line.substr(0, value);
    const std::size_t labels = std::min(name.find('{'), name.size());
    const bool well_named = name.starts_with("aiwan_") && name.find_first_not_of(kNameCharacters) >= labels &&
                            (labels == name.size() || name.ends_with("\"}"));
    if (value == std::string::npos || !well_named) FAIL("not a line of the text format: " << line);
    CHECK(samples.emplace(name, std::stod(line.substr(value + 1))).second);
  }
  return samples;
}

}  // namespace

TEST_CASE("metrics hold what was set and observed", "[telemetry]") {
  Metrics metrics{network()};
  metrics.observe_decision("install", 3ms);
  metrics.observe_decision("keep", 30ms);
  metrics.observe_decision("keep", 30s);
  metrics.observe_install("acknowledged", 40ms);
  metrics.count_alarm("stale_input");
  metrics.count_alarm("stale_input");
  metrics.set_alarms("stale_input", 1);
  metrics.set_node_reporting(NodeId{1}, true);
  metrics.set_node_reporting(NodeId{9}, true);
  wan::telemetry::MeasuredInterval measured;
  measured.matrix = wan::TrafficMatrix{3};
  measured.matrix.set(NodeId{0}, NodeId{2}, BitRate::gbps(2.5));
  measured.link_rates = {BitRate::gbps(2.5), BitRate{}, BitRate::gbps(12)};
  measured.link_drops = {0, 0, 7};
  measured.link_known = {true, true, true};
  measured.missing = {"B"};
  measured.censored.resize(2);
  metrics.observe_interval(measured);
  metrics.observe_interval(measured);
  metrics.set_bus({.received = 5, .malformed = 2, .other_version = 1, .misattributed = 3, .sent = 4, .send_drops = 6});
  metrics.set_builder({.used = 9, .late = 8, .duplicate = 7, .restarts = 6, .skewed = 5});
  metrics.set_history({.recorded = 11, .dropped = 12, .failures = 13, .queued = 14}, true);

  const auto samples = samples_of(metrics.exposition());
  CHECK(samples.at("aiwan_decision_duration_seconds_count") == 3);
  CHECK(samples.at("aiwan_decision_duration_seconds_sum") == Approx(30.033));
  CHECK(samples.at("aiwan_decision_duration_seconds_bucket{le=\"0.005\"}") == 1);
  CHECK(samples.at("aiwan_decision_duration_seconds_bucket{le=\"0.05\"}") == 2);
  CHECK(samples.at("aiwan_decision_duration_seconds_bucket{le=\"+Inf\"}") == 3);
  CHECK(samples.at("aiwan_decisions_total{action=\"keep\"}") == 2);
  CHECK(samples.at("aiwan_decisions_total{action=\"install\"}") == 1);
  CHECK(samples.at("aiwan_installs_total{result=\"acknowledged\"}") == 1);
  CHECK(samples.at("aiwan_install_duration_seconds_count") == 1);
  CHECK(samples.at("aiwan_alarms_raised_total{kind=\"stale_input\"}") == 2);
  CHECK(samples.at("aiwan_alarms_active{kind=\"stale_input\"}") == 1);
  CHECK(samples.at("aiwan_node_reporting{node=\"A\"}") == 0);
  CHECK(samples.at("aiwan_node_reporting{node=\"B\"}") == 1);
  CHECK(samples.at("aiwan_link_utilization_ratio{link=\"0\"}") == Approx(0.25));
  CHECK(samples.at("aiwan_link_utilization_ratio{link=\"2\"}") == Approx(1.2));
  CHECK(samples.at("aiwan_link_dropped_packets_total{link=\"2\"}") == 14);
  CHECK(samples.at("aiwan_demand_bits_per_second") == Approx(2.5e9));
  CHECK(samples.at("aiwan_censored_demands") == 2);
  CHECK(samples.at("aiwan_missing_nodes") == 1);
  CHECK(samples.at("aiwan_intervals_total") == 2);
  CHECK(samples.at("aiwan_bus_received_total") == 5);
  CHECK(samples.at("aiwan_bus_malformed_total") == 2);
  CHECK(samples.at("aiwan_bus_misattributed_total") == 3);
  CHECK(samples.at("aiwan_bus_send_drops_total") == 6);
  CHECK(samples.at("aiwan_reports_total{fate=\"late\"}") == 8);
  CHECK(samples.at("aiwan_node_restarts_total") == 6);
  CHECK(samples.at("aiwan_history_dropped_total") == 12);
  CHECK(samples.at("aiwan_history_queue_intervals") == 14);
  CHECK(samples.at("aiwan_history_alarm") == 1);
}

TEST_CASE("counters only rise, also when what they follow begins anew", "[telemetry]") {
  Metrics metrics{network()};
  metrics.set_bus({.received = 100});
  metrics.set_bus({.received = 130});
  CHECK(samples_of(metrics.exposition()).at("aiwan_bus_received_total") == 130);
  metrics.set_bus({.received = 4});
  CHECK(samples_of(metrics.exposition()).at("aiwan_bus_received_total") == 134);
}

TEST_CASE("equal metrics are written in equal order", "[telemetry]") {
  const auto text = [](bool backwards) {
    Metrics metrics{network()};
    for (int i = 0; i < 20; ++i) metrics.count_alarm("kind_" + std::to_string(backwards ? 19 - i : i));
    return metrics.exposition();
  };
  CHECK(text(false) == text(true));
}
