#include "telemetry/sqlite/history_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/random.h"
#include "telemetry/sqlite/rate_blob.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/core/small_networks.h"

namespace {

using namespace std::chrono_literals;
using wan::BitRate;
using wan::ErrorCode;
using wan::LinkId;
using wan::NodeId;
using wan::Rng;
using wan::Timestamp;
using wan::Topology;
using wan::TrafficClass;
using wan::telemetry::HistoryOptions;
using wan::telemetry::HistoryStore;
using wan::telemetry::MeasuredInterval;

constexpr auto kPatience = 60s;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'006'400 * kSecond;  // begins an hour

Topology triangle() { return wan::test::network(3, {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {0, 2}, {2, 0}}); }

MeasuredInterval empty_interval(const Topology& topology, std::int64_t begin_ns, std::size_t classes = 1) {
  MeasuredInterval measured;
  measured.matrix = wan::TrafficMatrix{topology.node_count(), classes};
  measured.begin_ns = begin_ns;
  measured.matrix.set_measured_at(Timestamp{std::chrono::seconds{begin_ns / kSecond}});
  measured.link_rates.resize(topology.link_count());
  measured.link_drops.resize(topology.link_count());
  measured.link_known.resize(topology.link_count(), true);
  return measured;
}

/// Rates that 32-bit floats hold exactly, so that what comes back must be equal.
MeasuredInterval drawn_interval(Rng& rng, const Topology& topology, std::int64_t begin_ns, std::size_t classes = 1) {
  MeasuredInterval measured = empty_interval(topology, begin_ns, classes);
  for (std::size_t cls = 0; cls < classes; ++cls) {
    for (std::size_t from = 0; from < topology.node_count(); ++from) {
      for (std::size_t to = 0; to < topology.node_count(); ++to) {
        if (from == to || rng.below(3) == 0) continue;
        measured.matrix.set(TrafficClass{cls}, NodeId{from}, NodeId{to},
                            BitRate::bps(static_cast<double>(rng.below(1 << 20))));
      }
    }
  }
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    measured.link_rates[l] = BitRate::bps(static_cast<double>(rng.below(1 << 20)));
    measured.link_drops[l] = rng.below(100);
    measured.link_known[l] = rng.below(4) != 0;
  }
  return measured;
}

HistoryStore opened(const std::filesystem::path& file, const Topology& topology, const HistoryOptions& options = {}) {
  auto store = HistoryStore::open(file, topology, options);
  if (!store) FAIL(store.error().message);
  return *std::move(store);
}

/// Records, and gives the writer time when its queue is full.
void record_all(HistoryStore& store, const MeasuredInterval& measured) {
  store.record(measured);
  if (store.counts().queued >= 60) REQUIRE(store.flush(kPatience));
}

bool holds_soon(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Timestamp at_second(std::int64_t seconds) { return Timestamp{std::chrono::seconds{kStart / kSecond + seconds}}; }

std::string integrity_of(const std::filesystem::path& file) {
  SQLite::Database database{file.string(), SQLite::OPEN_READWRITE};
  return database.execAndGet("PRAGMA integrity_check").getString();
}

}  // namespace

TEST_CASE("rates survive their blob, whatever their number, and damaged blobs are refused", "[telemetry]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng{seed, "blob"};
    std::vector<double> values(rng.below(100));
    const std::uint64_t sparseness = 1 + rng.below(6);
    for (double& value : values) value = rng.below(sparseness) == 0 ? std::ldexp(rng.uniform(), 40) : 0.0;
    const std::string blob = wan::telemetry::to_rate_blob(values);
    CHECK(blob.size() <= 1 + 4 * values.size());
    const auto again = wan::telemetry::from_rate_blob(blob, values.size());
    REQUIRE(again);
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK((*again)[i] == static_cast<double>(static_cast<float>(values[i])));
    CHECK(!wan::telemetry::from_rate_blob(blob.substr(0, blob.size() - 1), values.size()));
    CHECK(!wan::telemetry::from_rate_blob("", values.size()));
    std::string noise(rng.below(60), '\0');
    for (char& c : noise) c = static_cast<char>(rng.below(256));
    if (!noise.empty()) noise[0] = static_cast<char>(rng.below(3));
    (void)wan::telemetry::from_rate_blob(noise, rng.below(16));
  }
  const std::array with_unknown{1.0, std::nan(""), 3.0};
  CHECK(std::isnan((*wan::telemetry::from_rate_blob(wan::telemetry::to_rate_blob(with_unknown), 3))[1]));
}

