#include "telemetry/sqlite/history_database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "telemetry/sqlite/rate_blob.h"

namespace wan::telemetry {
namespace {

constexpr int kApplicationId = 0x61694877;  // "aiHw", in the file's header
constexpr int kFormatVersion = 1;

constexpr const char* kSchema = R"sql(
CREATE TABLE network (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,                 -- of its topology
  class_count INTEGER NOT NULL,
  UNIQUE (digest, class_count)
);
CREATE TABLE node (
  network INTEGER NOT NULL REFERENCES network(id),
  position INTEGER NOT NULL,            -- in matrices
  name TEXT NOT NULL,
  PRIMARY KEY (network, position)
) WITHOUT ROWID;
CREATE TABLE link (
  network INTEGER NOT NULL REFERENCES network(id),
  position INTEGER NOT NULL,            -- in lists of rates
  name TEXT NOT NULL,
  PRIMARY KEY (network, position)
) WITHOUT ROWID;
)sql";

constexpr const char* kSampleTable = R"sql(
CREATE TABLE $T (
  begin_ns INTEGER PRIMARY KEY,         -- since 1970-01-01T00:00:00Z
  network INTEGER NOT NULL REFERENCES network(id),
  intervals INTEGER NOT NULL,           -- of measurement that this is the mean of; 1 in raw
  demand_mean BLOB NOT NULL,            -- bit/s: [class][source][destination]
  demand_max BLOB,                      -- NULL: the mean
  link_mean BLOB NOT NULL,              -- bit/s; NaN: nobody counted it
  link_max BLOB,                        -- NULL: the mean
  link_drops BLOB NOT NULL,             -- packets, in all intervals
  missing_nodes INTEGER NOT NULL,       -- summed over the intervals
  censored_demands INTEGER NOT NULL     -- likewise
);
)sql";

/// A table of samples, finest first.
struct Level {
  const char* table;
  std::int64_t period_ns;  // 0: as measured
};
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::array<Level, 3> kLevels{{{"raw", 0}, {"minute", 60 * kSecondNs}, {"hour", 3600 * kSecondNs}}};

std::string sql_of(std::string_view pattern, const Level& level) {
  std::string sql{pattern};
  for (std::size_t at = sql.find("$T"); at != std::string::npos; at = sql.find("$T")) sql.replace(at, 2, level.table);
  return sql;
}

/// Where the values of a stored network stand in the present one; a place beyond all means nowhere.
struct Mapping {
  std::size_t class_count = 1;
  std::vector<std::size_t> nodes, links;
  bool is_identity = true;
};

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

std::string_view text_of(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

/// Several samples becoming one.
class Aggregate {
 public:
  Aggregate(std::size_t demands, std::size_t links) : demand_mean_(demands), demand_max_(demands), drops_(links) {
    link_sum_.resize(links);
    link_max_.resize(links, std::nan(""));
    link_weight_.resize(links);
  }

  void add(std::int64_t intervals, std::span<const double> demand_mean, std::span<const double> demand_max,
           std::span<const double> link_mean, std::span<const double> link_max, std::span<const double> drops) {
    const auto weight = static_cast<double>(intervals);
    intervals_ += intervals;
    for (std::size_t i = 0; i < demand_mean_.size(); ++i) {
      demand_mean_[i] += weight * demand_mean[i];
      demand_max_[i] = std::max(demand_max_[i], demand_max[i]);
    }
    for (std::size_t i = 0; i < link_sum_.size(); ++i) {
      drops_[i] += drops[i];
      if (std::isnan(link_mean[i])) continue;
      link_sum_[i] += weight * link_mean[i];
      link_weight_[i] += weight;
      link_max_[i] = std::fmax(link_max_[i], link_max[i]);
    }
  }

  [[nodiscard]] std::int64_t intervals() const { return intervals_; }
  [[nodiscard]] std::string demand_mean() const {
    std::vector<double> mean = demand_mean_;
    for (double& value : mean) value /= static_cast<double>(intervals_);
    return to_rate_blob(mean);
  }
  [[nodiscard]] std::string demand_max() const { return to_rate_blob(demand_max_); }
  [[nodiscard]] std::string link_mean() const {
    std::vector<double> mean(link_sum_.size());
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = link_sum_[i] / link_weight_[i];  // 0 / 0: not known
    return to_rate_blob(mean);
  }
  [[nodiscard]] std::string link_max() const { return to_rate_blob(link_max_); }
  [[nodiscard]] std::string drops() const { return to_rate_blob(drops_); }

 private:
  std::int64_t intervals_ = 0;
  std::vector<double> demand_mean_, demand_max_, drops_, link_sum_, link_max_, link_weight_;
};

}  // namespace

