#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "telemetry/matrix_builder.h"

namespace wan::telemetry {

struct HistoryOptions {
  std::size_t class_count = 1;
  std::chrono::seconds keep_raw = std::chrono::hours{24 * 7};
  std::chrono::seconds keep_minutes = std::chrono::hours{24 * 90};
  std::chrono::seconds keep_hours = std::chrono::hours{24 * 1095};
  std::uint64_t bytes_max = 0;  ///< of the database file; 0: as the disk allows. Reaching it is like a full disk.
  std::size_t queue_max = 120;  ///< intervals that wait to be written; beyond, the newest is dropped
  std::size_t batch = 10;       ///< intervals that make a transaction at once ...
  std::chrono::milliseconds batch_delay{5000};  ///< ... and how long fewer of them wait for more
  std::chrono::milliseconds retry{60'000};      ///< after a write that failed
};

/// What became of the intervals; each number but `queued` only rises.
struct HistoryCounts {
  std::uint64_t recorded = 0;  ///< on disk
  std::uint64_t dropped = 0;   ///< the queue was full, or the interval not of this network
  std::uint64_t failures = 0;  ///< transactions that did not succeed
  std::uint64_t queued = 0;    ///< wait to be written
  std::uint64_t minutes = 0;   ///< means made of raw intervals since the store was opened ...
  std::uint64_t hours = 0;     ///< ... and of minutes
  std::uint64_t expired = 0;   ///< rows deleted because they were older than they are kept
  bool operator==(const HistoryCounts&) const = default;
};

/// Rates of some links over time.
struct LinkHistory {
  struct Point {
    Timestamp begin;
    std::vector<std::optional<BitRate>> mean;  ///< by link asked for; nothing where nobody counted it
    std::vector<std::optional<BitRate>> max;   ///< of the intervals behind a point; of one interval, its mean
    std::vector<double> dropped_packets;       ///< in all of them
  };
  std::chrono::seconds resolution{0};  ///< of a point: 60, 3600, or 0 for intervals as they were measured
  std::vector<Point> points;           ///< times increasing
};

/// The measured past of one network in an SQLite file: intervals as they were, then their means and maxima over a
/// minute, then over an hour. docs/formats/history.md describes the tables.
///
/// One thread of its own holds the only connection and the only lock on the file; queries are answered by it between
/// two transactions. A transaction also makes a few means and deletes a few hundred expired rows, so that its length is
/// bounded. A write that fails (a full disk) raises an alarm; intervals then queue up to `queue_max`, and the write is
/// tried again every `retry`, on a fresh connection. "Now" is the newest interval: no clock decides what has expired.
/// Threads: any. Nothing throws. `record` never waits for the disk.
class HistoryStore {
 public:
  static constexpr std::size_t kPointsMax = 3600;        ///< of one answer
  static constexpr std::size_t kIntervalsMax = 100'000;  ///< likewise, of `newest`

  /// Opens or makes the file. The network may have changed since it was last open: values are found again by the names
  /// of nodes and links.
  /// @error kIo: cannot be opened, or another process has it open; kBadInput: not a history; kUnsupported: of a newer
  ///        version
  [[nodiscard]] static Result<HistoryStore> open(const std::filesystem::path& file, const Topology& topology,
                                                 const HistoryOptions& options);
  /// Writes what is queued, in one attempt.
  ~HistoryStore();
  HistoryStore(HistoryStore&&) noexcept;
  HistoryStore& operator=(HistoryStore&&) noexcept;

  /// Puts an interval into the queue. One of the same begin is replaced.
  void record(const MeasuredInterval& measured);
  /// Waits until all that was recorded is on disk.
  /// @return  false: not within `limit`, or writing fails
  bool flush(std::chrono::milliseconds limit);

  /// The newest intervals on disk, oldest first, as matrices of this network.
  /// @error kIo: cannot be read, or no answer within 10 s
  [[nodiscard]] Result<TrafficSeries> newest(std::size_t intervals);
  /// Rates from `from` until before `to`, at the finest resolution that is still kept for `from` and needs no more
  /// than kPointsMax points.
  /// @error kIo: cannot be read, or no answer within 10 s; kNotFound: a link that the network does not have
  [[nodiscard]] Result<LinkHistory> link_history(std::span<const LinkId> links, Timestamp from, Timestamp to);

  [[nodiscard]] HistoryCounts counts() const;
  /// Why nothing is being recorded; nothing when all is well.
  [[nodiscard]] std::optional<Error> alarm() const;

 private:
  struct Impl;
  explicit HistoryStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::telemetry