TEST_CASE("recorded intervals come back as matrices, also after the store was closed", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  Rng rng{1, "history"};
  HistoryOptions options;
  options.class_count = 2;
  std::vector<wan::TrafficMatrix> expected;
  {
    HistoryStore store = opened(folder / "history.db", topology, options);
    for (std::int64_t k = 0; k < 30; ++k) {
      const auto measured = drawn_interval(rng, topology, kStart + k * kSecond, 2);
      expected.push_back(measured.matrix);
      store.record(measured);
    }
    REQUIRE(store.flush(kPatience));
    CHECK(store.counts().recorded == 30);
    const auto newest = store.newest(10);
    REQUIRE(newest);
    CHECK(newest->intervals == std::vector(expected.end() - 10, expected.end()));
    store.record(drawn_interval(rng, topology, kStart + 30 * kSecond, 2));  // left to the destructor
  }
  HistoryStore store = opened(folder / "history.db", topology, options);
  const auto newest = store.newest(1000);
  REQUIRE(newest);
  REQUIRE(newest->intervals.size() == 31);
  CHECK(std::vector(newest->intervals.begin(), newest->intervals.end() - 1) == expected);
  CHECK(!store.alarm());
}

TEST_CASE("links answer with their rates, drops and what nobody counted", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  Rng rng{2, "history"};
  HistoryStore store = opened(folder / "history.db", topology);
  std::vector<MeasuredInterval> recorded;
  for (std::int64_t k = 0; k < 20; ++k) {
    recorded.push_back(drawn_interval(rng, topology, kStart + k * kSecond));
    store.record(recorded.back());
  }
  REQUIRE(store.flush(kPatience));
  const std::array asked{LinkId{4}, LinkId{1}};
  const auto history = store.link_history(asked, at_second(5), at_second(15));
  REQUIRE(history);
  CHECK(history->resolution == 0s);
  REQUIRE(history->points.size() == 10);
  for (std::size_t p = 0; p < 10; ++p) {
    CHECK(history->points[p].begin == at_second(static_cast<std::int64_t>(5 + p)));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const MeasuredInterval& of = recorded[5 + p];
      const std::size_t link = asked[i].index();
      CHECK(history->points[p].mean[i] == (of.link_known[link] ? std::optional{of.link_rates[link]} : std::nullopt));
      CHECK(history->points[p].max[i] == history->points[p].mean[i]);
      CHECK(history->points[p].dropped_packets[i] == static_cast<double>(of.link_drops[link]));
    }
  }
  CHECK(!store.link_history(std::array{LinkId{6}}, at_second(0), at_second(1)));
}

