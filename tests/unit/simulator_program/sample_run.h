#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "core/time.h"
#include "simulator/program/run_record.h"
#include "simulator/program/scenario_inputs.h"

namespace wan::test {

/// A short run through everything: hourly traffic of three days, a link that fails and is repaired within the third.
inline simulator::RunRecord short_run(const std::string& more = "") {
  const std::string text =
      "topology: {builtin: backbone12}\n"
      "traffic: {generator: {days: 3, seed: 5, interval_s: 3600, level: 1.2}}\n"
      "score: {from: day 3}\n"
      "events:\n"
      "  - {at: day 3 17:30, fail: Frankfurt - Milan}\n"
      "  - {at: day 3 20:00, repair: Frankfurt - Milan}\n" +
      more;
  const auto scenario = simulator::parse_scenario(text, "short.yaml");
  REQUIRE(scenario);
  const auto network = simulator::scenario_topology(*scenario);
  REQUIRE(network);
  const auto series = simulator::scenario_traffic(*scenario, network->topology);
  REQUIRE(series);
  const auto options = simulator::scenario_options(*scenario, network->topology, *series);
  REQUIRE(options);
  const SteadyClock clock;
  auto result = simulator::run_closed_loop(network->topology, *series, nullptr, *options, clock, {});
  REQUIRE(result);
  simulator::RunRecord run;
  run.scenario_name = scenario->name;
  run.scenario_text = scenario->text;
  run.seed = scenario->generator.seed;
  run.topology_name = network->name;
  run.topology = network->topology;
  run.traffic_digest = series->digest(series->intervals.size());
  run.history_rows = options->score_from;
  run.events = options->events;
  run.result = *std::move(result);
  return run;
}

}  // namespace wan::test
