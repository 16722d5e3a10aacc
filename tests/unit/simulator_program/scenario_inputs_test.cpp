#include "simulator/program/scenario_inputs.h"

#include <catch2/catch.hpp>
#include <string>

namespace wan::simulator {
namespace {

constexpr const char* kHead = "topology: {builtin: backbone12}\ntraffic: {generator: {days: 3, interval_s: 3600}}\n";

Result<ClosedLoopOptions> options_of(const std::string& text) {
  const auto scenario = parse_scenario(kHead + text, "day.yaml");
  REQUIRE(scenario);
  const auto network = scenario_topology(*scenario);
  REQUIRE(network);
  const auto series = scenario_traffic(*scenario, network->topology);
  REQUIRE(series);
  return scenario_options(*scenario, network->topology, *series);
}

TEST_CASE("rows are found by number, time and day", "[scenario]") {
  for (const char* from : {"24", "2026-03-03T00:00:00Z", "2026-03-02T23:15:00Z", "day 2", "day 1 23:01"}) {
    const auto options = options_of("score: {from: " + std::string{from} + "}\n");
    INFO(from);
    REQUIRE(options);
    CHECK(options->score_from == 24);
    CHECK(options->score_to == 72);
  }
  const auto bounded = options_of("score: {from: 24, to: day 2 06:00}\n");
  REQUIRE(bounded);
  CHECK(bounded->score_to == 30);
  const auto to_the_end = options_of("score: {from: 24, to: day 4}\n");
  REQUIRE(to_the_end);
  CHECK(to_the_end->score_to == 72);
}

TEST_CASE("an event names both directions, one direction or a node", "[scenario]") {
  const Topology topology = builtin_backbone();
  const auto names = [&](const std::string& target) {
    const auto options = options_of("score: {from: day 3}\nevents: [{at: day 3 05:30, fail: " + target + "}]\n");
    REQUIRE(options);
    REQUIRE(options->events.size() == 1);
    std::vector<std::string> found;
    for (const LinkId link : options->events[0].links) found.push_back(topology.link(link).name);
    std::sort(found.begin(), found.end());
    return found;
  };
  CHECK(names("Milan - Paris") == std::vector<std::string>{"Milan-Paris", "Paris-Milan"});
  CHECK(names("Milan > Paris") == std::vector<std::string>{"Milan-Paris"});
  CHECK(names("Athens") ==
        std::vector<std::string>{"Athens-Bucharest", "Athens-Milan", "Bucharest-Athens", "Milan-Athens"});
  CHECK(names("[Milan > Paris, Paris - Milan]").size() == 2);
}

TEST_CASE("parallel links between two nodes fail together", "[scenario]") {
  const Link link{.name = "a1", .from = NodeId{0}, .to = NodeId{1}, .capacity = BitRate::gbps(1), .srlgs = {}};
  Link second = link, back = link;
  second.name = "a2";
  back.name = "b1";
  std::swap(back.from, back.to);
  const auto topology =
      Topology::make({{.name = "x - y", .location = {}}, {.name = "z", .location = {}}}, {link, second, back});
  REQUIRE(topology);
  TrafficSeries series;
  for (int i = 0; i < 4; ++i) {
    series.intervals.emplace_back(2);
    series.intervals.back().set_measured_at(Timestamp{std::chrono::hours{i}});
  }
  const auto scenario = parse_scenario(std::string{kHead} + "score: {from: 2}\nevents: [{at: 3, fail: x - y - z}]\n",
                                       "day.yaml");  // a name with " - "
  REQUIRE(scenario);
  const auto options = scenario_options(*scenario, *topology, series);
  REQUIRE(options);
  CHECK(options->events[0].links == std::vector<LinkId>{LinkId{0}, LinkId{1}, LinkId{2}});
  CHECK(options->events[0].at == Timestamp{std::chrono::hours{3}});
}

TEST_CASE("events come out in order of time whatever their order in the file", "[scenario]") {
  const auto options = options_of(
      "score: {from: day 3}\n"
      "events:\n"
      "  - {at: day 3 09:00, repair: Milan - Paris}\n"
      "  - {at: day 3 07:00, fail: Milan - Paris}\n");
  REQUIRE(options);
  REQUIRE(options->events.size() == 2);
  CHECK_FALSE(options->events[0].up);
  CHECK(options->events[1].up);
}

TEST_CASE("moments and links that the traffic or the network does not have are refused with their line", "[scenario]") {
  struct Bad {
    std::string text, place, says;
  };
  const std::string score = "score: {from: day 3, to: day 3 12:00}\nevents:\n";
  for (const Bad& bad : {
           Bad{"score: {from: 73}\n", "day.yaml:3: score.from: row 73", "72 rows"},
           Bad{"score: {from: 72}\n", "day.yaml:3: score.from: ", "no row to score"},
           Bad{"score: {from: 1}\n", "day.yaml:3: score.from: is row 1", "at least 2 rows"},
           Bad{"score: {from: day 5}\n", "day.yaml:3: score.from: 2026-03-06", "outside the traffic"},
           Bad{"score: {from: 2020-01-01}\n", "day.yaml:3: score.from: 2020-01-01", "outside the traffic"},
           Bad{"score: {from: 24, to: 24}\n", "day.yaml:3: score.to: ", "no row to score"},
           Bad{score + "  - {at: day 3 01:00, fail: Milan - Oslo}\n",
               "day.yaml:5: events[0].fail: ", "\"Milan - Oslo\""},
           Bad{score + "  - {at: day 3 01:00, fail: Milan - Lisbon}\n", "day.yaml:5: events[0].fail: ", "no link"},
           Bad{score + "  - {at: day 3 01:00, repair: Milan - Paris}\n", "day.yaml:5: events[0].repair: ", "not down"},
           Bad{score + "  - {at: day 3 01:00, fail: Milan}\n  - {at: day 3 02:00, fail: Milan - Paris}\n",
               "day.yaml:6: events[1].fail: ", "down already"},
           Bad{score + "  - {at: day 3 12:00, fail: Milan}\n",
               "day.yaml:5: events[0].at: ", "after the last scored row"},
       }) {
    const auto options = options_of(bad.text);
    INFO(bad.text);
    REQUIRE_FALSE(options);
    INFO(options.error().message);
    CHECK(options.error().message.starts_with(bad.place));
    CHECK(options.error().message.find(bad.says) != std::string::npos);
  }
}

TEST_CASE("scale multiplies all traffic and moves no time", "[scenario]") {
  const auto plain = parse_scenario(std::string{kHead} + "score: {from: 3}\n", "day.yaml");
  const auto scaled = parse_scenario(std::string{kHead} + "score: {from: 3}\nscale: 2\n", "day.yaml");
  REQUIRE(plain);
  REQUIRE(scaled);
  const Topology topology = builtin_backbone();
  const auto before = scenario_traffic(*plain, topology), after = scenario_traffic(*scaled, topology);
  REQUIRE(before);
  REQUIRE(after);
  REQUIRE(after->intervals.size() == before->intervals.size());
  for (std::size_t t = 0; t < before->intervals.size(); ++t) {
    CHECK(after->intervals[t] == before->intervals[t].scaled(2.0));
  }
}

TEST_CASE("the shipped scenarios are sound", "[scenario]") {
  for (const char* name : {"backbone-day", "flash-crowds"}) {
    const auto scenario = read_scenario(std::string{WAN_SCENARIOS} + "/" + name + ".yaml");
    INFO(name);
    REQUIRE(scenario);
    CHECK(scenario->name == name);
    const auto network = scenario_topology(*scenario);
    REQUIRE(network);
    const auto series = scenario_traffic(*scenario, network->topology);
    REQUIRE(series);
    const auto options = scenario_options(*scenario, network->topology, *series);
    REQUIRE(options);
    CHECK(options->score_to - options->score_from == 288);  // one day
    CHECK(options->score_from == 7 * 288);
  }
  CHECK(read_scenario(std::string{WAN_SCENARIOS} + "/own-network.yaml"));
}

}  // namespace
}  // namespace wan::simulator
