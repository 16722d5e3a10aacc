#include "controller/program/aiwand/state_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include "controller/program/aiwand/record_json.h"
#include "core/io/message_text.h"

namespace wan::controller {
namespace {

using nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS policy (
  version INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,               -- Unix seconds
  name TEXT NOT NULL,                  -- of the file that it came from
  text TEXT NOT NULL                   -- YAML, docs/formats/policy.md
);
CREATE TABLE IF NOT EXISTS plan (
  epoch INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  digest TEXT NOT NULL,
  decision INTEGER,                    -- NULL: adopted
  expected_utilization REAL NOT NULL,
  lower_bound REAL NOT NULL,
  paths TEXT NOT NULL                  -- JSON by names of nodes and links
);
CREATE TABLE IF NOT EXISTS decision (
  id INTEGER PRIMARY KEY,
  record TEXT NOT NULL,                -- JSON, the API's Decision
  explanation TEXT                     -- JSON, the API's Explanation without the decision
);
)sql";

json settings_json(const Settings& settings) {
  json unconfirmed = nullptr;
  if (settings.unconfirmed) {
    unconfirmed = {{"deadline", settings.unconfirmed->deadline.time_since_epoch().count()},
                   {"previous_version", settings.unconfirmed->previous_version},
                   {"previous_epoch", settings.unconfirmed->previous_epoch}};
  }
  return {{"mode", to_string(settings.mode)},
          {"paused", settings.paused},
          {"paused_until", settings.paused_until ? json(settings.paused_until->time_since_epoch().count()) : json()},
          {"drains", settings.drains},
          {"policy_version", settings.policy_version},
          {"unconfirmed", std::move(unconfirmed)}};
}

Timestamp time_of(const json& seconds) { return Timestamp{std::chrono::seconds{seconds.get<std::int64_t>()}}; }

Settings settings_of(const json& at) {
  Settings settings;
  settings.mode = mode_named(at.at("mode").get<std::string>()).value_or(Mode::kAdvise);
  settings.paused = at.at("paused");
  if (!at.at("paused_until").is_null()) settings.paused_until = time_of(at.at("paused_until"));
  settings.drains = at.at("drains").get<std::vector<std::string>>();
  settings.policy_version = at.at("policy_version");
  if (const json& waits = at.at("unconfirmed"); !waits.is_null()) {
    settings.unconfirmed = Settings::Unconfirmed{.deadline = time_of(waits.at("deadline")),
                                                 .previous_version = waits.at("previous_version"),
                                                 .previous_epoch = waits.at("previous_epoch")};
  }
  return settings;
}

void write_settings(SQLite::Database& database, const Settings& settings) {
  SQLite::Statement statement{database, "INSERT OR REPLACE INTO setting VALUES ('settings', ?)"};
  statement.bind(1, settings_json(settings).dump());
  statement.exec();
}

void write_policies(SQLite::Database& database, const PolicyVersion& policies) {
  SQLite::Statement statement{database, "INSERT OR REPLACE INTO policy VALUES (?, ?, ?, ?)"};
  statement.bind(1, static_cast<std::int64_t>(policies.version));
  statement.bind(2, static_cast<std::int64_t>(policies.time.time_since_epoch().count()));
  statement.bind(3, policies.name);
  statement.bind(4, policies.text);
  statement.exec();
}

void write_plan(SQLite::Database& database, const PlanRecord& plan, const std::string& paths) {
  SQLite::Transaction transaction{database};
  SQLite::Statement statement{database, "INSERT OR REPLACE INTO plan VALUES (?, ?, ?, ?, ?, ?, ?)"};
  statement.bind(1, static_cast<std::int64_t>(plan.epoch));
  statement.bind(2, static_cast<std::int64_t>(plan.time.time_since_epoch().count()));
  statement.bind(3, plan.digest);
  if (plan.decision) {
    statement.bind(4, static_cast<std::int64_t>(*plan.decision));
  } else {
    statement.bind(4);
  }
  statement.bind(5, plan.expected_utilization);
  statement.bind(6, plan.lower_bound);
  statement.bind(7, paths);
  statement.exec();
  SQLite::Statement prune{database,
                          "DELETE FROM plan WHERE epoch NOT IN (SELECT epoch FROM plan ORDER BY epoch DESC LIMIT ?)"};
  prune.bind(1, static_cast<std::int64_t>(StateStore::kPlansKept));
  prune.exec();
  transaction.commit();
}

void write_decision(SQLite::Database& database, const DecisionRecord& decision,
                    const std::optional<std::string>& explanation) {
  SQLite::Transaction transaction{database};
  SQLite::Statement statement{database,
                              "INSERT INTO decision VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = "
                              "excluded.record, explanation = coalesce(excluded.explanation, explanation)"};
  statement.bind(1, static_cast<std::int64_t>(decision.id));
  statement.bind(2, to_json(decision).dump());
  if (explanation) {
    statement.bind(3, *explanation);
  } else {
    statement.bind(3);
  }
  statement.exec();
  SQLite::Statement prune{database, "DELETE FROM decision WHERE id <= ?"};
  prune.bind(1, static_cast<std::int64_t>(decision.id) - static_cast<std::int64_t>(StateStore::kDecisionsKept));
  prune.exec();
  transaction.commit();
}

void load_policies(SQLite::Database& database, StoredState& state) {
  SQLite::Statement rows{database, "SELECT version, time, name, text FROM policy ORDER BY version"};
  while (rows.executeStep()) {
    state.policies.push_back({.version = static_cast<std::uint64_t>(rows.getColumn(0).getInt64()),
                              .time = Timestamp{std::chrono::seconds{rows.getColumn(1).getInt64()}},
                              .name = rows.getColumn(2).getString(),
                              .text = rows.getColumn(3).getString()});
  }
}

void load_plans(SQLite::Database& database, const Topology& topology, StoredState& state) {
  SQLite::Statement rows{database,
                         "SELECT epoch, time, digest, decision, expected_utilization, lower_bound, paths FROM plan "
                         "ORDER BY epoch"};
  while (rows.executeStep()) {
    PlanRecord plan{.epoch = static_cast<std::uint64_t>(rows.getColumn(0).getInt64()),
                    .time = Timestamp{std::chrono::seconds{rows.getColumn(1).getInt64()}},
                    .digest = rows.getColumn(2).getString(),
                    .decision = {},
                    .expected_utilization = rows.getColumn(4).getDouble(),
                    .lower_bound = rows.getColumn(5).getDouble(),
                    .plan = {}};
    state.last_epoch = plan.epoch;
    if (!rows.getColumn(3).isNull()) plan.decision = static_cast<std::uint64_t>(rows.getColumn(3).getInt64());
    const json paths = json::parse(rows.getColumn(6).getString(), nullptr, false);
    auto read = paths_from_json(topology, paths);
    if (paths.is_discarded() || !read) continue;  // of the network as it was before its file changed
    plan.plan = *std::move(read);
    state.plans.push_back(std::move(plan));
  }
}

void load_decisions(SQLite::Database& database, StoredState& state) {
  SQLite::Statement rows{database,
                         "SELECT record FROM (SELECT id, record FROM decision ORDER BY id DESC LIMIT ?) ORDER BY id"};
  rows.bind(1, static_cast<std::int64_t>(StateStore::kDecisionsLoaded));
  while (rows.executeStep()) {
    const json record = json::parse(rows.getColumn(0).getString(), nullptr, false);
    auto decision = decision_from_json(record);
    if (!decision) continue;
    state.last_decision_id = decision->id;
    state.decisions.push_back(*std::move(decision));
  }
}

StoredState load(SQLite::Database& database, const Topology& topology) {
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version > kFormatVersion) {
    throw std::runtime_error{"it was written by a newer version of this program (format " + std::to_string(version) +
                             ")"};
  }
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  SQLite::Transaction transaction{database};
  database.exec(kSchema);
  database.exec(std::string{"PRAGMA user_version = "}.append(std::to_string(kFormatVersion)));
  transaction.commit();
  StoredState state;
  SQLite::Statement settings{database, "SELECT value FROM setting WHERE key = 'settings'"};
  if (settings.executeStep()) state.settings = settings_of(json::parse(settings.getColumn(0).getString()));
  load_policies(database, state);
  load_plans(database, topology, state);
  load_decisions(database, state);
  return state;
}

}  // namespace

