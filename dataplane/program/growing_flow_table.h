#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/result.h"
#include "dataplane/flow_table.h"
#include "dataplane/program/page_memory.h"

namespace wan::dataplane {

/// A flow table that moves to four times the memory when it fills, up to a limit: few flows stay within the processor's
/// caches, many still fit. For captures, where a move may take its time; a node takes all its memory at the start.
///
/// Threads: one owner. The old and the new memory together stay within the limit during a move.
class GrowingFlowTable {
 public:
  /// @error kIo: the system does not give the first piece of memory
  [[nodiscard]] static Result<GrowingFlowTable> make(std::size_t memory_bytes_max,
                                                     const std::array<std::uint8_t, 16>& secret, FlowTimeouts timeouts,
                                                     FlowTable::RecordSink sink);

  /// Counts the packets; see FlowTable::update.
  void update(std::span<const FlowObservation> packets) {
    if (table_->size() + packets.size() > fill_max_) grow();
    table_->update(packets);
  }
  void sweep(std::int64_t now_ns, std::size_t buckets_max) { table_->sweep(now_ns, buckets_max); }
  void flush() { table_->flush(); }
  [[nodiscard]] const FlowTableCounters& counters() const { return table_->counters(); }

 private:
  GrowingFlowTable(PageMemory memory, std::size_t memory_bytes_max, const std::array<std::uint8_t, 16>& secret,
                   FlowTimeouts timeouts, FlowTable::RecordSink sink);
  void grow();
  void set_fill_max();

  std::size_t memory_bytes_max_;
  std::array<std::uint8_t, 16> secret_;
  FlowTimeouts timeouts_;
  FlowTable::RecordSink sink_;
  PageMemory memory_;
  std::unique_ptr<FlowTable> table_;  ///< in memory_
  std::size_t fill_max_ = 0;          ///< flows beyond which it grows
};

}  // namespace wan::dataplane
