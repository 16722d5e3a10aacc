#include "simulator/program/scenario_file.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/io/yaml_tree.h"
#include "tests/unit/core/scratch_folder.h"

namespace wan::simulator {
namespace {

const std::string kMinimal = "topology: {builtin: backbone12}\ntraffic: {generator: {days: 8}}\nscore: {from: day 8}\n";

std::string message_of(const std::string& text) {
  const auto scenario = parse_scenario(text, "day.yaml");
  if (scenario) return "accepted";
  CHECK(scenario.error().code == ErrorCode::kBadInput);
  CHECK(scenario.error().message.find('\n') == std::string::npos);
  return scenario.error().message;
}

TEST_CASE("a scenario of three keys gets the defaults", "[scenario]") {
  const auto scenario = parse_scenario(kMinimal, "folder/my-day.yaml");
  REQUIRE(scenario);
  CHECK(scenario->name == "my-day");
  CHECK(scenario->text == kMinimal);
  CHECK_FALSE(scenario->topology_file);
  CHECK_FALSE(scenario->traffic_file);
  CHECK(scenario->generator.days == std::chrono::days{8});
  CHECK(scenario->generator.seed == GeneratorOptions{}.seed);
  CHECK(scenario->score_from.kind == Moment::Kind::kDay);
  CHECK(scenario->score_from.day == 8);
  CHECK_FALSE(scenario->score_to);
  CHECK(scenario->controllers == kControllerNames);
  CHECK(scenario->scale == 1.0);
  CHECK(scenario->utilization_target == 0.0);
  CHECK(scenario->tail == 1.0);
  CHECK_FALSE(scenario->change_weight);
  CHECK_FALSE(scenario->model);
}

TEST_CASE("a scenario of all keys is read as written", "[scenario]") {
  const auto scenario = parse_scenario(R"(name: "busy: day"
topology: {file: nets/a.graph}
traffic:
  generator:
    days: 3
    seed: 18446744073709551615
    start: 2026-06-01T00:00:00Z
    interval_s: 900
    level: 0.9
    pair_noise: 0.1
    node_noise: 0
    bursts_per_day: 2.5
    flash_crowds_per_day: 0
score: {from: 96, to: 2026-06-03T12:00:00Z}
events:
  - {at: day 2 17:30, fail: A - B}
  - at: day 2 18:00:30
    repair: [A - B, "C > D"]
    label: crew was fast
controllers: [scenario, ospf]
utilization_target: 0.7
risk: cvar:0.25
change_weight: 0.5
scale: 1.5
model: ../model
)",
                                       "/data/day.yaml");
  REQUIRE(scenario);
  CHECK(scenario->name == "busy: day");
  CHECK(scenario->topology_file == "/data/nets/a.graph");
  CHECK(scenario->generator.seed == 18446744073709551615ULL);
  CHECK(format_timestamp(scenario->generator.start) == "2026-06-01T00:00:00Z");
  CHECK(scenario->generator.interval == std::chrono::seconds{900});
  CHECK(scenario->generator.igp_utilization_busy_hour == 0.9);
  CHECK(scenario->generator.pair_noise == 0.1);
  CHECK(scenario->generator.node_noise == 0.0);
  CHECK(scenario->generator.bursts_per_day == 2.5);
  CHECK(scenario->generator.flash_crowds_per_day == 0.0);
  CHECK(scenario->score_from.row == 96);
  REQUIRE(scenario->score_to);
  CHECK(format_timestamp(scenario->score_to->time) == "2026-06-03T12:00:00Z");
  REQUIRE(scenario->events.size() == 2);
  CHECK_FALSE(scenario->events[0].up);
  CHECK(scenario->events[0].targets == std::vector<std::string>{"A - B"});
  CHECK(scenario->events[0].label == "A - B down");
  CHECK(scenario->events[0].at.time_of_day == std::chrono::hours{17} + std::chrono::minutes{30});
  CHECK(scenario->events[1].up);
  CHECK(scenario->events[1].targets == std::vector<std::string>{"A - B", "C > D"});
  CHECK(scenario->events[1].label == "crew was fast");
  CHECK(scenario->events[1].at.time_of_day == std::chrono::seconds{18 * 3600 + 30});
  CHECK(scenario->controllers == std::vector<std::string>{"scenario", "ospf"});
  CHECK(scenario->utilization_target == 0.7);
  CHECK(scenario->tail == 0.25);
  CHECK(scenario->change_weight == 0.5);
  CHECK(scenario->scale == 1.5);
  CHECK(scenario->model == "/model");
}

TEST_CASE("a bad scenario is refused with the line, the key and what is allowed", "[scenario]") {
  struct Bad {
    std::string text;
    std::string place;    // the message begins with it
    std::string allowed;  // and says this
  };
  const std::string events = kMinimal + "events:\n";
  const std::vector<Bad> all{
      {"", "day.yaml:1: ", "empty"},
      {"- a\n- b\n", "day.yaml:1: ", "must be a map of name, topology"},
      {kMinimal + "colour: red\n", "day.yaml:4: unknown key \"colour\"", "allowed are name, topology, traffic"},
      {kMinimal + "scale: 1\nscale: 2\n", "day.yaml:5: \"scale\" stands twice", "first on line 4"},
      {"traffic: {file: a}\nscore: {from: 9}\n", "day.yaml:1: topology: is missing", "{builtin: backbone12}"},
      {"topology: {builtin: backbone12}\nscore: {from: 9}\n", "day.yaml:1: traffic: is missing", "{file: PATH}"},
      {"topology: {builtin: backbone12}\ntraffic: {file: a}\n", "day.yaml:1: score: is missing", "{from: day 8}"},
      {"topology: {builtin: arpanet}\n", "day.yaml:1: topology.builtin: \"arpanet\"", "backbone12"},
      {"topology: {builtin: backbone12, file: x}\n", "day.yaml:1: topology: needs one key", "builtin or file"},
      {"\ntopology: backbone12\n", "day.yaml:2: topology: must be a map of", "builtin, file"},
      {"topology: {file: }\n", "day.yaml:1: topology.file: ", "must be one text"},
      {"traffic: {generator: {seed: 1}}\n", "day.yaml:1: traffic.generator.days: is missing", "from 1 to 3660"},
      {"traffic:\n  generator:\n    days: 0\n", "day.yaml:3: traffic.generator.days: \"0\"", "from 1 to 3660"},
      {"traffic:\n  generator:\n    days: 2.5\n", "day.yaml:3: traffic.generator.days: \"2.5\"", "whole number"},
      {"traffic:\n  generator:\n    days: 2\n    seed: -1\n", "day.yaml:4: traffic.generator.seed: \"-1\"",
       "from 0 to"},
      {"traffic:\n  generator:\n    days: 2\n    interval_s: 7\n",
       "day.yaml:4: traffic.generator.interval_s: ", "divide"},
      {"traffic:\n  generator: {days: 2, level: .nan}\n", "day.yaml:2: traffic.generator.level: \".nan\"",
       "0.001 to 1000"},
      {"traffic:\n  generator: {days: 2, start: 7}\n", "day.yaml:2: traffic.generator.start: ", "must be a time"},
      {"traffic:\n  generator: {days: 2, leval: 1}\n", "day.yaml:2: traffic.generator: unknown key \"leval\"", "level"},
      {"score:\n  to: 9\n", "day.yaml:1: score.from: is missing", "day 8"},
      {"score:\n  from: tomorrow\n", "day.yaml:2: score.from: \"tomorrow\"", "row number"},
      {"score:\n  from: day 0\n", "day.yaml:2: score.from: \"day 0\"", "day 8 17:30"},
      {"score:\n  from: day 8 25:00\n", "day.yaml:2: score.from: ", "day 8 17:30"},
      {"score:\n  from: 2026-13-01T00:00:00Z\n", "day.yaml:2: score.from: ", "2026-03-09T17:30:00Z"},
      {kMinimal + "events: none\n", "day.yaml:4: events: must be a list", "fail"},
      {events + "  - {at: 9}\n", "day.yaml:5: events[0]: needs fail or repair", "A - B"},
      {events + "  - {fail: A - B}\n", "day.yaml:5: events[0].at: is missing", "day 8 17:30"},
      {events + "  - {at: 9, fail: A - B, repair: A - B}\n", "day.yaml:5: events[0]: has both fail and repair", "two"},
      {events + "  - {at: 9, fail: A - B}\n  - at: 10\n    fail: []\n",
       "day.yaml:7: events[1].fail: ", "from 1 to 100"},
      {events + "  - {at: 9, fail: [[A]]}\n", "day.yaml:5: events[0].fail: ", "one text"},
      {events + "  - {at: 9, fail: A - B, surge: 2}\n", "day.yaml:5: events[0]: unknown key \"surge\"",
       "at, fail, repair"},
      {kMinimal + "controllers: []\n", "day.yaml:4: controllers: ", "ospf, ecmp, last, forecast, scenario"},
      {kMinimal + "controllers:\n  - ospf\n  - bgp\n", "day.yaml:6: controllers: unknown controller \"bgp\"",
       "scenario"},
      {kMinimal + "controllers: [ospf, ospf]\n", "day.yaml:4: controllers: ospf stands twice", ""},
      {kMinimal + "scale: 0\n", "day.yaml:4: scale: \"0\"", "0.001 to 1000"},
      {kMinimal + "risk: cvar:0\n", "day.yaml:4: risk: \"cvar:0\"", "cvar:ALPHA with ALPHA from 0.001 to 1"},
      {kMinimal + "risk: cvar:0.1x\n", "day.yaml:4: risk: \"cvar:0.1x\"", "allowed are expected and"},
      {kMinimal + "change_weight: -1\n", "day.yaml:4: change_weight: \"-1\"", "from 0 to 100"},
      {kMinimal + "utilization_target: high\n", "day.yaml:4: utilization_target: \"high\"", "from 0 to 10"},
      {kMinimal + "name: \"a\\nb\"\n", "day.yaml:4: name: ", "control characters"},
      {kMinimal + "name: [a]\n", "day.yaml:4: name: must be one text", ""},
      {kMinimal + "name: &a x\n", "day.yaml:4: anchors are not read", ""},
      {kMinimal + "name: *a\n", "day.yaml:4: ", ""},
      {kMinimal + "name: !!str x\n", "day.yaml:4: tags are not read", ""},
      {kMinimal + "? [a]\n: b\n", "day.yaml:4: a key must be plain text", ""},
      {kMinimal + "---\n" + kMinimal, "day.yaml:1: ", "more than one YAML document"},
      {"topology: {builtin: x\n", "day.yaml:2: ", "malformed YAML"},
      {"a: b\n c: d\n", "day.yaml:2: ", "malformed YAML"},
      {kMinimal + "name: \xff\xfe\n", "day.yaml:1: ", "UTF-8"},
  };
  for (const Bad& bad : all) {
    const std::string message = message_of(bad.text);
    INFO("text:\n" << bad.text << "message: " << message);
    CHECK(message.starts_with(bad.place));
    CHECK(message.find(bad.allowed) != std::string::npos);
  }
}

TEST_CASE("the JSON Schema knows the keys and controllers that the reader knows", "[scenario]") {
  std::ifstream file{std::string{WAN_SCENARIOS} + "/scenario.schema.json"};
  const auto schema = nlohmann::json::parse(file);
  const auto listed = [](const nlohmann::json& names) {
    std::string text;
    for (const auto& [key, value] : names.items()) {
      if (!text.empty()) text += ", ";
      text += value.is_string() ? value.get<std::string>() : key;
    }
    return text;
  };
  const auto sorted = [](const std::string& message) {
    const std::string intro = "allowed are ";
    std::stringstream names{message.substr(message.find(intro) + intro.size())};
    std::set<std::string> all;
    for (std::string name; names >> name;) all.insert(name.back() == ',' ? name.substr(0, name.size() - 1) : name);
    std::string text;
    for (const std::string& name : all) text.append(text.empty() ? "" : ", ").append(name);
    return text;
  };
  const auto& root = schema["properties"];
  CHECK(sorted(message_of("x: 1\n")) == listed(root));
  CHECK(sorted(message_of("score: {x: 1}\n")) == listed(root["score"]["properties"]));
  CHECK(sorted(message_of("events: [{x: 1}]\n")) == listed(root["events"]["items"]["properties"]));
  const auto& generator = root["traffic"]["oneOf"][1]["properties"]["generator"]["properties"];
  CHECK(sorted(message_of("traffic: {generator: {x: 1}}\n")) == listed(generator));
  const std::string message = message_of("controllers: [x]\n");
  CHECK(message.ends_with("allowed are " + listed(root["controllers"]["items"]["enum"])));
}

TEST_CASE("depth and size of a scenario are bounded before they cost stack or time", "[scenario]") {
  const std::size_t deep = 400'000;
  CHECK(message_of(std::string(20, '[') + std::string(20, ']')).find("nest more than 16 deep") != std::string::npos);
  CHECK(message_of(std::string(deep, '[') + std::string(deep, ']')).find("nest more than 16 deep") !=
        std::string::npos);
  CHECK(message_of(std::string(deep, '[')).find("day.yaml:1: ") == 0);
  CHECK(message_of(std::string(deep, '{')).find("day.yaml:1: ") == 0);
  std::string dashes;
  for (std::size_t i = 0; i < deep / 2; ++i) dashes += "- ";
  CHECK(message_of(dashes).find("nest more than 16 deep") != std::string::npos);
  std::string questions;
  for (std::size_t i = 0; i < deep / 2; ++i) questions += "? ";
  CHECK(message_of(questions).find("day.yaml:1: ") == 0);
  std::string stairs;
  for (std::size_t i = 0; i < 1400; ++i) stairs += std::string(i, ' ') + "a:\n";
  CHECK(message_of(stairs).find("nest more than 16 deep") != std::string::npos);
  CHECK(message_of(kMinimal + "#" + std::string(io::kYamlBytesMax, 'x')).find("1 MiB") != std::string::npos);
}

TEST_CASE("a scenario file that is not there, or a folder, is one line", "[scenario]") {
  const test::ScratchFolder folder;
  const auto absent = read_scenario(folder / "absent.yaml");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::kNotFound);
  CHECK(absent.error().message.find("absent.yaml") != std::string::npos);
  CHECK_FALSE(read_scenario(folder.path()));
  std::ofstream{folder / "here.yaml"} << kMinimal;
  CHECK(read_scenario(folder / "here.yaml"));
}

}  // namespace
}  // namespace wan::simulator