struct StateStore::Impl {
  using Job = std::function<void(SQLite::Database&)>;

  Impl(const std::filesystem::path& file, const Topology& network)
      : topology{network}, database{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000} {}

  void serve(const std::stop_token& stop) {
    std::unique_lock lock{mutex};
    while (true) {
      wake.wait(lock, stop, [&] { return !jobs.empty(); });
      if (jobs.empty()) return;  // stopped, and all is written
      const Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job(database);
      lock.lock();
    }
  }

  void enqueue(Job job) {
    {
      const std::lock_guard lock{mutex};
      jobs.push_back(std::move(job));
    }
    wake.notify_one();
  }

  /// A write whose outcome somebody may wait for.
  Written write(Job work) {
    auto done = std::make_shared<std::promise<Result<void>>>();  // shared by the job, which std::function must copy
    Written written = done->get_future().share();
    enqueue([this, work = std::move(work), done](SQLite::Database& at) {
      Result<void> outcome;
      try {
        work(at);
      } catch (const std::exception& error) {
        outcome = fail(ErrorCode::kIo, io::on_one_line(std::string{"state.db: "}.append(error.what())));
        note_failure(outcome.error().message);
      }
      done->set_value(std::move(outcome));
    });
    return written;
  }

  [[nodiscard]] bool full() {
    const std::lock_guard lock{mutex};
    return jobs.size() >= kQueueMax;
  }
  void note_failure(const std::string& why) {
    const std::lock_guard lock{mutex};
    ++failed.count;
    failed.newest = why;
  }

