#include "telemetry/sqlite/history_store.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <limits>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "telemetry/sqlite/history_database.h"
#include "telemetry/sqlite/rate_blob.h"

namespace wan::telemetry {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerLimit{10};

HistorySample sample_of(const MeasuredInterval& measured) {
  std::vector<double> links(measured.link_rates.size()), drops(measured.link_rates.size());
  for (std::size_t l = 0; l < links.size(); ++l) {
    links[l] = measured.link_known[l] ? measured.link_rates[l].bps() : std::nan("");
    drops[l] = static_cast<double>(measured.link_drops[l]);
  }
  return {.begin_ns = measured.begin_ns,
          .demands = to_rate_blob(measured.matrix.bps()),
          .links = to_rate_blob(links),
          .drops = to_rate_blob(drops),
          .missing_nodes = static_cast<std::int64_t>(measured.missing.size()),
          .censored_demands = static_cast<std::int64_t>(measured.censored.size())};
}

}  // namespace

struct HistoryStore::Impl {
  Impl(std::filesystem::path path, Topology network, const HistoryOptions& given, HistoryDatabase opened)
      : file{std::move(path)}, topology{std::move(network)}, options{given}, database{std::move(opened)} {}

  // Fixed after construction.
  const std::filesystem::path file;
  const Topology topology;
  const HistoryOptions options;

  // Writer's thread only.
  std::optional<HistoryDatabase> database;  // nothing: lost after a failure, to be opened again

  // Guarded by mutex.
  mutable std::mutex mutex;
  std::condition_variable_any work, settled;
  std::deque<HistorySample> queue;  // the writer alone takes from its front
  std::deque<std::function<void()>> questions;
  std::optional<steady_clock::time_point> oldest_queued;
  std::optional<steady_clock::time_point> retry_at;  // set while writing fails
  bool hurry = false;                                // somebody waits in flush()
  HistoryCounts counts;
  std::optional<Error> alarm;

  std::jthread writer;  // last: it uses all of the above

  void run(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock{mutex};
      wait_for_work(lock, stop);
      auto asked = std::exchange(questions, {});
      const bool stopping = stop.stop_requested();  // asked once: who stops has its queue written first
      const bool write_now = write_is_due(stopping);
      lock.unlock();
      for (const auto& question : asked) question();
      if (write_now) write_queue();
      if (stopping) return;
    }
  }

  /// With the mutex held.
  [[nodiscard]] bool write_is_due(bool stopping) const {
    if (queue.empty()) return false;
    if (stopping) return true;
    const auto now = steady_clock::now();
    if (retry_at) return now >= *retry_at;
    return hurry || queue.size() >= options.batch || now >= *oldest_queued + options.batch_delay;
  }
  void wait_for_work(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    while (!stop.stop_requested() && questions.empty() && !write_is_due(false)) {
      if (queue.empty()) {
        work.wait(lock, stop, [&] { return !questions.empty() || !queue.empty(); });
        continue;
      }
      const auto due = retry_at ? *retry_at : *oldest_queued + options.batch_delay;
      const bool failing = retry_at.has_value();
      work.wait_until(lock, stop, due, [&] { return !questions.empty() || (!failing && write_is_due(false)); });
    }
  }

  /// One transaction for all that waits, then upkeep.
  void write_queue() {
    std::vector<const HistorySample*> batch;
    {
      const std::scoped_lock lock{mutex};
      for (const HistorySample& sample : queue) batch.push_back(&sample);  // others only add behind them
    }
    const Result<HistoryUpkeep> done = write_and_keep_up(batch);
    const std::scoped_lock lock{mutex};
    if (done) {
      finish_batch(batch.size(), *done);
    } else {
      ++counts.failures;
      alarm = Error{done.error().code, std::string{"history is not recorded: "}.append(done.error().message)};
      retry_at = steady_clock::now() + options.retry;
    }
    hurry = false;
    settled.notify_all();
  }

  Result<HistoryUpkeep> write_and_keep_up(std::span<const HistorySample* const> batch) {
    if (!database) {
      auto again = HistoryDatabase::open(file, topology, options);
      if (!again) return tl::unexpected{again.error()};
      database.emplace(*std::move(again));
    }
    if (auto written = database->write(batch); !written) {
      (void)database->upkeep();  // what has expired may be all the room that is missing
      database.reset();
      return tl::unexpected{written.error()};
    }
    auto upkeep = database->upkeep();
    return upkeep ? *upkeep : HistoryUpkeep{};  // it will be tried again; what was measured is safe
  }

  /// With the mutex held.
  void finish_batch(std::size_t size, const HistoryUpkeep& upkeep) {
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(size));
    if (!queue.empty()) oldest_queued = steady_clock::now();
    retry_at.reset();
    alarm.reset();
    counts.recorded += size;
    counts.minutes += upkeep.minutes;
    counts.hours += upkeep.hours;
    counts.expired += upkeep.expired;
  }

  /// Has the writer's thread answer, between two transactions.
  template <typename T>
  Result<T> ask(std::function<Result<T>(HistoryDatabase&)> question) {
    const auto answer = std::make_shared<std::promise<Result<T>>>();  // shared: the asker may have given up
    auto future = answer->get_future();
    {
      const std::scoped_lock lock{mutex};
      questions.emplace_back([this, answer, question = std::move(question)] {
        if (!database) {
          auto again = HistoryDatabase::open(file, topology, options);
          if (again) database.emplace(*std::move(again));
          if (!again) return answer->set_value(tl::unexpected{again.error()});
        }
        answer->set_value(question(*database));
      });
      work.notify_all();
    }
    if (future.wait_for(kAnswerLimit) != std::future_status::ready) {
      return fail(ErrorCode::kIo, file.string() + ": no answer within 10 s");
    }
    return future.get();
  }
};

