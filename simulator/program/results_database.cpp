#include "simulator/program/results_database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/io/message_text.h"

namespace wan::simulator {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE run (
  format_version INTEGER NOT NULL,      -- of this schema
  scenario TEXT NOT NULL,               -- its name
  scenario_text TEXT NOT NULL,          -- the YAML file as it was read
  seed TEXT,                            -- of the generated traffic, in decimal; NULL: measured traffic
  scale REAL NOT NULL,                  -- what all traffic was multiplied by
  utilization_target REAL NOT NULL,
  topology TEXT NOT NULL,
  topology_digest TEXT NOT NULL,
  traffic_digest TEXT NOT NULL,
  forecaster TEXT NOT NULL,
  interval_s REAL NOT NULL,
  history_rows INTEGER NOT NULL         -- of traffic before the first scored one
);
CREATE TABLE node (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  latitude REAL, longitude REAL         -- degrees; NULL: unknown
);
CREATE TABLE link (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  source INTEGER NOT NULL REFERENCES node(id),
  destination INTEGER NOT NULL REFERENCES node(id),
  capacity_bps REAL NOT NULL,
  delay_ns INTEGER NOT NULL,
  weight REAL NOT NULL
);
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  up INTEGER NOT NULL,                  -- 0: fails, 1: is repaired
  label TEXT NOT NULL
);
CREATE TABLE event_link (
  event INTEGER NOT NULL REFERENCES event(id),
  link INTEGER NOT NULL REFERENCES link(id),
  PRIMARY KEY (event, link)
) WITHOUT ROWID;
CREATE TABLE interval (
  row INTEGER PRIMARY KEY,              -- of the traffic series, from 0
  time TEXT NOT NULL,                   -- its start, UTC
  optimal_mlu REAL NOT NULL,
  total_bps REAL NOT NULL
);
CREATE TABLE link_down (
  row INTEGER NOT NULL REFERENCES interval(row),
  link INTEGER NOT NULL REFERENCES link(id),
  PRIMARY KEY (row, link)
) WITHOUT ROWID;
CREATE TABLE controller (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE decision (
  row INTEGER NOT NULL REFERENCES interval(row),
  controller INTEGER NOT NULL REFERENCES controller(id),
  action TEXT NOT NULL,                 -- install, keep, hold, fallback
  reason TEXT NOT NULL,
  lower_bound REAL,                     -- NULL: none was computed
  decide_ms REAL NOT NULL,
  churn REAL NOT NULL,
  paths_per_demand_max INTEGER NOT NULL,
  mlu REAL NOT NULL,
  delivered_share REAL NOT NULL,
  delay_stretch REAL NOT NULL,
  overloaded_links INTEGER NOT NULL,
  PRIMARY KEY (row, controller)
) WITHOUT ROWID;
CREATE TABLE link_utilization (
  row INTEGER NOT NULL REFERENCES interval(row),
  controller INTEGER NOT NULL REFERENCES controller(id),
  link INTEGER NOT NULL REFERENCES link(id),
  utilization REAL NOT NULL,            -- offered load / capacity
  PRIMARY KEY (row, controller, link)
) WITHOUT ROWID;
CREATE TABLE lost_demand (
  row INTEGER NOT NULL REFERENCES interval(row),
  controller INTEGER NOT NULL REFERENCES controller(id),
  demand TEXT NOT NULL
);
CREATE TABLE alarm (
  row INTEGER NOT NULL REFERENCES interval(row),
  controller INTEGER NOT NULL REFERENCES controller(id),
  alarm TEXT NOT NULL
);
CREATE TABLE summary (
  controller INTEGER PRIMARY KEY REFERENCES controller(id),
  ratio_mean REAL NOT NULL, ratio_p50 REAL NOT NULL, ratio_p99 REAL NOT NULL, ratio_max REAL NOT NULL,
  mlu_mean REAL NOT NULL, mlu_max REAL NOT NULL,
  decide_ms_p50 REAL NOT NULL, decide_ms_p99 REAL NOT NULL,
  churn_mean REAL NOT NULL,
  overload_link_minutes REAL NOT NULL,
  delivered_share REAL NOT NULL,
  delay_stretch_mean REAL NOT NULL, delay_stretch_p99 REAL NOT NULL,
  paths_per_demand_max INTEGER NOT NULL
);
)sql";

constexpr int kFormatVersion = 1;

/// A value that may be NULL.
template <typename T>
struct Nullable {
  const std::optional<T>& value;
};

/// A statement that is run again and again with other values.
class Insert {
 public:
  Insert(SQLite::Database& database, const std::string& table, int columns)
      : statement_{database, "INSERT INTO " + table + " VALUES (?" + repeated(columns - 1) + ")"} {}

  template <typename... Values>
  void operator()(const Values&... values) {
    int position = 0;
    (bind(++position, values), ...);
    statement_.exec();
    statement_.reset();
  }

