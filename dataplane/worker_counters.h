#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/drop_reason.h"
#include "dataplane/forwarding_table.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

/// A number that one thread adds to and others read.
class Counter {
 public:
  void add(std::uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one worker has counted since it started.
struct WorkerCounters {
  struct Port {
    Counter received_packets, received_bytes;
    Counter sent_packets, sent_bytes;
    Counter send_drops;
  };
  struct Demand {
    Counter packets, bytes, dropped_packets;
  };

  std::array<Port, NodeFacts::kPortsMax> ports;
  std::array<Counter, kDropReasonCount> drops;
  /// By class x `kEgressesMax` + egress counter.
  std::vector<Demand> demands{kClassesMax * kEgressesMax};

  [[nodiscard]] Demand& demand(std::size_t cls, std::size_t egress) { return demands[cls * kEgressesMax + egress]; }
};

}  // namespace wan::dataplane
