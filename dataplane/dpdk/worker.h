#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/flow_table.h"
#include "dataplane/forwarder.h"
#include "dataplane/published.h"
#include "dataplane/spsc_queue.h"
#include "dataplane/worker_counters.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace wan::dataplane {

/// What travels with a packet buffer between a worker and the control thread; lies in the buffer's private area.
struct BufferNote {
  enum class Order : std::uint8_t { kFrame, kOriginate, kResolved };
  Verdict verdict;  ///< worker to control thread
  std::uint16_t in_port = 0;
  Order order = Order::kFrame;  ///< control thread to worker
  std::uint16_t port = 0;
  MacAddress next_hop{};
};

/// What all workers of an engine share. Fixed after construction, but for what synchronises itself.
struct WorkerSurroundings {
  const NodeFacts& node;
  const PortStates& states;
  const std::vector<std::uint16_t>& ethdevs;  ///< DPDK's port numbers, by port of the node
  const Published<ForwardingTable>& table;
  const Published<NeighborTable>& neighbors;
  QuietPoints& quiet;
  rte_ring* slow;                                                            ///< to the control thread
  std::array<std::atomic<std::int64_t>, NodeFacts::kPortsMax>& heard_at_ns;  ///< the newest frame of any kind
  std::array<std::atomic<HelloKind>, NodeFacts::kPortsMax>& hello_kind;
  const std::atomic<bool>& stop;
};

/// One polling loop over its queue of every port.
class Worker {
 public:
  /// @param orders  from the control thread; null for all workers but one
  Worker(const WorkerSurroundings& around, std::size_t index, rte_ring* orders, const FlowCacheOptions& flows,
         const std::array<std::uint8_t, 16>& secret, std::size_t flow_memory_bytes);
  ~Worker();

  /// Runs until told to stop; then ends all flows.
  void run();

  [[nodiscard]] WorkerCounters& counters() { return *counters_; }
  [[nodiscard]] SpscQueue<FlowRecord>& records() { return records_; }
  [[nodiscard]] std::uint64_t flow_count() const { return flow_count_.read_value(); }
  /// The start of the last poll that is over (monotonic): of what had come by then, at least something was seen.
  [[nodiscard]] std::int64_t polled_at_ns() const { return polled_at_ns_.load(std::memory_order_acquire); }

 private:
  static constexpr std::uint16_t kBurst = 32;
  struct SendBuffer {
    std::array<rte_mbuf*, 2 * kBurst> packets{};
    std::uint16_t count = 0;
  };
  /// A number that this worker sets and others read.
  class Gauge {
   public:
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t read_value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };

  [[nodiscard]] std::size_t poll_ports(std::int64_t now_ns);
  [[nodiscard]] std::size_t carry_out_orders();
  void take(rte_mbuf* packet, std::size_t port, std::int64_t wall_ns);
  void carry_out(rte_mbuf* packet, const PacketBuffer& buffer, const Verdict& verdict, std::size_t in_port);
  void send(rte_mbuf* packet, const Verdict& verdict);
  void hand_over(rte_mbuf* packet, const Verdict& verdict, std::size_t in_port);
  void flush(std::size_t port);
  void lose(rte_mbuf* packet, DropReason reason, const Verdict& verdict);
  void count_entry(const Verdict& verdict);

  const WorkerSurroundings& around_;
  std::size_t index_;
  rte_ring* orders_;
  Forwarder forwarder_;
  std::unique_ptr<WorkerCounters> counters_;
  SpscQueue<FlowRecord> records_;
  std::vector<std::byte> flow_memory_;
  std::unique_ptr<FlowTable> flows_;
  std::vector<FlowObservation> observed_;
  std::vector<SendBuffer> to_send_;  // by port
  Gauge flow_count_;
  std::atomic<std::int64_t> polled_at_ns_{0};
};

}  // namespace wan::dataplane