 private:
  static std::string repeated(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += ",?";
    return text;
  }
  void bind(int at, const std::string& value) { statement_.bind(at, value); }
  void bind(int at, double value) { statement_.bind(at, value); }
  void bind(int at, bool value) { statement_.bind(at, value ? 1 : 0); }
  void bind(int at, std::int64_t value) { statement_.bind(at, value); }
  void bind(int at, std::size_t value) { statement_.bind(at, static_cast<std::int64_t>(value)); }
  template <typename T>
  void bind(int at, const Nullable<T>& nullable) {
    if (nullable.value) {
      bind(at, *nullable.value);
    } else {
      statement_.bind(at);
    }
  }

  SQLite::Statement statement_;
};

void insert_run(SQLite::Database& database, const RunRecord& run) {
  std::optional<std::string> seed;  // as text: SQLite's integers are signed
  if (run.seed) seed = std::to_string(*run.seed);
  Insert{database, "run", 12}(std::int64_t{kFormatVersion}, run.scenario_name, run.scenario_text,
                              Nullable<std::string>{seed}, run.scale, run.utilization_target, run.topology_name,
                              run.topology.digest(), run.traffic_digest, run.result.forecaster,
                              to_seconds(run.result.interval), run.history_rows);
}

void insert_network(SQLite::Database& database, const RunRecord& run) {
  Insert node{database, "node", 4};
  for (std::size_t n = 0; n < run.topology.node_count(); ++n) {
    const Node& at = run.topology.nodes()[n];
    std::optional<double> latitude, longitude;
    if (at.location) {
      latitude = at.location->latitude;
      longitude = at.location->longitude;
    }
    node(n, at.name, Nullable<double>{latitude}, Nullable<double>{longitude});
  }
  Insert link{database, "link", 7};
  for (std::size_t l = 0; l < run.topology.link_count(); ++l) {
    const Link& at = run.topology.links()[l];
    link(l, at.name, at.from.index(), at.to.index(), at.capacity.bps(), static_cast<std::int64_t>(at.delay.count()),
         at.weight);
  }
  Insert event{database, "event", 4}, event_link{database, "event_link", 2};
  for (std::size_t e = 0; e < run.events.size(); ++e) {
    event(e, format_timestamp(run.events[e].at), run.events[e].up, run.events[e].label);
    for (const LinkId id : run.events[e].links) event_link(e, id.index());
  }
}

void insert_intervals(SQLite::Database& database, const RunRecord& run) {
  Insert interval{database, "interval", 4}, link_down{database, "link_down", 2}, decision{database, "decision", 12};
  Insert utilization{database, "link_utilization", 4};
  Insert lost_demand{database, "lost_demand", 3}, alarm{database, "alarm", 3};
  for (const IntervalRecord& record : run.result.intervals) {
    interval(record.row, format_timestamp(record.time), record.optimal_mlu, record.total_bps);
    for (const LinkId id : record.links_down) link_down(record.row, id.index());
    for (std::size_t c = 0; c < record.controllers.size(); ++c) {
      const ControllerInterval& at = record.controllers[c];
      decision(record.row, c, at.action, at.reason, Nullable<double>{at.lower_bound}, at.decide_ms, at.churn,
               at.paths_per_demand_max, at.mlu, at.delivered_share, at.delay_stretch, at.overloaded_links);
      for (std::size_t l = 0; l < at.link_utilization.size(); ++l) {
        utilization(record.row, c, l, at.link_utilization[l]);
      }
      for (const std::string& demand : at.lost_demands) lost_demand(record.row, c, demand);
      for (const std::string& text : at.alarms) alarm(record.row, c, text);
    }
  }
}

void insert_summary(SQLite::Database& database, const RunRecord& run) {
  Insert controller{database, "controller", 2}, summary{database, "summary", 15};
  for (std::size_t c = 0; c < run.result.summary.size(); ++c) {
    const ControllerSummary& at = run.result.summary[c];
    controller(c, at.name);
    summary(c, at.ratio_mean, at.ratio_p50, at.ratio_p99, at.ratio_max, at.mlu_mean, at.mlu_max, at.decide_ms_p50,
            at.decide_ms_p99, at.churn_mean, at.overload_link_minutes, at.delivered_share, at.delay_stretch_mean,
            at.delay_stretch_p99, at.paths_per_demand_max);
  }
}

void write_all(const std::filesystem::path& file, const RunRecord& run) {
  SQLite::Database database{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  database.exec("PRAGMA journal_mode = MEMORY");  // nobody else sees the file before it is whole
  SQLite::Transaction transaction{database};
  database.exec(kSchema);
  insert_run(database, run);
  insert_network(database, run);
  insert_intervals(database, run);
  insert_summary(database, run);
  transaction.commit();
}

}  // namespace

Result<void> write_results_database(const std::filesystem::path& file, const RunRecord& run) {
  std::filesystem::path unfinished = file;
  unfinished += ".unfinished";
  const auto refuse = [&](std::string_view reason) {
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    return fail(ErrorCode::kIo, io::on_one_line(file.string() + ": cannot be written: " + std::string{reason}));
  };
  std::error_code error;
  std::filesystem::remove(unfinished, error);  // of a run that was killed
  if (error) return refuse(error.message());
  try {
    write_all(unfinished, run);
  } catch (const std::exception& failure) {
    return refuse(failure.what());
  }
  std::filesystem::rename(unfinished, file, error);
  if (error) return refuse(error.message());
  return {};
}

}  // namespace wan::simulator
