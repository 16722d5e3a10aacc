#include "simulator/program/report_html.h"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "simulator/program/report_data.h"
#include "tests/unit/simulator_program/sample_run.h"

namespace wan::simulator {
namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// What stands between the data element's tags.
std::string data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(open) + open.size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

/// Two nodes, one interval, one controller.
RunRecord tiny_run(const std::string& name) {
  const Link there{.name = name + ">B", .from = NodeId{0}, .to = NodeId{1}, .capacity = BitRate::gbps(10), .srlgs = {}};
  RunRecord run;
  run.scenario_name = name;
  run.topology_name = name;
  run.topology = Topology::make({{.name = name, .location = {}}, {.name = "B", .location = {}}}, {there}).value();
  run.events = {{.at = Timestamp{}, .up = false, .links = {LinkId{0}}, .label = name}};
  IntervalRecord record;
  record.optimal_mlu = 0.5;
  record.total_bps = 5e9;
  record.links_down = {LinkId{0}};
  ControllerInterval at;
  at.name = name;
  at.action = name;
  at.reason = name;
  at.mlu = 0.5;
  at.link_utilization = {0.5};
  at.lost_demands = {name};
  at.alarms = {name};
  record.controllers = {at};
  run.result.forecaster = name;
  run.result.interval = std::chrono::minutes{5};
  run.result.intervals = {record};
  run.result.summary = summarize(run.result.intervals, run.result.interval);
  return run;
}

TEST_CASE("a report shows names as text, whatever they hold", "[report]") {
  const std::string plain = report_html(tiny_run("plain"));
  for (const std::string& hostile :
       {std::string{"</script><script>alert(1)</script>"}, std::string{"<img src=x onerror=alert(1)>"},
        std::string{"\" onmouseover=\"alert(1)"}, std::string{"' onfocus='alert(1)"}, std::string{"<!--<script>"},
        std::string{"]]>&lt;&amp;"}, std::string{"@@DATA@@"}, std::string{"${alert(1)}`\\"},
        std::string{"\u2028line\u2029"}, std::string{"\xff\xfe\x80 no UTF-8"}}) {
    INFO(hostile);
    const RunRecord run = tiny_run(hostile);
    const std::string page = report_html(run);
    for (const char* mark : {"<script", "</script", "<!--", "<img", "<"}) {
      CHECK(count(page, mark) == count(plain, mark));  // no tag more than with a harmless name
    }
    const std::string markup = page.substr(0, page.find("id=\"data\""));
    CHECK(markup.find("onmouseover=\"") == std::string::npos);
    CHECK(markup.find("onfocus='") == std::string::npos);
    const auto data = nlohmann::json::parse(data_of(page));  // the data is whole, and the name in it what it was
    const bool is_text = hostile.find('\xff') == std::string::npos;
    if (is_text) CHECK(data["nodes"][0]["name"] == hostile);
    if (is_text) CHECK(data["texts"][0] == hostile);
    CHECK(count(page, "</html>") == 1);
  }
}

TEST_CASE("JSON within a script element holds no character that HTML looks for", "[report]") {
  const std::string safe = script_safe({{"</script>", "<!-- & \u2028 \xf0\x9f\x98\x80 -->"}});
  for (const char c : safe) CHECK((c != '<' && c != '>' && c != '&' && static_cast<unsigned char>(c) < 0x80));
  CHECK(nlohmann::json::parse(safe)["</script>"] == "<!-- & \u2028 \xf0\x9f\x98\x80 -->");
}

TEST_CASE("a report needs nothing from outside", "[report]") {
  const std::string page = report_html(test::short_run());
  for (const char* outside : {"http:", "https:", "//cdn", "src=", "@import", "url(", "<link", "<iframe", "fetch("}) {
    INFO(outside);
    CHECK(count(page, outside) == 0);
  }
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(count(page, "@@") == 0);
}

TEST_CASE("a report's data has the shapes that its script reads", "[report]") {
  const RunRecord run = test::short_run();
  const auto data = nlohmann::json::parse(data_of(report_html(run)));
  CHECK(data["nodes"].size() == 12);
  CHECK(data["links"].size() == 40);
  CHECK(data["controllers"].size() == 5);
  CHECK(data["subject"] == 4);
  CHECK(data["baseline"] == 0);
  CHECK(data["intervals"]["time"].size() == 24);
  CHECK(data["shown"].size() == 24);
  REQUIRE(data["outages"].size() == 1);
  CHECK(data["outages"][0]["label"] == "Frankfurt - Milan down");
  CHECK(data["outages"][0]["to"].get<long>() - data["outages"][0]["from"].get<long>() == 9000);
  for (std::size_t c = 0; c < 5; ++c) {
    CHECK(data["controllers"][c]["mlu"].size() == 24);
    REQUIRE(data["utilization"][c].size() == 24);
    for (std::size_t t = 0; t < 24; ++t) {
      const auto& at = run.result.intervals[t].controllers[c];
      REQUIRE(data["utilization"][c][t].size() == 40);
      CHECK(data["controllers"][c]["mlu"][t].get<double>() == Approx(at.mlu).margin(6e-5));
      for (std::size_t l = 0; l < 40; ++l) {
        CHECK(data["utilization"][c][t][l].get<double>() == Approx(at.link_utilization[l] * 1e3).margin(0.51));
      }
      const std::size_t reason = data["controllers"][c]["reason"][t];
      CHECK(data["texts"][reason] == at.reason);
    }
  }
}

TEST_CASE("long runs leave intervals out of the map, not out of the rest", "[report]") {
  RunRecord run = tiny_run("long");
  const IntervalRecord one = run.result.intervals[0];
  run.result.intervals.assign(900'000, one);
  const auto data = report_data(run);
  CHECK(data["shown"].size() == 300'000);
  CHECK(data["shown"][1] == 3);
  CHECK(data["intervals"]["time"].size() == 900'000);
}

TEST_CASE("a day of the built-in backbone with five controllers stays below 3 MB", "[report]") {
  RunRecord run = test::short_run();
  const std::vector<IntervalRecord> hours = run.result.intervals;
  while (run.result.intervals.size() < 288) {
    run.result.intervals.insert(run.result.intervals.end(), hours.begin(), hours.end());
  }
  for (std::size_t t = 0; t < run.result.intervals.size(); ++t) {  // no two reasons alike
    for (ControllerInterval& at : run.result.intervals[t].controllers) at.reason += std::to_string(t);
  }
  CHECK(report_html(run).size() < 3'000'000);
}

TEST_CASE("numbers that are none leave the page whole", "[report]") {
  RunRecord run = tiny_run("odd");
  run.result.intervals[0].controllers[0].mlu = std::numeric_limits<double>::infinity();
  run.result.intervals[0].optimal_mlu = std::numeric_limits<double>::quiet_NaN();
  run.result.summary[0].ratio_mean = std::numeric_limits<double>::infinity();
  const auto data = nlohmann::json::parse(data_of(report_html(run)));
  CHECK(data["controllers"][0]["mlu"][0].is_null());
}

TEST_CASE("the verdict says what happened, in favour of the control loop or not", "[report]") {
  RunRecord run = tiny_run("x");
  run.scenario_name = "monday";
  ControllerSummary ospf, scenario;
  ospf.name = "ospf";
  scenario.name = "scenario";
  ospf.mlu_max = 0.95;
  scenario.mlu_max = 0.7;
  run.result.summary = {ospf, scenario};
  CHECK(report_verdict(run) ==
        "scenario carried monday without overloading a link: it peaked at 0.70 of a link's capacity, ospf at 0.95.");
  run.result.summary[0].overload_link_minutes = 12345;
  CHECK(report_verdict(run) == "scenario carried monday without overloading a link; ospf had 12,345 link-minutes.");
  run.result.summary[0].overload_link_minutes = 0;
  run.result.summary[1].overload_link_minutes = 5;
  CHECK(report_verdict(run) == "scenario carried monday with 5 link-minutes of overload; ospf had 0 link-minutes.");
  run.result.summary[1].overload_link_minutes = 1;
  CHECK(report_verdict(run) == "scenario carried monday with 1 link-minute of overload; ospf had 0 link-minutes.");
  run.result.summary = {ospf};
  CHECK(report_verdict(run) ==
        "ospf carried monday without overloading a link: it peaked at 0.95 of a link's capacity.");
}

TEST_CASE("equal records give equal pages", "[report]") {
  const RunRecord run = test::short_run("controllers: [ospf, scenario]\n");
  CHECK(report_html(run) == report_html(run));
}

}  // namespace
}  // namespace wan::simulator