struct HistoryDatabase::Impl {
  Impl(const std::filesystem::path& file, Topology given, const HistoryOptions& given_options)
      : topology{std::move(given)},
        options{given_options},
        database{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs} {}

  static constexpr int kBusyTimeoutMs = 500;

  Topology topology;
  HistoryOptions options;
  SQLite::Database database;
  std::int64_t network = 0;
  std::map<std::int64_t, Mapping> mappings;  // by stored network
  // Made once the tables are there.
  std::unique_ptr<SQLite::Statement> insert_raw;

  [[nodiscard]] std::int64_t number(const std::string& sql) { return database.execAndGet(sql).getInt64(); }

  Result<void> prepare() {
    // EXCLUSIVE: no second connection, in this or another process, can ever write (SQLite before 3.51.3 can damage a
    // WAL that two connections reset).
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const std::int64_t application = number("PRAGMA application_id"), version = number("PRAGMA user_version");
    const bool fresh = number("SELECT count(*) FROM sqlite_schema") == 0;
    if (!fresh && application != kApplicationId) return fail(ErrorCode::kBadInput, "is no history of aiwand");
    if (!fresh && version != kFormatVersion) {
      return fail(ErrorCode::kUnsupported, "is of format version " + std::to_string(version) + ", this is version 1");
    }
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA journal_size_limit = 8388608");
    if (options.bytes_max != 0) {
      const std::uint64_t pages = options.bytes_max / static_cast<std::uint64_t>(number("PRAGMA page_size"));
      database.exec("PRAGMA max_page_count = " + std::to_string(std::max<std::uint64_t>(pages, 1)));
    }
    SQLite::Transaction transaction{database};
    if (fresh) make_tables();
    network = registered_network();
    transaction.commit();
    insert_raw = std::make_unique<SQLite::Statement>(
        database, "INSERT OR REPLACE INTO raw VALUES (?, ?, 1, ?, NULL, ?, NULL, ?, ?, ?)");
    return {};
  }

  void make_tables() {
    database.exec(kSchema);
    for (const Level& level : kLevels) database.exec(sql_of(kSampleTable, level));
    database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.exec("PRAGMA user_version = " + std::to_string(kFormatVersion));
  }

  std::int64_t registered_network() {
    SQLite::Statement known{database, "SELECT id FROM network WHERE digest = ? AND class_count = ?"};
    known.bind(1, topology.digest());
    known.bind(2, static_cast<std::int64_t>(options.class_count));
    if (known.executeStep()) return known.getColumn(0).getInt64();
    SQLite::Statement insert{database, "INSERT INTO network (digest, class_count) VALUES (?, ?)"};
    insert.bind(1, topology.digest());
    insert.bind(2, static_cast<std::int64_t>(options.class_count));
    insert.exec();
    const std::int64_t id = database.getLastInsertRowid();
    insert_names("INSERT INTO node VALUES (?, ?, ?)", id, topology.nodes());
    insert_names("INSERT INTO link VALUES (?, ?, ?)", id, topology.links());
    return id;
  }

  template <typename Named>
  void insert_names(const char* sql, std::int64_t id, std::span<const Named> list) {
    SQLite::Statement insert{database, sql};
    for (std::size_t i = 0; i < list.size(); ++i) {
      insert.bind(1, id);
      insert.bind(2, static_cast<std::int64_t>(i));
      insert.bind(3, list[i].name);
      insert.exec();
      insert.reset();
    }
  }

