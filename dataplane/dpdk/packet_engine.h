#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/flow_record.h"
#include "core/result.h"
#include "core/units.h"
#include "dataplane/forwarder.h"
#include "dataplane/forwarding_table.h"
#include "dataplane/hello.h"
#include "dataplane/neighbor_table.h"
#include "dataplane/node_facts.h"
#include "dataplane/worker_counters.h"

namespace wan::dataplane {

/// What a port runs on.
struct PortDevice {
  enum class Kind { kKernel, kVirtual, kPci };
  Kind kind = Kind::kKernel;
  std::string device;  ///< kKernel: interface name; kVirtual: DPDK's name and arguments; kPci: address
};

struct FlowCacheOptions {
  std::size_t memory_bytes = std::size_t{32} << 20;  ///< of all workers together
  Duration active_timeout{std::chrono::seconds{60}};
  Duration idle_timeout{std::chrono::seconds{15}};
};

struct EngineOptions {
  std::vector<PortDevice> devices;  ///< by port of the node
  std::size_t workers = 1;
  std::size_t memory_mib = 64;
  bool huge_pages = false;
  FlowCacheOptions flows;
};

/// A packet on its way through the control thread; its owner gives it back to the engine one way or the other.
class HeldPacket {
 public:
  explicit HeldPacket(void* buffer) : buffer_{buffer} {}
  [[nodiscard]] void* buffer() const { return buffer_; }

 private:
  void* buffer_;
};

/// Ports, packet buffers and polling workers: the packet path at work.
///
/// Each worker takes bursts from its own queue of every port, asks the `Forwarder` and sends; an idle worker sleeps,
/// longer the longer nothing comes, half a millisecond at most. What a worker cannot settle goes to the control thread
/// through a bounded queue that drops the newest.
/// Threads: `start` and all other calls by one control thread; the workers are its own.
class PacketEngine {
 public:
  /// Opens the ports and starts polling.
  /// @param node   MAC addresses of its ports are filled in; it and `ports` outlive the engine
  /// @param first, known  the tables to begin with
  /// @error kIo, kBadInput: what the system or DPDK refused, and what to do
  [[nodiscard]] static Result<std::unique_ptr<PacketEngine>> start(const EngineOptions& options, NodeFacts& node,
                                                                   const PortStates& ports,
                                                                   std::unique_ptr<const ForwardingTable> first,
                                                                   std::unique_ptr<const NeighborTable> known);
  ~PacketEngine();
  PacketEngine(const PacketEngine&) = delete;
  PacketEngine& operator=(const PacketEngine&) = delete;

  /// Replaces the table; returns when no worker uses the one before any more.
  void install(std::unique_ptr<const ForwardingTable> table);
  void publish(std::unique_ptr<const NeighborTable> neighbors);
  [[nodiscard]] const ForwardingTable& table() const;

  /// The next packet for the control thread; what it is about is in `verdict`.
  struct Slow {
    HeldPacket packet;
    std::size_t in_port = 0;
    Verdict verdict;
    std::span<const std::uint8_t> bytes;  ///< as the verdict says
  };
  [[nodiscard]] std::optional<Slow> next_slow();
  void discard(HeldPacket packet);
  void discard(HeldPacket packet, DropReason reason);
  /// An IP packet whose next hop is known now.
  void send_resolved(HeldPacket packet, std::size_t port, const MacAddress& next_hop);
  /// A whole frame of the node's own.
  void send_frame(std::size_t port, std::span<const std::uint8_t> frame);
  /// An IP packet of the node's own, to wherever it belongs.
  void originate(std::span<const std::uint8_t> packet);

  /// The newest hello of a port, and when the newest frame came (monotonic, as `SteadyClock`). A frame of any kind is a
  /// sign of life: on a full link hellos are lost among the others.
  struct HelloSeen {
    HelloKind kind = HelloKind::kNone;
    Duration at{0};
  };
  [[nodiscard]] HelloSeen hello_seen(std::size_t port) const;
  /// When the worker that is furthest behind last looked at its queues (monotonic). Later frames may wait there unseen.
  [[nodiscard]] Duration polled_at() const;

  /// Since the start: one set for each worker and one for the control thread.
  [[nodiscard]] std::size_t counter_sets() const;
  [[nodiscard]] WorkerCounters& counters(std::size_t set);
  /// The port's own view: packets that its driver lost or could not read.
  [[nodiscard]] std::uint64_t receive_errors(std::size_t port) const;

  /// Flow records that ended since the last call; bounded, what does not fit is lost and counted.
  [[nodiscard]] std::vector<FlowRecord> take_flow_records();
  [[nodiscard]] std::uint64_t flow_records_lost() const;
  [[nodiscard]] std::uint64_t flow_count() const;
  /// Ends all flows into records: for the last export.
  void stop_workers();

 private:
  struct Impl;
  explicit PacketEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::dataplane
