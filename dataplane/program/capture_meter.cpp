#include "dataplane/program/capture_meter.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "dataplane/flow_observation.h"

namespace wan::dataplane {
namespace {

constexpr std::size_t kBatch = 64;
/// How many of the table's buckets are looked at for timeouts a batch: cheap beside the packets.
constexpr std::size_t kSweepBuckets = 32;
constexpr std::int64_t kTimeMax = std::int64_t{1} << 62;

/// One pass over the capture, its times moved by `shift_ns`.
void meter_once(PcapReader& capture, std::int64_t shift_ns, GrowingFlowTable& table, CaptureCounters& totals,
                std::int64_t& first_ns) {
  std::array<CapturedFrame, kBatch> frames;
  std::array<FlowObservation, kBatch> seen;
  while (const std::size_t count = capture.read(frames)) {
    std::size_t packets = 0;
    for (const CapturedFrame& frame : std::span{frames}.first(count)) {
      const std::int64_t time_ns = std::min(frame.time_ns + shift_ns, kTimeMax);
      const PacketStatus status = observe_frame(frame.link_type, frame.bytes, time_ns, seen[packets]);
      if (status != PacketStatus::kIp) {
        ++(status == PacketStatus::kNotIp ? totals.not_ip : totals.malformed);
        continue;
      }
      first_ns = std::min(first_ns, time_ns);
      totals.last_ns = std::max(totals.last_ns, time_ns);
      totals.ip_bytes += seen[packets].ip_length;
      ++packets;
    }
    table.update(std::span{seen}.first(packets));
    table.sweep(totals.last_ns, kSweepBuckets);
    totals.packets += packets;
  }
}

}  // namespace

CaptureCounters meter_capture(PcapReader& capture, std::uint64_t repeat, GrowingFlowTable& table) {
  CaptureCounters totals;
  std::int64_t pass_ns = 0;
  std::int64_t shift_ns = 0;
  for (std::uint64_t pass = 0; pass < repeat; ++pass) {
    std::int64_t first_ns = std::numeric_limits<std::int64_t>::max();
    capture.rewind();
    meter_once(capture, shift_ns, table, totals, first_ns);
    if (pass == 0 && totals.packets > 0) pass_ns = totals.last_ns - first_ns + 1;
    shift_ns = std::min(shift_ns + pass_ns, kTimeMax);
  }
  totals.fault = capture.fault();
  table.flush();
  return totals;
}

}  // namespace wan::dataplane