  const Mapping& mapping_of(std::int64_t stored) {
    if (const auto known = mappings.find(stored); known != mappings.end()) return known->second;
    Mapping mapping;
    SQLite::Statement classes{database, "SELECT class_count FROM network WHERE id = ?"};
    classes.bind(1, stored);
    if (classes.executeStep()) mapping.class_count = static_cast<std::size_t>(classes.getColumn(0).getInt64());
    const auto places = [&](const char* sql, auto find) {
      std::vector<std::size_t> found;
      SQLite::Statement names{database, sql};
      names.bind(1, stored);
      while (names.executeStep()) {
        const auto id = find(names.getColumn(0).getString());
        found.push_back(id ? id->index() : kNowhere);
      }
      return found;
    };
    mapping.nodes = places("SELECT name FROM node WHERE network = ? ORDER BY position",
                           [&](const std::string& name) { return topology.find_node(name); });
    mapping.links = places("SELECT name FROM link WHERE network = ? ORDER BY position",
                           [&](const std::string& name) { return topology.find_link(name); });
    mapping.is_identity = stored == network;
    return mappings.emplace(stored, std::move(mapping)).first->second;
  }

  // ---- upkeep ----

  std::optional<std::int64_t> edge(const Level& level, const char* which) {
    SQLite::Statement query{database, sql_of(std::string{"SELECT "}.append(which).append("(begin_ns) FROM $T"), level)};
    if (!query.executeStep() || query.getColumn(0).isNull()) return std::nullopt;
    return query.getColumn(0).getInt64();
  }

  /// Where the samples of `coarse` end: all that is older in the finer table has been taken into account.
  std::int64_t covered_until(const Level& coarse) {
    const auto newest = edge(coarse, "max");
    return newest ? *newest + coarse.period_ns : std::numeric_limits<std::int64_t>::min();
  }

  /// Makes the next mean of `coarse` from `fine`, if its time is over.
  bool make_one(const Level& fine, const Level& coarse) {
    SQLite::Statement first{database, sql_of("SELECT min(begin_ns) FROM $T WHERE begin_ns >= ?", fine)};
    first.bind(1, covered_until(coarse));
    if (!first.executeStep() || first.getColumn(0).isNull()) return false;
    const std::int64_t oldest = first.getColumn(0).getInt64();
    const std::int64_t begin = oldest - (oldest % coarse.period_ns + coarse.period_ns) % coarse.period_ns;
    const std::int64_t end = begin + coarse.period_ns;
    const auto newest = edge(kLevels[0], "max");
    if (!newest || *newest < end || pending_before(fine, end)) return false;
    aggregate(fine, coarse, begin, end);
    return true;
  }

  /// Whether `fine` itself still lacks means from before `end`.
  bool pending_before(const Level& fine, std::int64_t end) {
    if (fine.period_ns == 0) return false;
    SQLite::Statement pending{database, sql_of("SELECT 1 FROM $T WHERE begin_ns >= ? AND begin_ns < ?", kLevels[0])};
    pending.bind(1, covered_until(fine));
    pending.bind(2, end);
    return pending.executeStep();
  }

