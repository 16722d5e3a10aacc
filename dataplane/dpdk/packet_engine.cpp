#include "dataplane/dpdk/packet_engine.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_thread.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <thread>

#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/port.h"
#include "dataplane/dpdk/worker.h"

namespace wan::dataplane {
namespace {

constexpr unsigned kSlowQueue = 1024;  // packets for the control thread, and as many orders from it
constexpr unsigned kCache = 64;        // packet buffers a worker keeps for itself

struct MempoolDeleter {
  void operator()(rte_mempool* pool) const noexcept { rte_mempool_free(pool); }
};
struct RingDeleter {
  void operator()(rte_ring* ring) const noexcept { rte_ring_free(ring); }
};

BufferNote& note_of(rte_mbuf* packet) { return *static_cast<BufferNote*>(rte_mbuf_to_priv(packet)); }
rte_mbuf* buffer_of(HeldPacket packet) { return static_cast<rte_mbuf*>(packet.buffer()); }

}  // namespace

struct PacketEngine::Impl {
  Impl(const EngineOptions& options, NodeFacts& node_facts, const PortStates& states,
       std::unique_ptr<const ForwardingTable> first, std::unique_ptr<const NeighborTable> known)
      : node{node_facts},
        quiet{options.workers},
        table{std::move(first)},
        neighbors{std::move(known)},
        around{node, states, ethdevs, table, neighbors, quiet, nullptr, heard_at_ns, hello_kind, stop} {}

  ~Impl() {
    stop_workers();
    for (const std::uint16_t port : ethdevs) {
      rte_eth_dev_stop(port);
      rte_eth_dev_close(port);
    }
    for (rte_ring* ring : {slow.get(), orders.get()}) {
      for (void* packet = nullptr; ring != nullptr && rte_ring_dequeue(ring, &packet) == 0;) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
      }
    }
  }

  Result<void> open(const EngineOptions& options);
  void run_workers(const EngineOptions& options);
  void stop_workers() {
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
  /// A packet buffer with these bytes for a worker to carry out an order on.
  void order(std::span<const std::uint8_t> bytes, BufferNote::Order what, std::size_t port) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pool.get());
    char* room = packet == nullptr ? nullptr : rte_pktmbuf_append(packet, static_cast<std::uint16_t>(bytes.size()));
    if (room == nullptr) {
      rte_pktmbuf_free(packet);
      drop(DropReason::kNoMemory);
      return;
    }
    std::memcpy(room, bytes.data(), bytes.size());
    hand(packet, what, port, {});
  }
  void hand(rte_mbuf* packet, BufferNote::Order what, std::size_t port, const MacAddress& next_hop) {
    BufferNote& note = note_of(packet);
    note.order = what;
    note.port = static_cast<std::uint16_t>(port);
    note.next_hop = next_hop;
    if (rte_ring_sp_enqueue(orders.get(), packet) == 0) return;
    rte_pktmbuf_free(packet);
    drop(DropReason::kSlowPathFull);
  }
  void drop(DropReason reason) { control_drops.drops[static_cast<std::size_t>(reason)].add(1); }

  // Fixed once `open` is done.
  NodeFacts& node;
  std::vector<std::uint16_t> ethdevs;
  std::unique_ptr<rte_mempool, MempoolDeleter> pool;
  std::unique_ptr<rte_ring, RingDeleter> slow;    // workers -> control thread
  std::unique_ptr<rte_ring, RingDeleter> orders;  // control thread -> the first worker

  QuietPoints quiet;
  Published<ForwardingTable> table;
  Published<NeighborTable> neighbors;
  std::array<std::atomic<std::int64_t>, NodeFacts::kPortsMax> heard_at_ns{};
  std::array<std::atomic<HelloKind>, NodeFacts::kPortsMax> hello_kind{};
  std::atomic<bool> stop{false};
  WorkerSurroundings around;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  WorkerCounters control_drops;  // what the control thread gave up
};

Result<void> PacketEngine::Impl::open(const EngineOptions& options) {
  std::vector<DeviceArgument> devices;
  std::vector<std::string> arguments;
  bool pci = false;
  std::uint32_t mtu_max = 1500;
  for (std::size_t port = 0; port < options.devices.size(); ++port) {
    devices.push_back(device_argument(options.devices[port], port, node.ports[port].mtu, options.workers));
    arguments.push_back(devices.back().argument);
    pci = pci || options.devices[port].kind == PortDevice::Kind::kPci;
    mtu_max = std::max(mtu_max, node.ports[port].mtu);
  }
  if (auto started = start_eal(arguments, options.memory_mib, options.huge_pages, pci); !started) return started;

  // AF_PACKET wants room for a whole frame of its ring.
  const std::uint32_t room = std::bit_ceil(frame_bytes(mtu_max) + 128) + RTE_PKTMBUF_HEADROOM;
  const std::size_t buffers = std::max<std::size_t>(1024, (options.memory_mib << 20) * 6 / 10 / (room + 512));
  pool.reset(
      rte_pktmbuf_pool_create("packets", static_cast<unsigned>(buffers), kCache,
                              static_cast<std::uint16_t>(RTE_ALIGN_CEIL(sizeof(BufferNote), RTE_MBUF_PRIV_ALIGN)),
                              static_cast<std::uint16_t>(room), 0));
  if (!pool) {
    return fail(ErrorCode::kIo, "no memory for " + std::to_string(buffers) +
                                    " packet buffers; raise 'memory' in the configuration: " + rte_strerror(rte_errno));
  }
  slow.reset(rte_ring_create("slow", kSlowQueue, 0, RING_F_SC_DEQ));
  orders.reset(rte_ring_create("orders", kSlowQueue, 0, RING_F_SP_ENQ | RING_F_SC_DEQ));
  if (!slow || !orders) return fail(ErrorCode::kIo, "no memory for the control queues; raise 'memory'");
  around.slow = slow.get();
  for (std::size_t port = 0; port < devices.size(); ++port) {
    const auto opened = open_port(devices[port].name, options.workers, pool.get(), node.ports[port].mac);
    if (!opened) {
      return fail(ErrorCode::kIo, "port " + node.ports[port].name + " (" + options.devices[port].device +
                                      ") cannot be opened: " + opened.error().message);
    }
    ethdevs.push_back(*opened);
  }
  lift_send_limits();
  return {};
}

