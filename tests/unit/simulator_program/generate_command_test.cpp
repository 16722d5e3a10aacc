#include "simulator/program/generate_command.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "core/io/topology_file.h"
#include "core/io/traffic_csv.h"
#include "simulator/workload.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/simulator_program/command_run.h"

namespace wan::simulator {
namespace {

using test::run_command;

TEST_CASE("generate writes the days that a run has before the one it scores", "[generate]") {
  const test::ScratchFolder folder;
  const std::string graph = folder / "net.graph", csv = folder / "week.csv";
  const auto outcome = run_command(
      add_generate_command, {"generate", "--seed", "9", "--days", "2", "--topology-out", graph, "--traffic-out", csv});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(outcome.out.find("12 nodes, 40 directed links") != std::string::npos);
  CHECK(outcome.out.find("576 matrices") != std::string::npos);

  const auto network = io::read_topology(graph);
  REQUIRE(network);
  CHECK(network->topology.digest() == builtin_backbone().digest());  // else no model trained on it would load
  CHECK(network->assumptions.empty());
  const auto written = io::read_traffic_csv(csv, network->topology);
  REQUIRE(written);
  const auto longer = generate_traffic(builtin_backbone(), {.days = std::chrono::days{3}, .seed = 9});
  REQUIRE(longer);
  REQUIRE(written->intervals.size() == 576);
  CHECK(written->digest(576) == longer->digest(576));
}

TEST_CASE("generate takes a scenario's settings", "[generate]") {
  const test::ScratchFolder folder;
  std::ofstream{folder / "s.yaml"} << "topology: {builtin: backbone12}\nscore: {from: 9}\n"
                                      "traffic: {generator: {days: 2, interval_s: 3600, seed: 4, level: 0.5}}\n";
  const auto outcome = run_command(add_generate_command, {"generate", "--scenario", folder / "s.yaml", "--topology-out",
                                                          folder / "g", "--traffic-out", folder / "t"});
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  const auto written = io::read_traffic_csv(folder / "t", builtin_backbone());
  REQUIRE(written);
  const auto expected = generate_traffic(builtin_backbone(), {.days = std::chrono::days{2},
                                                              .interval = std::chrono::seconds{3600},
                                                              .seed = 4,
                                                              .igp_utilization_busy_hour = 0.5});
  REQUIRE(expected);
  CHECK(written->digest(48) == expected->digest(48));
}

TEST_CASE("generate answers what it cannot do with one line", "[generate]") {
  const test::ScratchFolder folder;
  std::ofstream{folder / "s.yaml"} << "topology: {builtin: backbone12}\nscore: {from: 9}\ntraffic: {file: x.csv}\n";
  const auto measured = run_command(
      add_generate_command,
      {"generate", "--scenario", folder / "s.yaml", "--topology-out", folder / "g", "--traffic-out", folder / "t"});
  CHECK(measured.exit_code == 1);
  CHECK(test::is_one_line(measured.err));
  const auto full = run_command(
      add_generate_command, {"generate", "--days", "1", "--topology-out", "/dev/full", "--traffic-out", folder / "t"});
  CHECK(full.exit_code == 1);
  CHECK(test::is_one_line(full.err));
  CHECK_THROWS_AS(run_command(add_generate_command, {"generate", "--days", "1"}), CLI::RequiredError);
  CHECK_THROWS_AS(
      run_command(add_generate_command, {"generate", "--days", "0", "--topology-out", "a", "--traffic-out", "b"}),
      CLI::ValidationError);
}

}  // namespace
}  // namespace wan::simulator