  /// The mean over [begin, end). Where the network changed in between, only what is of the later one counts.
  void aggregate(const Level& fine, const Level& coarse, std::int64_t begin, std::int64_t end) {
    SQLite::Statement last{
        database, sql_of("SELECT network FROM $T WHERE begin_ns >= ? AND begin_ns < ? ORDER BY begin_ns DESC", fine)};
    last.bind(1, begin);
    last.bind(2, end);
    if (!last.executeStep()) return;
    const std::int64_t of_network = last.getColumn(0).getInt64();
    last.reset();
    const Mapping& shape = mapping_of(of_network);
    const std::size_t demands = shape.class_count * shape.nodes.size() * shape.nodes.size();
    Aggregate sum{demands, shape.links.size()};
    std::int64_t missing = 0, censored = 0;
    SQLite::Statement rows{
        database, sql_of("SELECT intervals, demand_mean, demand_max, link_mean, link_max, link_drops, missing_nodes, "
                         "censored_demands FROM $T WHERE begin_ns >= ? AND begin_ns < ? AND network = ?",
                         fine)};
    rows.bind(1, begin);
    rows.bind(2, end);
    rows.bind(3, of_network);
    while (rows.executeStep()) {
      const auto demand_mean = from_rate_blob(text_of(rows.getColumn(1)), demands);
      const auto demand_max = max_of(rows.getColumn(2), demand_mean, demands);
      const auto link_mean = from_rate_blob(text_of(rows.getColumn(3)), shape.links.size());
      const auto link_max = max_of(rows.getColumn(4), link_mean, shape.links.size());
      const auto drops = from_rate_blob(text_of(rows.getColumn(5)), shape.links.size());
      if (!demand_mean || !demand_max || !link_mean || !link_max || !drops) continue;  // damaged: left out
      sum.add(rows.getColumn(0).getInt64(), *demand_mean, *demand_max, *link_mean, *link_max, *drops);
      missing += rows.getColumn(6).getInt64();
      censored += rows.getColumn(7).getInt64();
    }
    insert_aggregate(coarse, begin, of_network, sum, missing, censored);
  }

  static Result<std::vector<double>> max_of(const SQLite::Column& column, const Result<std::vector<double>>& mean,
                                            std::size_t count) {
    return column.isNull() ? mean : from_rate_blob(text_of(column), count);
  }

  void insert_aggregate(const Level& level, std::int64_t begin, std::int64_t of_network, const Aggregate& sum,
                        std::int64_t missing, std::int64_t censored) {
    SQLite::Statement insert{database,
                             sql_of("INSERT OR REPLACE INTO $T VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", level)};
    insert.bind(1, begin);
    insert.bind(2, of_network);
    insert.bind(3, sum.intervals());
    const std::array blobs{sum.demand_mean(), sum.demand_max(), sum.link_mean(), sum.link_max(), sum.drops()};
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      insert.bind(static_cast<int>(4 + i), blobs[i].data(), static_cast<int>(blobs[i].size()));
    }
    insert.bind(9, missing);
    insert.bind(10, censored);
    insert.exec();
  }

  /// Deletes the oldest samples that are both expired and part of a coarser one (if there is one).
  std::uint64_t expire(std::size_t index, std::chrono::seconds kept) {
    constexpr std::int64_t kRowsMax = 256;
    const auto newest = edge(kLevels[0], "max");
    if (!newest) return 0;
    std::int64_t until = *newest - std::chrono::nanoseconds{kept}.count();
    if (index + 1 < kLevels.size()) until = std::min(until, covered_until(kLevels[index + 1]));
    SQLite::Statement remove{database, sql_of("DELETE FROM $T WHERE begin_ns IN "
                                              "(SELECT begin_ns FROM $T WHERE begin_ns < ? ORDER BY begin_ns LIMIT ?)",
                                              kLevels[index])};
    remove.bind(1, until);
    remove.bind(2, kRowsMax);
    return static_cast<std::uint64_t>(remove.exec());
  }

  // ---- queries ----

  std::optional<TrafficMatrix> matrix_of(const SQLite::Statement& row) {
    const Mapping& from = mapping_of(row.getColumn(1).getInt64());
    const std::size_t stored_nodes = from.nodes.size(), stored_square = stored_nodes * stored_nodes;
    const auto values = from_rate_blob(text_of(row.getColumn(2)), from.class_count * stored_square);
    if (!values) return std::nullopt;
    TrafficMatrix matrix{topology.node_count(), options.class_count};
    for (std::size_t i = 0; i < values->size(); ++i) {
      const std::size_t cls = i / stored_square;
      const std::size_t source = from.nodes[i % stored_square / stored_nodes],
                        destination = from.nodes[i % stored_nodes];
      if (cls >= options.class_count || source == kNowhere || destination == kNowhere) continue;
      matrix.set(TrafficClass{cls}, NodeId{source}, NodeId{destination}, BitRate::bps((*values)[i]));
    }
    matrix.set_measured_at(begin_of(row));
    return matrix;
  }

  static Timestamp begin_of(const SQLite::Statement& row) {
    return Timestamp{std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds{row.getColumn(0).getInt64()})};
  }

  /// The finest level that still has samples of `from` and is not too fine for the span.
  const Level& level_for(std::int64_t from_ns, std::int64_t to_ns) {
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
      SQLite::Statement count{database,
                              sql_of("SELECT count(*) FROM (SELECT 1 FROM $T WHERE begin_ns >= ? AND begin_ns < ? "
                                     "LIMIT ?)",
                                     kLevels[i])};
      count.bind(1, from_ns);
      count.bind(2, to_ns);
      count.bind(3, static_cast<std::int64_t>(HistoryStore::kPointsMax + 1));
      if (!count.executeStep()) continue;
      if (count.getColumn(0).getInt64() > static_cast<std::int64_t>(HistoryStore::kPointsMax)) continue;
      const auto oldest = edge(kLevels[i], "min");
      const bool has_begin = oldest && *oldest <= from_ns;
      if (has_begin || i + 1 == kLevels.size()) return kLevels[i];
      const auto older = edge(kLevels[i + 1], "min");
      if (!older || (oldest && *older + kLevels[i + 1].period_ns > *oldest)) return kLevels[i];
    }
    return kLevels.back();
  }

  std::optional<LinkHistory::Point> point_of(const SQLite::Statement& row, std::span<const LinkId> links) {
    const Mapping& from = mapping_of(row.getColumn(1).getInt64());
    const auto mean = from_rate_blob(text_of(row.getColumn(2)), from.links.size());
    const auto max = max_of(row.getColumn(3), mean, from.links.size());
    const auto drops = from_rate_blob(text_of(row.getColumn(4)), from.links.size());
    if (!mean || !max || !drops) return std::nullopt;
    LinkHistory::Point point{.begin = begin_of(row), .mean = {}, .max = {}, .dropped_packets = {}};
    const auto known = [](double bps) { return std::isnan(bps) ? std::nullopt : std::optional{BitRate::bps(bps)}; };
    for (const LinkId link : links) {
      const auto place =
          static_cast<std::size_t>(std::find(from.links.begin(), from.links.end(), link.index()) - from.links.begin());
      const bool was_there = place < from.links.size();
      point.mean.push_back(was_there ? known((*mean)[place]) : std::nullopt);
      point.max.push_back(was_there ? known((*max)[place]) : std::nullopt);
      point.dropped_packets.push_back(was_there ? (*drops)[place] : 0.0);
    }
    return point;
  }
};

