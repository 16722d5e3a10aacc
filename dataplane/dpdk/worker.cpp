#include "dataplane/dpdk/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <new>

namespace wan::dataplane {
namespace {

constexpr std::size_t kRecordQueue = 16'384;
constexpr std::size_t kSweepBuckets = 64;  // of the flow table, a turn

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count();
}

BufferNote& note_of(rte_mbuf* packet) { return *static_cast<BufferNote*>(rte_mbuf_to_priv(packet)); }

PacketBuffer view_of(rte_mbuf* packet) {
  return {.data = rte_pktmbuf_mtod(packet, std::uint8_t*),
          .length = packet->data_len,
          .headroom = rte_pktmbuf_headroom(packet),
          .tailroom = rte_pktmbuf_tailroom(packet)};
}

/// The packet buffer takes over what forwarding did to the packet's two ends.
void write_back(rte_mbuf* packet, const PacketBuffer& buffer) {
  packet->data_off = static_cast<std::uint16_t>(buffer.headroom);
  packet->data_len = static_cast<std::uint16_t>(buffer.length);
  packet->pkt_len = buffer.length;
}

/// How long to sleep when so many polls in a row found nothing: not at all at first, half a millisecond in the end.
std::chrono::microseconds pause_after(std::size_t idle_polls) {
  constexpr std::size_t kEager = 16;
  if (idle_polls < kEager) return std::chrono::microseconds{0};
  return std::chrono::microseconds{std::min<std::size_t>(500, 20 * (idle_polls - kEager + 1))};
}

}  // namespace

Worker::Worker(const WorkerSurroundings& around, std::size_t index, rte_ring* orders, const FlowCacheOptions& flows,
               const std::array<std::uint8_t, 16>& secret, std::size_t flow_memory_bytes)
    : around_{around},
      index_{index},
      orders_{orders},
      forwarder_{around.node, around.states},
      counters_{std::make_unique<WorkerCounters>()},
      records_{kRecordQueue},
      flow_memory_(std::max(flow_memory_bytes, FlowTable::kMemoryMin)),
      to_send_(around.node.ports.size()) {
  flows_ = std::make_unique<FlowTable>(
      flow_memory_, secret,
      FlowTimeouts{.active_ns = flows.active_timeout.count(), .idle_ns = flows.idle_timeout.count()},
      [this](std::span<const FlowRecord> batch) {
        for (const FlowRecord& record : batch) records_.push(record);
      });
  observed_.reserve(kBurst);
}

Worker::~Worker() = default;

void Worker::run() {
  std::size_t idle_polls = 0;
  while (!around_.stop.load(std::memory_order_relaxed)) {
    const std::int64_t now_ns = monotonic_ns();
    const std::size_t moved = poll_ports(now_ns) + carry_out_orders();
    polled_at_ns_.store(now_ns, std::memory_order_release);
    for (std::size_t port = 0; port < to_send_.size(); ++port) flush(port);
    around_.quiet.pass(index_);
    idle_polls = moved > 0 ? 0 : idle_polls + 1;
    if (const auto pause = pause_after(idle_polls); pause.count() > 0) {
      flows_->sweep(wall_clock_ns(), kSweepBuckets);
      flows_->deliver();
      flow_count_.set(flows_->size());
      const timespec time{0, static_cast<long>(pause.count()) * 1000};
      clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
    }
  }
  flows_->flush();
  flows_->deliver();
  around_.quiet.leave(index_);
}

std::size_t Worker::poll_ports(std::int64_t now_ns) {
  std::size_t moved = 0;
  const std::int64_t wall_ns = wall_clock_ns();
  for (std::size_t port = 0; port < around_.ethdevs.size(); ++port) {
    std::array<rte_mbuf*, kBurst> burst{};
    const std::uint16_t count =
        rte_eth_rx_burst(around_.ethdevs[port], static_cast<std::uint16_t>(index_), burst.data(), kBurst);
    if (count == 0) continue;
    moved += count;
    around_.heard_at_ns[port].store(now_ns, std::memory_order_release);
    auto& counted = counters_->ports[port];
    for (std::uint16_t i = 0; i < count; ++i) {
      counted.received_packets.add(1);
      counted.received_bytes.add(burst[i]->pkt_len);
      if (burst[i]->nb_segs != 1) {
        lose(burst[i], DropReason::kTooBig, {});
        continue;
      }
      const PacketBuffer frame = view_of(burst[i]);
      const HelloKind hello = parse_hello(frame.bytes());
      if (hello != HelloKind::kNone) {
        around_.hello_kind[port].store(hello, std::memory_order_relaxed);
        rte_pktmbuf_free(burst[i]);
        --moved;  // no reason to poll eagerly: an idle node gets hundreds a second
        continue;
      }
      take(burst[i], port, wall_ns);
    }
    flows_->update(observed_);
    observed_.clear();
  }
  if (moved > 0) flows_->sweep(wall_ns, kSweepBuckets);
  return moved;
}