  Topology topology;
  SQLite::Database database;  // the store's thread only, once it runs
  StoredState stored;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<Job> jobs;  // guarded by mutex
  Failures failed;       // guarded by mutex
  std::jthread thread;   // last: stops before what it uses is gone
};

StateStore::StateStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
StateStore::~StateStore() = default;

Result<std::unique_ptr<StateStore>> StateStore::open(const std::filesystem::path& folder, const Topology& topology) {
  const std::filesystem::path file = folder / "state.db";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, folder.string() + ": cannot be made: " + error.message());
  try {
    auto impl = std::make_unique<Impl>(file, topology);
    impl->stored = load(impl->database, topology);
    impl->thread = std::jthread{[at = impl.get()](const std::stop_token& stop) { at->serve(stop); }};
    return std::unique_ptr<StateStore>{new StateStore{std::move(impl)}};
  } catch (const std::exception& failure) {
    return fail(ErrorCode::kIo, io::on_one_line(file.string() + ": cannot be opened: " + failure.what()));
  }
}

const StoredState& StateStore::loaded() const { return impl_->stored; }

StateStore::Written StateStore::put(const Settings& settings) {
  return impl_->write([settings](SQLite::Database& at) { write_settings(at, settings); });
}

StateStore::Written StateStore::put(const PolicyVersion& policies, const Settings& settings) {
  return impl_->write([policies, settings](SQLite::Database& at) {
    SQLite::Transaction transaction{at};
    write_policies(at, policies);
    write_settings(at, settings);
    transaction.commit();
  });
}

void StateStore::put(const PlanRecord& plan) {
  static_cast<void>(impl_->write(
      [this, plan](SQLite::Database& at) { write_plan(at, plan, paths_to_json(impl_->topology, plan.plan).dump()); }));
}

void StateStore::put(const DecisionRecord& decision, std::optional<std::string> explanation) {
  if (impl_->full()) return impl_->note_failure("state.db: writes take too long, a decision is not recorded");
  static_cast<void>(impl_->write([decision, explanation = std::move(explanation)](SQLite::Database& at) {
    write_decision(at, decision, explanation);
  }));
}

std::future<std::optional<std::string>> StateStore::explanation(std::uint64_t decision) {
  auto answer = std::make_shared<std::promise<std::optional<std::string>>>();
  auto future = answer->get_future();
  static_cast<void>(impl_->write([decision, answer](SQLite::Database& at) {
    std::optional<std::string> found;
    try {
      SQLite::Statement row{at, "SELECT explanation FROM decision WHERE id = ?"};
      row.bind(1, static_cast<std::int64_t>(decision));
      if (row.executeStep() && !row.getColumn(0).isNull()) found = row.getColumn(0).getString();
    } catch (const std::exception&) {
      found.reset();
    }
    answer->set_value(std::move(found));
  }));
  return future;
}

std::future<std::optional<DecisionRecord>> StateStore::decision(std::uint64_t id) {
  auto answer = std::make_shared<std::promise<std::optional<DecisionRecord>>>();
  auto future = answer->get_future();
  static_cast<void>(impl_->write([id, answer](SQLite::Database& at) {
    std::optional<DecisionRecord> found;
    try {
      SQLite::Statement row{at, "SELECT record FROM decision WHERE id = ?"};
      row.bind(1, static_cast<std::int64_t>(id));
      if (row.executeStep()) {
        auto read = decision_from_json(json::parse(row.getColumn(0).getString(), nullptr, false));
        if (read) found = *std::move(read);
      }
    } catch (const std::exception&) {
      found.reset();
    }
    answer->set_value(std::move(found));
  }));
  return future;
}

StateStore::Failures StateStore::failures() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->failed;
}

void StateStore::flush() {
  impl_->write([](SQLite::Database&) {}).wait();
}

}  // namespace wan::controller
