#include "simulator/program/results_database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/simulator_program/sample_run.h"

namespace wan::simulator {
namespace {

/// Everything about intervals that the summary rests on, read back with SQL.
std::vector<IntervalRecord> read_intervals(SQLite::Database& database) {
  std::vector<IntervalRecord> intervals;
  SQLite::Statement interval{database, "SELECT row, time, optimal_mlu, total_bps FROM interval ORDER BY row"};
  while (interval.executeStep()) {
    IntervalRecord record;
    record.row = static_cast<std::size_t>(interval.getColumn(0).getInt64());
    record.time = parse_timestamp(interval.getColumn(1).getString()).value();
    record.optimal_mlu = interval.getColumn(2).getDouble();
    record.total_bps = interval.getColumn(3).getDouble();
    SQLite::Statement decision{database,
                               "SELECT name, action, reason, lower_bound, decide_ms, churn, paths_per_demand_max, mlu, "
                               "delivered_share, delay_stretch, overloaded_links, d.controller FROM decision d "
                               "JOIN controller c ON c.id = d.controller WHERE row = ? ORDER BY d.controller"};
    decision.bind(1, interval.getColumn(0).getInt64());
    while (decision.executeStep()) {
      ControllerInterval at;
      at.name = decision.getColumn(0).getString();
      at.action = decision.getColumn(1).getString();
      at.reason = decision.getColumn(2).getString();
      if (!decision.getColumn(3).isNull()) at.lower_bound = decision.getColumn(3).getDouble();
      at.decide_ms = decision.getColumn(4).getDouble();
      at.churn = decision.getColumn(5).getDouble();
      at.paths_per_demand_max = static_cast<std::size_t>(decision.getColumn(6).getInt64());
      at.mlu = decision.getColumn(7).getDouble();
      at.delivered_share = decision.getColumn(8).getDouble();
      at.delay_stretch = decision.getColumn(9).getDouble();
      at.overloaded_links = static_cast<std::size_t>(decision.getColumn(10).getInt64());
      SQLite::Statement link{database,
                             "SELECT utilization FROM link_utilization WHERE row = ? AND controller = ? ORDER BY link"};
      link.bind(1, interval.getColumn(0).getInt64());
      link.bind(2, decision.getColumn(11).getInt64());
      while (link.executeStep()) at.link_utilization.push_back(link.getColumn(0).getDouble());
      record.controllers.push_back(std::move(at));
    }
    intervals.push_back(std::move(record));
  }
  return intervals;
}

/// All rows of all tables as one text each, in order; the times that decisions took left out.
std::vector<std::string> content_of(const std::filesystem::path& file) {
  SQLite::Database database{file.string(), SQLite::OPEN_READONLY};
  std::vector<std::string> rows, tables;
  SQLite::Statement names{database, "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"};
  while (names.executeStep()) {
    tables.push_back(names.getColumn(0).getString());
    rows.push_back(names.getColumn(1).getString());
  }
  CHECK(tables.size() == 13);
  for (const std::string& table : tables) {
    SQLite::Statement select{database, "SELECT * FROM " + table};
    while (select.executeStep()) {
      std::string row = table;
      for (int c = 0; c < select.getColumnCount(); ++c) {
        if (std::string{select.getColumnName(c)}.starts_with("decide_ms")) continue;
        row.append("|").append(select.getColumn(c).getString());
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

TEST_CASE("the summary follows from the intervals in the results database", "[results]") {
  const test::ScratchFolder folder;
  const RunRecord run = test::short_run();
  REQUIRE(write_results_database(folder / "r.sqlite", run));
  SQLite::Database database{(folder / "r.sqlite").string(), SQLite::OPEN_READONLY};

  const std::vector<IntervalRecord> intervals = read_intervals(database);
  REQUIRE(intervals.size() == 24);
  const std::vector<ControllerSummary> recomputed = summarize(intervals, run.result.interval);
  REQUIRE(recomputed.size() == kControllerNames.size());
  SQLite::Statement stored{database,
                           "SELECT name, summary.* FROM summary JOIN controller ON id = controller ORDER BY id"};
  for (std::size_t c = 0; c < recomputed.size(); ++c) {
    const ControllerSummary& again = recomputed[c];
    const ControllerSummary& returned = run.result.summary[c];
    REQUIRE(stored.executeStep());
    CHECK(stored.getColumn(0).getString() == returned.name);
    const std::vector<std::pair<double, double>> pairs{
        {again.ratio_mean, returned.ratio_mean},
        {again.ratio_p50, returned.ratio_p50},
        {again.ratio_p99, returned.ratio_p99},
        {again.ratio_max, returned.ratio_max},
        {again.mlu_mean, returned.mlu_mean},
        {again.mlu_max, returned.mlu_max},
        {again.decide_ms_p50, returned.decide_ms_p50},
        {again.decide_ms_p99, returned.decide_ms_p99},
        {again.churn_mean, returned.churn_mean},
        {again.overload_link_minutes, returned.overload_link_minutes},
        {again.delivered_share, returned.delivered_share},
        {again.delay_stretch_mean, returned.delay_stretch_mean},
        {again.delay_stretch_p99, returned.delay_stretch_p99},
        {static_cast<double>(again.paths_per_demand_max), static_cast<double>(returned.paths_per_demand_max)}};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      CHECK(pairs[i].first == pairs[i].second);
      CHECK(stored.getColumn(static_cast<int>(i) + 2).getDouble() == pairs[i].second);
    }
  }
}

TEST_CASE("SQL alone finds what the summary says of overload and utilisation", "[results]") {
  const test::ScratchFolder folder;
  const RunRecord run = test::short_run();
  REQUIRE(write_results_database(folder / "r.sqlite", run));
  SQLite::Database database{(folder / "r.sqlite").string(), SQLite::OPEN_READONLY};
  SQLite::Statement query{
      database,
      "SELECT s.overload_link_minutes, SUM(u.utilization > 1.0) * interval_s / 60, s.mlu_max, "
      "MAX(u.utilization) FROM summary s JOIN link_utilization u ON u.controller = s.controller, run "
      "GROUP BY s.controller ORDER BY s.controller"};
  double overload = 0.0;
  for (const ControllerSummary& expected : run.result.summary) {
    REQUIRE(query.executeStep());
    CHECK(query.getColumn(0).getDouble() == query.getColumn(1).getDouble());
    CHECK(query.getColumn(2).getDouble() == query.getColumn(3).getDouble());
    CHECK(query.getColumn(0).getDouble() == expected.overload_link_minutes);
    overload += expected.overload_link_minutes;
  }
  CHECK(overload > 0.0);  // else the test would compare nothing
}

TEST_CASE("the database holds the run, the network and what failed", "[results]") {
  const test::ScratchFolder folder;
  const RunRecord run = test::short_run("scale: 1\ncontrollers: [scenario]\n");
  REQUIRE(write_results_database(folder / "r.sqlite", run));
  SQLite::Database database{(folder / "r.sqlite").string(), SQLite::OPEN_READONLY};
  SQLite::Statement meta{
      database,
      "SELECT format_version, scenario, scenario_text, seed, topology_digest, forecaster, interval_s, "
      "history_rows FROM run"};
  REQUIRE(meta.executeStep());
  CHECK(meta.getColumn(0).getInt() == 1);
  CHECK(meta.getColumn(1).getString() == "short");
  CHECK(meta.getColumn(2).getString() == run.scenario_text);
  CHECK(meta.getColumn(3).getString() == "5");
  CHECK(meta.getColumn(4).getString() == run.topology.digest());
  CHECK(meta.getColumn(5).getString() == "ewma");
  CHECK(meta.getColumn(6).getDouble() == 3600.0);
  CHECK(meta.getColumn(7).getInt() == 48);
  const auto count = [&](const std::string& what) {
    return database.execAndGet("SELECT COUNT(*) FROM " + what).getInt();
  };
  CHECK(count("node") == 12);
  CHECK(count("link") == 40);
  CHECK(count("event") == 2);
  CHECK(count("event_link") == 4);
  CHECK(count("interval") == 24);
  CHECK(count("decision") == 24);
  CHECK(count("link_utilization") == 24 * 40);
  CHECK(count("link_down") == 3 * 2);  // 17:30 is in the interval from 17:00; repaired in the one from 20:00
  CHECK(database.execAndGet("SELECT MIN(row) FROM link_down").getInt() == 48 + 17);
  CHECK(database
            .execAndGet("SELECT COUNT(*) FROM link_utilization u JOIN link_down d ON d.row = u.row AND d.link = u.link "
                        "WHERE utilization > 0")
            .getInt() == 0);
}

TEST_CASE("the same scenario and seed give the same database but for the time decisions took", "[results]") {
  const test::ScratchFolder folder;
  REQUIRE(write_results_database(folder / "a.sqlite", test::short_run()));
  REQUIRE(write_results_database(folder / "b.sqlite", test::short_run()));
  const auto first = content_of(folder / "a.sqlite");
  CHECK(first.size() > 24 * 5 * 40);
  CHECK(first == content_of(folder / "b.sqlite"));
}

TEST_CASE("a database is replaced whole or not at all", "[results]") {
  const test::ScratchFolder folder;
  const RunRecord run = test::short_run("controllers: [ospf]\n");
  REQUIRE(write_results_database(folder / "r.sqlite", run));
  REQUIRE(write_results_database(folder / "r.sqlite", run));  // over an older one
  CHECK_FALSE(std::filesystem::exists(folder / "r.sqlite.unfinished"));

  RunRecord broken = run;
  broken.result.intervals.push_back(broken.result.intervals.back());  // the same row twice breaks a key
  const auto before = content_of(folder / "r.sqlite");
  const auto refused = write_results_database(folder / "r.sqlite", broken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIo);
  CHECK(refused.error().message.find("r.sqlite: cannot be written: ") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "r.sqlite.unfinished"));
  CHECK(content_of(folder / "r.sqlite") == before);

  const auto nowhere = write_results_database(folder / "absent/r.sqlite", run);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().message.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace wan::simulator
