#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "controller/program/aiwanctl/table.h"
#include "controller/program/aiwanctl/top_frame.h"
#include "controller/program/aiwanctl/views.h"
#include "tests/unit/controller_program/aiwanctl_samples.h"

namespace wan::aiwanctl {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool is_clean(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f'; });
}

Json link(const std::string& name, const Json& utilization) {
  return Json{{"name", name},
              {"state", "up"},
              {"drained", false},
              {"capacity_bps", 20e6},
              {"rate_bps", utilization.is_null() ? Json() : Json(utilization.get<double>() * 20e6)},
              {"utilization", utilization},
              {"forecast_utilization", 0.5},
              {"drops", 3}};
}

TEST_CASE("any answer, however wrong its shape, becomes clean lines", "[aiwanctl]") {
  constexpr std::array kViews{status_view,     nodes_table,      links_table,     demands_table,  plans_table,
                              decisions_table, alarms_table,     node_view,       link_view,      plan_view,
                              decision_view,   explanation_view, saved_plan_view, simulation_view};
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Rng random{seed, "views"};
    const Json answer = test::any_json(random);
    CAPTURE(seed, answer.dump());
    for (const auto view : kViews) {
      for (const bool wide : {false, true}) {
        const std::string text = view(answer, {.color = false, .wide = wide});
        REQUIRE((!text.empty() && text.back() == '\n'));
        REQUIRE(is_clean(text));
      }
    }
    REQUIRE_FALSE(policies_view(answer, {}).empty());
    REQUIRE(is_clean(top_frame({.status = answer, .links = answer, .decision = answer, .trouble = {}}, {}, {})));
  }
}

TEST_CASE("links show capacity, rate, utilisation, forecast and drops with units", "[aiwanctl]") {
  const Json links = Json::array({link("west-1/ams-core7", 0.824), link("east", nullptr)});
  const std::string text = links_table(links, {});
  CHECK(text.find("west-1/ams-core7  up     no       20 Mbit/s  16.5 Mbit/s       82.4 %        50.0 %  3 packets\n") !=
        std::string::npos);
  const auto lines = lines_of(text);
  REQUIRE(lines.size() == 3);
  CHECK(lines[2].find(" - ") != std::string::npos);  // nobody counts it
}

TEST_CASE("the policies in force print as the file that was applied", "[aiwanctl]") {
  const Json policies{{"text", "classes:\n  - name: gold\n"}, {"version", 3}, {"pending_confirm_until", nullptr}};
  CHECK(policies_view(policies, {}) == "# version 3\nclasses:\n  - name: gold\n");
  Json pending = policies;
  pending["pending_confirm_until"] = "2026-11-22T05:00:00Z";
  CHECK(policies_view(pending, {}).find("# rolled back at 2026-11-22T05:00:00Z unless") != std::string::npos);
}

TEST_CASE("an explanation names binding links, what moves and what was rejected", "[aiwanctl]") {
  const Json explanation{
      {"decision",
       {{"id", 40}, {"action", "install"}, {"state", "installed"}, {"reason", "west-1 would be overloaded"}}},
      {"inputs", {{"matrix_time", "2026-11-22T05:00:00Z"}, {"total_bps", 4e7}, {"scenarios", 6}}},
      {"binding_links",
       {{{"link", "west-1/ams-core7"}, {"utilization_before", 1.1}, {"utilization_after", 0.6}, {"price", 0.75}}}},
      {"changes",
       {{{"class", "gold"},
         {"from", "ams"},
         {"to", "fra"},
         {"before", {{{"links", {"ams-fra"}}, {"fraction", 1.0}}}},
         {"after", {{{"links", {"ams-core7", "core7-fra"}}, {"fraction", 0.4}}}},
         {"why", "frees west-1"}}}},
      {"rejected",
       {{{"alternative", "keep the plan in force"},
         {"expected_utilization", 1.1},
         {"p95_utilization", 1.2},
         {"why", "overload"}}}}};
  const std::string text = explanation_view(explanation, {});
  for (const char* part :
       {"west-1/ams-core7  110.0 %  60.0 %", "75.0 %", "gold ams > fra: frees west-1", "    - ams-fra (100.0 %)",
        "    + ams-core7 > core7-fra (40.0 %)", "keep the plan in force", "overload", "40 Mbit/s"}) {
    CAPTURE(text, part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("top puts the busiest link first and links that nobody counts last", "[aiwanctl]") {
  const Json links = Json::array({link("b", 0.2), link("uncounted", nullptr), link("a", 0.2), link("busy", 1.2)});
  const auto lines = lines_of(top_frame({.status = {}, .links = links, .decision = {}, .trouble = {}}, {}, {200, 50}));
  std::vector<std::string> names;
  for (const std::string& line : lines) {
    for (const char* name : {"busy ", "a ", "b ", "uncounted "}) {
      if (line.starts_with(name)) names.emplace_back(name);
    }
  }
  CHECK(names == std::vector<std::string>{"busy ", "a ", "b ", "uncounted "});
}

TEST_CASE("a frame fits the terminal, whatever its size", "[aiwanctl]") {
  Json links = Json::array();
  for (int at = 0; at < 40; ++at) links.push_back(link("link" + std::to_string(at), at / 30.0));
  const Json status{{"mode", "auto"}, {"degraded", {"no model: absent"}}, {"paused", true}};
  for (std::size_t columns = 1; columns < 140; columns += 3) {
    for (std::size_t rows = 1; rows < 60; rows += 4) {
      for (const bool color : {false, true}) {
        const auto lines = lines_of(top_frame({.status = status, .links = links, .decision = {}, .trouble = Failure{}},
                                              {.color = color, .wide = false}, {columns, rows}));
        CHECK(lines.size() <= rows);
        for (std::string line : lines) {
          for (std::size_t at = line.find('\x1b'); at != std::string::npos; at = line.find('\x1b')) {
            line.erase(at, line.find('m', at) - at + 1);
          }
          CHECK(columns_of(line) <= columns);
        }
      }
    }
  }
}

TEST_CASE("top says why its answers are old", "[aiwanctl]") {
  const Failure trouble{
      .exit_code = ExitCode::kNotReached, .what = "aiwand is not reachable", .where = "x", .next = "y"};
  const std::string frame = top_frame({.status = {}, .links = {}, .decision = {}, .trouble = trouble}, {}, {200, 20});
  CHECK(frame.find("aiwanctl: aiwand is not reachable (x); next: y") != std::string::npos);
}

}  // namespace
}  // namespace wan::aiwanctl