void Worker::take(rte_mbuf* packet, std::size_t port, std::int64_t wall_ns) {
  PacketBuffer buffer = view_of(packet);
  PacketView view;
  if (!around_.node.ports[port].is_core()) {
    view = parse_ethernet(buffer.bytes());
    if (view.status == PacketStatus::kIp) observed_.push_back(observe(view, wall_ns));
  }
  const Verdict verdict = forwarder_.forward(buffer, port, view, around_.table.read(), around_.neighbors.read());
  carry_out(packet, buffer, verdict, port);
}

void Worker::carry_out(rte_mbuf* packet, const PacketBuffer& buffer, const Verdict& verdict, std::size_t in_port) {
  write_back(packet, buffer);
  count_entry(verdict);
  switch (verdict.kind) {
    case Verdict::Kind::kSend:
      send(packet, verdict);
      break;
    case Verdict::Kind::kSlowPath:
      hand_over(packet, verdict, in_port);
      break;
    case Verdict::Kind::kHello:  // of another version
    case Verdict::Kind::kDrop:
      lose(packet, verdict.kind == Verdict::Kind::kDrop ? verdict.reason : DropReason::kNotForUs, verdict);
      break;
  }
}

void Worker::count_entry(const Verdict& verdict) {
  if (!verdict.entered) return;
  auto& demand = counters_->demand(verdict.cls, verdict.egress_counter);
  demand.packets.add(1);
  demand.bytes.add(verdict.entered_bytes);
}

void Worker::send(rte_mbuf* packet, const Verdict& verdict) {
  note_of(packet).verdict = verdict;
  SendBuffer& buffer = to_send_[verdict.port];
  if (buffer.count == buffer.packets.size()) flush(verdict.port);
  buffer.packets[buffer.count++] = packet;
}

void Worker::flush(std::size_t port) {
  SendBuffer& buffer = to_send_[port];
  if (buffer.count == 0) return;
  auto& counted = counters_->ports[port];
  std::array<std::uint32_t, 2 * kBurst> sizes{};
  for (std::uint16_t i = 0; i < buffer.count; ++i) sizes[i] = buffer.packets[i]->pkt_len;
  const std::uint16_t sent =
      rte_eth_tx_burst(around_.ethdevs[port], static_cast<std::uint16_t>(index_), buffer.packets.data(), buffer.count);
  for (std::uint16_t i = 0; i < sent; ++i) {
    counted.sent_packets.add(1);
    counted.sent_bytes.add(sizes[i]);
  }
  for (std::uint16_t i = sent; i < buffer.count; ++i) {
    counted.send_drops.add(1);
    lose(buffer.packets[i], DropReason::kPortFull, note_of(buffer.packets[i]).verdict);
  }
  buffer.count = 0;
}

/// To the control thread. What it gets for an answer to the source only, is counted as lost here.
void Worker::hand_over(rte_mbuf* packet, const Verdict& verdict, std::size_t in_port) {
  const bool lost = verdict.slow == Verdict::Slow::kTtlExpired || verdict.slow == Verdict::Slow::kTooBig;
  if (lost) {
    counters_->drops[static_cast<std::size_t>(verdict.reason)].add(1);
    if (verdict.entered) counters_->demand(verdict.cls, verdict.egress_counter).dropped_packets.add(1);
  }
  BufferNote& note = note_of(packet);
  note.verdict = verdict;
  note.in_port = static_cast<std::uint16_t>(in_port);
  if (rte_ring_mp_enqueue(around_.slow, packet) == 0) return;
  if (lost) {
    rte_pktmbuf_free(packet);
  } else {
    lose(packet, DropReason::kSlowPathFull, verdict);
  }
}

void Worker::lose(rte_mbuf* packet, DropReason reason, const Verdict& verdict) {
  counters_->drops[static_cast<std::size_t>(reason)].add(1);
  if (verdict.entered) counters_->demand(verdict.cls, verdict.egress_counter).dropped_packets.add(1);
  rte_pktmbuf_free(packet);
}

std::size_t Worker::carry_out_orders() {
  if (orders_ == nullptr) return 0;
  std::size_t count = 0;
  for (void* object = nullptr; count < kBurst && rte_ring_sc_dequeue(orders_, &object) == 0; ++count) {
    auto* packet = static_cast<rte_mbuf*>(object);
    const BufferNote note = note_of(packet);
    PacketBuffer buffer = view_of(packet);
    Verdict verdict{.kind = Verdict::Kind::kSend, .port = note.port, .next_hop = {}};
    if (note.order == BufferNote::Order::kOriginate) {
      verdict = forwarder_.originate(buffer, around_.table.read(), around_.neighbors.read());
    } else if (note.order == BufferNote::Order::kResolved) {
      verdict = forwarder_.send_to(buffer, note.port, note.next_hop);
    }
    carry_out(packet, buffer, verdict, note.port);
  }
  return count;
}

}  // namespace wan::dataplane