TEST_CASE("means and maxima over minutes and hours are those of the intervals behind them", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  Rng rng{3, "history"};
  HistoryOptions options;
  options.queue_max = 5000;
  std::vector<MeasuredInterval> recorded;
  {
    HistoryStore store = opened(folder / "history.db", topology, options);
    for (std::int64_t second = 0; second < 2 * 3600 + 130; second += 5) {
      if (second >= 300 && second < 480) continue;  // a gap
      recorded.push_back(drawn_interval(rng, topology, kStart + second * kSecond));
      record_all(store, recorded.back());
    }
    REQUIRE(store.flush(kPatience));
    // Means are made a few at a time, in the transactions of further intervals.
    for (std::int64_t second = 0; store.counts().hours < 2 && second < 200; ++second) {
      store.record(empty_interval(topology, kStart + (7400 + second) * kSecond));
      REQUIRE(store.flush(kPatience));
    }
    CHECK(store.counts().hours == 2);
    CHECK(store.counts().minutes >= 2 * 60 - 3);
  }
  SQLite::Database database{(folder / "history.db").string(), SQLite::OPEN_READONLY};
  for (const auto& [table, period] : {std::pair{"minute", 60}, std::pair{"hour", 3600}}) {
    SQLite::Statement rows{database,
                           std::string{"SELECT begin_ns, intervals, demand_mean, demand_max, link_mean, link_max, "
                                       "link_drops FROM "}
                               .append(table)
                               .append(" WHERE begin_ns < ?")};
    rows.bind(1, kStart + 7200 * kSecond);
    std::size_t count = 0;
    while (rows.executeStep()) {
      ++count;
      const std::int64_t begin = rows.getColumn(0).getInt64(), end = begin + period * kSecond;
      CAPTURE(table, begin - kStart);
      double demand_sum = 0, demand_max = 0, link_max = 0, drops = 0;
      int intervals = 0;
      struct Known {
        int intervals = 0, known = 0;
        double sum = 0;
      };
      std::map<std::int64_t, Known> minutes;
      for (const MeasuredInterval& measured : recorded) {
        if (measured.begin_ns < begin || measured.begin_ns >= end) continue;
        ++intervals;
        const double demand = measured.matrix.at(NodeId{1}, NodeId{2}).bps();
        demand_sum += demand;
        demand_max = std::max(demand_max, demand);
        drops += static_cast<double>(measured.link_drops[3]);
        Known& minute = minutes[measured.begin_ns / (60 * kSecond)];
        ++minute.intervals;
        if (!measured.link_known[3]) continue;
        ++minute.known;
        minute.sum += measured.link_rates[3].bps();
        link_max = std::max(link_max, measured.link_rates[3].bps());
      }
      double link_sum = 0;  // an hour's mean weighs minutes by their intervals
      int weight = 0;
      for (const auto& [begin_minute, minute] : minutes) {
        if (minute.known == 0) continue;
        link_sum += minute.intervals * minute.sum / minute.known;
        weight += minute.intervals;
      }
      const auto value = [&](int column, std::size_t size, std::size_t at) {
        const SQLite::Column blob = rows.getColumn(column);
        const std::string_view bytes{static_cast<const char*>(blob.getBlob()),
                                     static_cast<std::size_t>(blob.getBytes())};
        return wan::telemetry::from_rate_blob(bytes, size).value()[at];
      };
      CHECK(rows.getColumn(1).getInt() == intervals);
      REQUIRE(weight > 0);
      CHECK(value(2, 9, 5) == Approx(demand_sum / intervals).epsilon(1e-6));
      CHECK(value(3, 9, 5) == Approx(demand_max).epsilon(1e-6));
      CHECK(value(4, 6, 3) == Approx(link_sum / weight).epsilon(1e-6));
      CHECK(value(5, 6, 3) == Approx(link_max).epsilon(1e-6));
      CHECK(value(6, 6, 3) == Approx(drops).epsilon(1e-6));
    }
    CHECK(count == (period == 60 ? 117U : 2U));
  }
}