void PacketEngine::Impl::run_workers(const EngineOptions& options) {
  std::array<std::uint8_t, 16> secret{};
  if (getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
    std::memcpy(secret.data(), &time, sizeof time);
  }
  for (std::size_t i = 0; i < options.workers; ++i) {
    workers.push_back(std::make_unique<Worker>(around, i, i == 0 ? orders.get() : nullptr, options.flows, secret,
                                               options.flows.memory_bytes / options.workers));
  }
  for (auto& worker : workers) {
    threads.emplace_back([&worker] {
      prctl(PR_SET_TIMERSLACK, 1UL);  // sleeps last as long as asked, not 50 us longer
      const bool registered = rte_thread_register() == 0;
      worker->run();
      if (registered) rte_thread_unregister();
    });
  }
}

PacketEngine::PacketEngine(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
PacketEngine::~PacketEngine() = default;

Result<std::unique_ptr<PacketEngine>> PacketEngine::start(const EngineOptions& options, NodeFacts& node,
                                                          const PortStates& ports,
                                                          std::unique_ptr<const ForwardingTable> first,
                                                          std::unique_ptr<const NeighborTable> known) {
  auto impl = std::make_unique<Impl>(options, node, ports, std::move(first), std::move(known));
  if (auto opened = impl->open(options); !opened) return tl::unexpected<Error>{opened.error()};
  impl->run_workers(options);
  return std::unique_ptr<PacketEngine>{new PacketEngine{std::move(impl)}};
}

void PacketEngine::install(std::unique_ptr<const ForwardingTable> table) {
  impl_->table.replace(std::move(table), impl_->quiet);
}

void PacketEngine::publish(std::unique_ptr<const NeighborTable> neighbors) {
  impl_->neighbors.replace(std::move(neighbors), impl_->quiet);
}

const ForwardingTable& PacketEngine::table() const { return impl_->table.read(); }

std::optional<PacketEngine::Slow> PacketEngine::next_slow() {
  void* object = nullptr;
  if (rte_ring_sc_dequeue(impl_->slow.get(), &object) != 0) return std::nullopt;
  auto* packet = static_cast<rte_mbuf*>(object);
  const BufferNote& note = note_of(packet);
  return Slow{HeldPacket{packet},
              note.in_port,
              note.verdict,
              {rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len}};
}

void PacketEngine::discard(HeldPacket packet) { rte_pktmbuf_free(buffer_of(packet)); }

void PacketEngine::discard(HeldPacket packet, DropReason reason) {
  impl_->drop(reason);
  const Verdict& verdict = note_of(buffer_of(packet)).verdict;
  if (verdict.entered) impl_->control_drops.demand(verdict.cls, verdict.egress_counter).dropped_packets.add(1);
  discard(packet);
}

void PacketEngine::send_resolved(HeldPacket packet, std::size_t port, const MacAddress& next_hop) {
  impl_->hand(buffer_of(packet), BufferNote::Order::kResolved, port, next_hop);
}

void PacketEngine::send_frame(std::size_t port, std::span<const std::uint8_t> frame) {
  impl_->order(frame, BufferNote::Order::kFrame, port);
}

void PacketEngine::originate(std::span<const std::uint8_t> packet) {
  impl_->order(packet, BufferNote::Order::kOriginate, 0);
}

PacketEngine::HelloSeen PacketEngine::hello_seen(std::size_t port) const {
  const std::int64_t at = impl_->heard_at_ns[port].load(std::memory_order_acquire);
  return {impl_->hello_kind[port].load(std::memory_order_relaxed), Duration{at}};
}

Duration PacketEngine::polled_at() const {
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
  for (const auto& worker : impl_->workers) oldest = std::min(oldest, worker->polled_at_ns());
  return Duration{oldest};
}

std::size_t PacketEngine::counter_sets() const { return impl_->workers.size() + 1; }
WorkerCounters& PacketEngine::counters(std::size_t set) {
  return set < impl_->workers.size() ? impl_->workers[set]->counters() : impl_->control_drops;
}

std::uint64_t PacketEngine::receive_errors(std::size_t port) const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(impl_->ethdevs[port], &stats) != 0) return 0;
  return stats.imissed + stats.ierrors + stats.rx_nombuf;
}

std::vector<FlowRecord> PacketEngine::take_flow_records() {
  std::vector<FlowRecord> records;
  for (auto& worker : impl_->workers) {
    for (FlowRecord record; worker->records().pop(record);) records.push_back(record);
  }
  return records;
}

std::uint64_t PacketEngine::flow_records_lost() const {
  std::uint64_t lost = 0;
  for (const auto& worker : impl_->workers) lost += worker->records().lost();
  return lost;
}

std::uint64_t PacketEngine::flow_count() const {
  std::uint64_t count = 0;
  for (const auto& worker : impl_->workers) count += worker->flow_count();
  return count;
}

void PacketEngine::stop_workers() { impl_->stop_workers(); }

}  // namespace wan::dataplane
