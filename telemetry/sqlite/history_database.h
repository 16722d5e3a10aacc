#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"
#include "telemetry/sqlite/history_store.h"

namespace wan::telemetry {

/// One interval as it is written.
struct HistorySample {
  std::int64_t begin_ns = 0;
  std::string demands;  // rate blobs
  std::string links;
  std::string drops;
  std::int64_t missing_nodes = 0;
  std::int64_t censored_demands = 0;
};

/// What one step of upkeep did.
struct HistoryUpkeep {
  std::uint64_t minutes = 0, hours = 0, expired = 0;
};

/// The connection behind a HistoryStore. Each call is one transaction or none. Threads: one at a time.
class HistoryDatabase {
 public:
  [[nodiscard]] static Result<HistoryDatabase> open(const std::filesystem::path& file, const Topology& topology,
                                                    const HistoryOptions& options);
  ~HistoryDatabase();
  HistoryDatabase(HistoryDatabase&&) noexcept;
  HistoryDatabase& operator=(HistoryDatabase&&) noexcept;

  [[nodiscard]] Result<void> write(std::span<const HistorySample* const> samples);
  /// Makes a few means and deletes a few hundred rows at most.
  [[nodiscard]] Result<HistoryUpkeep> upkeep();
  [[nodiscard]] Result<TrafficSeries> newest(std::size_t intervals);
  [[nodiscard]] Result<LinkHistory> link_history(std::span<const LinkId> links, Timestamp from, Timestamp to);

 private:
  struct Impl;
  explicit HistoryDatabase(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::telemetry