TEST_CASE("what is older than it is kept goes, a few hundred rows at a time, but not before it is in a mean",
          "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  HistoryOptions options;
  options.keep_raw = 600s;
  options.keep_minutes = 3600s;
  options.keep_hours = 3h;
  HistoryStore store = opened(folder / "history.db", topology, options);
  for (std::int64_t second = 0; second < 5 * 3600; second += 10) {
    record_all(store, empty_interval(topology, kStart + second * kSecond));
  }
  REQUIRE(store.flush(kPatience));
  for (std::int64_t more = 0; more < 200; ++more) {  // upkeep catches up with what came in one go
    store.record(empty_interval(topology, kStart + (5 * 3600 + more) * kSecond));
    REQUIRE(store.flush(kPatience));
  }
  const auto count = [&](std::int64_t from, std::int64_t to) {
    const auto history = store.link_history(std::array{LinkId{0}}, at_second(from), at_second(to));
    REQUIRE(history);
    return std::pair{history->resolution, history->points.size()};
  };
  const auto newest = store.newest(100'000);
  REQUIRE(newest);
  CHECK(newest->intervals.front().measured_at() >= at_second(5 * 3600 + 199 - 600));
  CHECK(newest->intervals.size() == 200 + 40);
  CHECK(count(5 * 3600 - 300, 5 * 3600).first == 0s);
  const auto by_minute = count(5 * 3600 - 3000, 5 * 3600 - 1200);
  CHECK(by_minute == std::pair{std::chrono::seconds{60}, std::size_t{30}});
  const auto by_hour = count(0, 5 * 3600);
  CHECK(by_hour.first == 3600s);
  CHECK(by_hour.second == 2);  // hours 0 to 2 are gone
  CHECK(store.counts().expired > 1000);
}

TEST_CASE("a changed network finds its past by names", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology before = triangle();
  auto measured = empty_interval(before, kStart);
  measured.matrix.set(NodeId{0}, NodeId{2}, BitRate::mbps(4));  // A to C
  measured.matrix.set(NodeId{0}, NodeId{1}, BitRate::mbps(2));  // A to B
  {
    HistoryStore store = opened(folder / "history.db", before);
    store.record(measured);
    REQUIRE(store.flush(kPatience));
  }
  std::vector<wan::Node> nodes{
      {.name = "C", .location = {}}, {.name = "D", .location = {}}, {.name = "A", .location = {}}};
  wan::Link link;
  link.name = "only";
  link.from = NodeId{0};
  link.to = NodeId{2};
  link.capacity = BitRate::gbps(1);
  const auto after = Topology::make(nodes, {link});
  REQUIRE(after);
  HistoryStore store = opened(folder / "history.db", *after);
  const auto newest = store.newest(5);
  REQUIRE(newest);
  REQUIRE(newest->intervals.size() == 1);
  CHECK(newest->intervals[0].at(NodeId{2}, NodeId{0}) == BitRate::mbps(4));
  CHECK(newest->intervals[0].total() == BitRate::mbps(4));
  const auto links = store.link_history(std::array{LinkId{0}}, at_second(0), at_second(10));
  REQUIRE(links);
  CHECK(!links->points.at(0).mean[0]);
}

TEST_CASE("a file that is no history, or is in use, is refused and left alone", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  const auto error_of = [&](const std::filesystem::path& file) {
    const auto store = HistoryStore::open(file, topology, {});
    REQUIRE(!store);
    return store.error();
  };
  CHECK(error_of(folder / "absent" / "history.db").code == ErrorCode::kIo);
  std::ofstream{folder / "text"} << std::string(5000, 'x');
  CHECK(error_of(folder / "text").code == ErrorCode::kBadInput);
  SQLite::Database{(folder / "other.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
      "CREATE TABLE t (x)");
  CHECK(error_of(folder / "other.db").code == ErrorCode::kBadInput);
  const HistoryStore store = opened(folder / "history.db", topology);
  const auto in_use = error_of(folder / "history.db");
  CHECK(in_use.code == ErrorCode::kIo);
  CHECK(in_use.message.find("another program has it open") != std::string::npos);
  { const HistoryStore to_age = opened(folder / "newer.db", topology); }
  SQLite::Database{(folder / "newer.db").string(), SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 2");
  CHECK(error_of(folder / "newer.db").code == ErrorCode::kUnsupported);
}

TEST_CASE("intervals of another network are dropped and counted", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  HistoryStore store = opened(folder / "history.db", triangle());
  store.record(empty_interval(wan::test::network(2, {{0, 1}}), kStart));
  store.record(MeasuredInterval{});
  CHECK(store.counts().dropped == 2);
  CHECK(store.counts().queued == 0);
}

TEST_CASE("a file at its size limit raises the alarm, drops the newest and blocks nobody; room ends the alarm",
          "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  HistoryOptions options;
  options.bytes_max = 128 * 1024;
  options.queue_max = 50;
  options.retry = 1ms;
  Rng rng{5, "full"};
  std::int64_t second = 0;
  {
    HistoryStore store = opened(folder / "history.db", topology, options);
    while (!store.alarm() && second < 100'000) {
      store.record(drawn_interval(rng, topology, kStart + second++ * kSecond));
      (void)store.flush(kPatience);
    }
    REQUIRE(store.alarm());
    CHECK(store.alarm()->message.find("history is not recorded: ") == 0);
    const auto before = store.counts();
    for (int i = 0; i < 200; ++i) store.record(drawn_interval(rng, topology, kStart + second++ * kSecond));
    CHECK(store.counts().dropped >= before.dropped + 150);
    CHECK(holds_soon([&] { return store.counts().failures > before.failures + 3; }));  // it tries again by itself
    CHECK(store.newest(10).value().intervals.size() == 10);                            // and still answers
  }
  CHECK(integrity_of(folder / "history.db") == "ok");
  options.bytes_max = 0;
  HistoryStore store = opened(folder / "history.db", topology, options);
  store.record(drawn_interval(rng, topology, kStart + second * kSecond));
  CHECK(store.flush(kPatience));
  CHECK(!store.alarm());
}

TEST_CASE("expired rows make room in a file at its size limit", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const Topology topology = triangle();
  HistoryOptions options;
  options.bytes_max = 256 * 1024;
  options.keep_raw = 120s;
  options.keep_minutes = 120s;
  options.keep_hours = 120s;
  HistoryStore store = opened(folder / "history.db", topology, options);
  Rng rng{6, "room"};
  for (std::int64_t second = 0; second < 5000; ++second) {
    record_all(store, drawn_interval(rng, topology, kStart + second * kSecond));
  }
  CHECK(store.flush(kPatience));
  CHECK(!store.alarm());
  CHECK(store.counts().recorded == 5000);
  CHECK(std::filesystem::file_size(folder / "history.db") <= 256 * 1024);
}

namespace {

/// Runs in a child process with a disk of 300 kB of its own; the exit code says what went wrong, 0 nothing.
int record_on_a_small_disk(const std::filesystem::path& mount_point) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=300k") != 0) {
    return 77;
  }
  const Topology topology = triangle();
  HistoryOptions options;
  options.retry = 5ms;
  Rng rng{7, "disk"};
  const std::filesystem::path ballast = mount_point / "ballast";
  std::ofstream{ballast} << std::string(100'000, 'x');
  auto store = HistoryStore::open(mount_point / "history.db", topology, options);
  if (!store) return 2;
  std::int64_t second = 0;
  while (!store->alarm() && second < 100'000) {
    store->record(drawn_interval(rng, topology, kStart + second++ * kSecond));
    (void)store->flush(kPatience);
  }
  if (!store->alarm()) return 3;
  const auto on_disk = store->counts().recorded;
  std::filesystem::remove(ballast);
  if (!holds_soon([&] { return !store->alarm(); })) return 4;
  if (!store->flush(kPatience)) return 5;
  if (store->counts().recorded <= on_disk) return 6;
  const auto newest = store->newest(100'000);
  return newest && newest->intervals.size() == store->counts().recorded ? 0 : 7;
}

}  // namespace

TEST_CASE("a full disk raises the alarm, and room on it ends it", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  std::filesystem::create_directory(folder / "disk");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(record_on_a_small_disk(folder / "disk"));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    std::cout << "SKIPPED: no right to mount a small disk\n";
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("what was flushed survives kill -9 at any moment, whole", "[telemetry]") {
  const wan::test::ScratchFolder folder;
  const std::filesystem::path file = folder / "history.db";
  const Topology topology = triangle();
  std::int64_t next = 0;
  for (std::uint64_t life = 0; life < 8; ++life) {
    CAPTURE(life);
    std::array<int, 2> progress{};
    REQUIRE(::pipe(progress.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      HistoryOptions options;
      options.batch = 3;
      auto store = HistoryStore::open(file, topology, options);
      for (std::int64_t second = next; store; ++second) {
        Rng rng{static_cast<std::uint64_t>(second), "power cut"};
        store->record(drawn_interval(rng, topology, kStart + second * kSecond));
        if (second % 7 == 0 && store->flush(kPatience)) (void)!::write(progress[1], &second, sizeof(second));
      }
      ::_exit(1);
    }
    ::close(progress[1]);
    std::int64_t flushed = -1;
    for (std::uint64_t report = 0; report < 3 + 5 * life; ++report) {
      REQUIRE(::read(progress[0], &flushed, sizeof(flushed)) == sizeof(flushed));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::int64_t later = 0;
    while (::read(progress[0], &later, sizeof(later)) == sizeof(later)) flushed = later;
    ::close(progress[0]);
    CHECK(integrity_of(file) == "ok");
    HistoryStore store = opened(file, topology);
    const auto newest = store.newest(100'000);
    REQUIRE(newest);
    REQUIRE(!newest->intervals.empty());
    const auto count = static_cast<std::int64_t>(newest->intervals.size());
    CHECK(count > flushed);
    for (std::int64_t second = 0; second < count; ++second) {
      Rng rng{static_cast<std::uint64_t>(second), "power cut"};
      CHECK(newest->intervals[static_cast<std::size_t>(second)] ==
            drawn_interval(rng, topology, kStart + second * kSecond).matrix);
    }
    next = count;
  }
}