HistoryStore::HistoryStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
HistoryStore::~HistoryStore() = default;
HistoryStore::HistoryStore(HistoryStore&&) noexcept = default;
HistoryStore& HistoryStore::operator=(HistoryStore&&) noexcept = default;

Result<HistoryStore> HistoryStore::open(const std::filesystem::path& file, const Topology& topology,
                                        const HistoryOptions& options) {
  auto database = HistoryDatabase::open(file, topology, options);
  if (!database) return tl::unexpected{database.error()};
  try {
    auto impl = std::make_unique<Impl>(file, topology, options, *std::move(database));
    impl->writer = std::jthread{[at = impl.get()](const std::stop_token& stop) { at->run(stop); }};
    return HistoryStore{std::move(impl)};
  } catch (const std::exception& failure) {  // no thread to be had
    return fail(ErrorCode::kInternal, failure.what());
  }
}

void HistoryStore::record(const MeasuredInterval& measured) {
  Impl& at = *impl_;
  const bool ours = measured.matrix.node_count() == at.topology.node_count() &&
                    measured.matrix.class_count() == at.options.class_count &&
                    measured.link_rates.size() == at.topology.link_count() &&
                    measured.link_known.size() == at.topology.link_count() &&
                    measured.link_drops.size() == at.topology.link_count();
  try {
    std::optional<HistorySample> sample;
    if (ours) sample = sample_of(measured);
    const std::scoped_lock lock{at.mutex};
    if (sample && at.queue.size() < at.options.queue_max) {
      at.queue.push_back(*std::move(sample));
      if (at.queue.size() == 1) at.oldest_queued = steady_clock::now();
      at.work.notify_all();
      return;
    }
  } catch (const std::exception&) {  // no memory: dropped as well
  }
  const std::scoped_lock lock{at.mutex};
  ++at.counts.dropped;
}

bool HistoryStore::flush(std::chrono::milliseconds limit) {
  Impl& at = *impl_;
  std::unique_lock lock{at.mutex};
  const auto until = steady_clock::now() + limit;
  while (!at.queue.empty() && !at.retry_at) {
    at.hurry = true;
    at.work.notify_all();
    if (at.settled.wait_until(lock, until) == std::cv_status::timeout) break;
  }
  return at.queue.empty();
}

Result<TrafficSeries> HistoryStore::newest(std::size_t intervals) {
  return impl_->ask<TrafficSeries>([intervals](HistoryDatabase& database) { return database.newest(intervals); });
}

Result<LinkHistory> HistoryStore::link_history(std::span<const LinkId> links, Timestamp from, Timestamp to) {
  return impl_->ask<LinkHistory>([own = std::vector(links.begin(), links.end()), from, to](HistoryDatabase& database) {
    return database.link_history(own, from, to);
  });
}

HistoryCounts HistoryStore::counts() const {
  const std::scoped_lock lock{impl_->mutex};
  HistoryCounts counts = impl_->counts;
  counts.queued = impl_->queue.size();
  return counts;
}

std::optional<Error> HistoryStore::alarm() const {
  const std::scoped_lock lock{impl_->mutex};
  return impl_->alarm;
}

}  // namespace wan::telemetry