namespace {

/// Runs what may throw; exceptions of the library end here.
template <typename T>
Result<T> guarded(const std::function<Result<T>()>& action) {
  try {
    return action();
  } catch (const SQLite::Exception& failure) {
    std::string message{failure.what()};
    if (failure.getErrorCode() == SQLITE_FULL) message.append(" (the disk, or the limit of its size)");
    if (failure.getErrorCode() == SQLITE_BUSY) message.append(": another program has it open");
    const bool foreign = failure.getErrorCode() == SQLITE_NOTADB || failure.getErrorCode() == SQLITE_CORRUPT;
    return fail(foreign ? ErrorCode::kBadInput : ErrorCode::kIo, std::move(message));
  } catch (const std::exception& failure) {
    return fail(ErrorCode::kInternal, failure.what());
  }
}

}  // namespace

HistoryDatabase::HistoryDatabase(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
HistoryDatabase::~HistoryDatabase() = default;
HistoryDatabase::HistoryDatabase(HistoryDatabase&&) noexcept = default;
HistoryDatabase& HistoryDatabase::operator=(HistoryDatabase&&) noexcept = default;

Result<HistoryDatabase> HistoryDatabase::open(const std::filesystem::path& file, const Topology& topology,
                                              const HistoryOptions& options) {
  auto opened = guarded<HistoryDatabase>([&]() -> Result<HistoryDatabase> {
    auto impl = std::make_unique<Impl>(file, topology, options);
    if (auto ready = impl->prepare(); !ready) return tl::unexpected{ready.error()};
    return HistoryDatabase{std::move(impl)};
  });
  if (!opened) opened.error().message.insert(0, file.string() + ": ");
  return opened;
}

Result<void> HistoryDatabase::write(std::span<const HistorySample* const> samples) {
  return guarded<void>([&]() -> Result<void> {
    SQLite::Transaction transaction{impl_->database};
    for (const HistorySample* sample : samples) {
      SQLite::Statement& insert = *impl_->insert_raw;
      insert.reset();
      insert.bind(1, sample->begin_ns);
      insert.bind(2, impl_->network);
      insert.bindNoCopy(3, sample->demands.data(), static_cast<int>(sample->demands.size()));
      insert.bindNoCopy(4, sample->links.data(), static_cast<int>(sample->links.size()));
      insert.bindNoCopy(5, sample->drops.data(), static_cast<int>(sample->drops.size()));
      insert.bind(6, sample->missing_nodes);
      insert.bind(7, sample->censored_demands);
      insert.exec();
    }
    impl_->insert_raw->reset();
    transaction.commit();
    return {};
  });
}

Result<HistoryUpkeep> HistoryDatabase::upkeep() {
  return guarded<HistoryUpkeep>([&]() -> Result<HistoryUpkeep> {
    constexpr int kMinutesMax = 4;
    HistoryUpkeep done;
    SQLite::Transaction transaction{impl_->database};
    while (done.minutes < kMinutesMax && impl_->make_one(kLevels[0], kLevels[1])) ++done.minutes;
    if (impl_->make_one(kLevels[1], kLevels[2])) ++done.hours;
    const HistoryOptions& options = impl_->options;
    const std::array kept{options.keep_raw, options.keep_minutes, options.keep_hours};
    for (std::size_t i = 0; i < kLevels.size(); ++i) done.expired += impl_->expire(i, kept[i]);
    transaction.commit();
    return done;
  });
}

Result<TrafficSeries> HistoryDatabase::newest(std::size_t intervals) {
  return guarded<TrafficSeries>([&]() -> Result<TrafficSeries> {
    SQLite::Statement rows{impl_->database,
                           "SELECT begin_ns, network, demand_mean FROM raw ORDER BY begin_ns DESC LIMIT ?"};
    rows.bind(1, static_cast<std::int64_t>(std::min(intervals, HistoryStore::kIntervalsMax)));
    TrafficSeries series;
    while (rows.executeStep()) {
      auto matrix = impl_->matrix_of(rows);
      if (!matrix) continue;
      if (!series.intervals.empty() && matrix->measured_at() >= series.intervals.back().measured_at()) continue;
      series.intervals.push_back(*std::move(matrix));
    }
    std::reverse(series.intervals.begin(), series.intervals.end());
    return series;
  });
}

Result<LinkHistory> HistoryDatabase::link_history(std::span<const LinkId> links, Timestamp from, Timestamp to) {
  for (const LinkId link : links) {
    if (link.index() >= impl_->topology.link_count()) {
      return fail(ErrorCode::kNotFound, "history: no link of this number in the network");
    }
  }
  return guarded<LinkHistory>([&]() -> Result<LinkHistory> {
    const std::int64_t from_ns = std::chrono::nanoseconds{from.time_since_epoch()}.count();
    const std::int64_t to_ns = std::chrono::nanoseconds{to.time_since_epoch()}.count();
    const Level& level = impl_->level_for(from_ns, to_ns);
    LinkHistory history;
    history.resolution = std::chrono::seconds{level.period_ns / kSecondNs};
    SQLite::Statement rows{impl_->database, sql_of("SELECT begin_ns, network, link_mean, link_max, link_drops FROM $T "
                                                   "WHERE begin_ns >= ? AND begin_ns < ? ORDER BY begin_ns LIMIT ?",
                                                   level)};
    rows.bind(1, from_ns);
    rows.bind(2, to_ns);
    rows.bind(3, static_cast<std::int64_t>(HistoryStore::kPointsMax));
    while (rows.executeStep()) {
      if (auto point = impl_->point_of(rows, links)) history.points.push_back(*std::move(point));
    }
    return history;
  });
}

}  // namespace wan::telemetry
