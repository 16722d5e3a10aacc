#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "core/flow_record.h"
#include "dataplane/flow_hash.h"
#include "dataplane/flow_observation.h"

namespace wan::dataplane {

struct FlowTimeouts {
  std::int64_t active_ns = 0;  ///< a flow that lasts so long gets a record and goes on; 0: never
  std::int64_t idle_ns = 0;    ///< a flow not seen for so long ends; 0: never
};

struct FlowTableCounters {
  std::uint64_t packets = 0;
  std::uint64_t flows = 0;    ///< begun; a flow that goes on after a record is not counted again
  std::uint64_t records = 0;  ///< written
  std::uint64_t evicted = 0;  ///< of them, with end kLackOfResources
};

/// Flows seen since their last record: a cache of fixed size.
///
/// Lives in memory that the caller gives and never takes more: 64 bytes a flow and 12 of index, 76 in all. A flow has
/// two buckets of eight slots, chosen by a keyed hash, so that a lookup costs at most two index lines and one entry
/// whatever an attacker sends. When no entry is free, or both buckets are full, the longest-idle flow in reach gives
/// way, flows of a single packet first; it gets its record (kLackOfResources).
///
/// Timeouts are kept exactly when a further packet comes; without one, `sweep` writes the record, at most
/// min(active, idle) and one pass of sweeps late. A record also ends, as by active timeout, before a counter overflows:
/// 2^32 - 1 packets, 2^40 bytes, 2^48 ns (78 h).
///
/// Threads: one owner. Allocates nothing after construction. The sink must not call the table.
/// Cost: see tests/bench/flow_table_bench.cpp.
class FlowTable {
 public:
  /// Gets records in batches; the span is valid during the call.
  using RecordSink = std::function<void(std::span<const FlowRecord>)>;
  static constexpr std::size_t kMemoryMin = 4096;

  /// @param memory  at least kMemoryMin bytes, zero-filled, outlives the table
  /// @param secret  drawn anew at each start from the system's source of randomness
  FlowTable(std::span<std::byte> memory, const std::array<std::uint8_t, 16>& secret, FlowTimeouts timeouts,
            RecordSink sink, FlowHash::Kind kind = FlowHash::Kind::kBest);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  /// Counts the packets, in their order; any number of them.
  void update(std::span<const FlowObservation> packets);

  /// Looks at the next `buckets_max` buckets for flows that have timed out at `now_ns`.
  void sweep(std::int64_t now_ns, std::size_t buckets_max);

  /// Writes a record for every flow (kForcedEnd), in the order of their entries, and forgets them.
  void flush();

  /// Takes over all flows and counts of another table, which is empty then: for a caller who moves to more memory.
  /// Flows that find no room here get their record.
  void take_over(FlowTable& other);

  /// Hands over records that wait for their batch to fill.
  void deliver();

  [[nodiscard]] const FlowTableCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] std::size_t capacity() const { return entries_.size(); }
  [[nodiscard]] std::size_t bucket_count() const { return buckets_.size(); }

 private:
  static constexpr std::size_t kSlots = 8;
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kRecordBatch = 64;

  /// One cache line of index. A tag is 16 bits of the hash, 0 in a free slot.
  struct alignas(64) Bucket {
    std::array<std::uint16_t, kSlots> tags;
    std::array<std::uint8_t, kSlots> ages;   ///< epoch_ when the flow was last seen
    std::array<std::uint8_t, kSlots> again;  ///< 1: seen more than once
    std::array<std::uint32_t, kSlots> entries;
  };
  static constexpr std::uint64_t kDurationMask = (std::uint64_t{1} << 48) - 1;
  /// One cache line of flow. key.zero holds the TCP flags; packets is 0 in a free entry.
  struct alignas(64) Entry {
    PackedFlowKey key;
    std::int64_t first_ns;
    std::uint32_t packets;
    std::uint32_t bytes_low;
    std::uint64_t rest;  ///< from the top: traffic class (8 bits), bytes above 2^32 (8), duration in ns (48)

    [[nodiscard]] std::int64_t duration_ns() const { return static_cast<std::int64_t>(rest & kDurationMask); }
    [[nodiscard]] std::uint64_t bytes() const { return (rest >> 48 & 0xff) << 32 | bytes_low; }
    [[nodiscard]] std::uint8_t traffic_class() const { return static_cast<std::uint8_t>(rest >> 56); }
    void set(std::uint64_t bytes, std::int64_t duration_ns, std::uint64_t traffic_class) {
      bytes_low = static_cast<std::uint32_t>(bytes);
      rest = traffic_class << 56 | (bytes >> 32 & 0xff) << 48 | static_cast<std::uint64_t>(duration_ns);
    }
  };
  static_assert(sizeof(Bucket) == 64 && sizeof(Entry) == 64);

  // Without initialisers: arrays of them live in every batch.
  struct Place {
    std::uint32_t bucket;
    std::uint32_t slot;
  };
  struct Probe {
    std::uint32_t first;
    std::uint32_t second;
    std::uint16_t tag;
  };

  [[nodiscard]] Probe probe(std::uint64_t hash) const;
  [[nodiscard]] static std::uint32_t matches(const Bucket& bucket, std::uint16_t tag);
  [[nodiscard]] static int oldest(const Bucket& bucket, std::uint8_t epoch);
  [[nodiscard]] bool find(const Probe& probe, const PackedFlowKey& key, Place& place) const;
  void update_batch(std::span<const FlowObservation> packets);
  void update_one(const FlowObservation& packet, const Probe& probe, Place guess);
  void count(Entry& entry, const FlowObservation& packet);
  void count_with_care(Entry& entry, const FlowObservation& packet);
  void begin(const FlowObservation& packet, const Probe& probe, Place guess);
  [[nodiscard]] bool is_victim(Place place) const;
  void evict(Place place);
  void forget_all();
  [[nodiscard]] std::uint32_t new_entry();
  void index(const Probe& probe, Place place, std::uint32_t entry);
  static void start(Entry& entry, const FlowObservation& packet);
  [[nodiscard]] Place free_slot(const Probe& probe);
  [[nodiscard]] bool victim(const Probe& probe, Place& place) const;
  void release(Place place);
  void write(const Entry& entry, FlowEnd end);
  void advance_epoch(std::int64_t now_ns);

  // Fixed after construction.
  FlowHash hash_;
  RecordSink sink_;
  std::span<Bucket> buckets_;
  std::span<Entry> entries_;
  std::int64_t active_ns_;
  std::int64_t idle_ns_;
  std::int64_t epoch_ns_;  ///< by time, an epoch lasts so long; 0: epochs pass by new flows alone
  std::uint64_t flows_per_epoch_;

  std::uint32_t fresh_ = 0;     ///< entries from here on were never used
  std::uint32_t free_ = kNone;  ///< head of the list of entries given back
  std::size_t used_ = 0;
  std::size_t hand_ = 0;  ///< the bucket that sweep looks at next
  std::uint8_t epoch_ = 0;
  std::int64_t epoch_began_ns_ = 0;
  bool epoch_known_ = false;
  std::uint64_t epoch_flows_ = 0;
  FlowTableCounters counters_;
  std::size_t waiting_ = 0;
  std::array<FlowRecord, kRecordBatch> records_;

  static constexpr std::uint32_t kNone = 0xffffffff;
};

}  // namespace wan::dataplane
