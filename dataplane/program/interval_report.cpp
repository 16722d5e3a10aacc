#include "dataplane/program/interval_report.h"

#include <algorithm>
#include <utility>

namespace wan::dataplane {

IntervalReporter::IntervalReporter(const NodeFacts& node, NodeIdentity identity, Duration interval, std::int64_t now_ns)
    : node_{node},
      identity_{std::move(identity)},
      interval_ns_{interval.count()},
      begins_ns_{now_ns},
      ends_ns_{(now_ns / interval_ns_ + 1) * interval_ns_},
      demands_(kClassesMax * kEgressesMax),
      ports_(node.ports.size()),
      drops_(kDropReasonCount) {}

std::uint64_t IntervalReporter::growth(std::uint64_t now, std::uint64_t& before) {
  const std::uint64_t last = std::exchange(before, now);
  return now > last ? now - last : 0;
}

bool IntervalReporter::is_due(std::int64_t now_ns) {
  if (now_ns < ends_ns_ - 2 * interval_ns_) {
    ends_ns_ = (now_ns / interval_ns_ + 1) * interval_ns_;
    begins_ns_ = ends_ns_ - interval_ns_;
  }
  return now_ns >= ends_ns_;
}

IntervalReport IntervalReporter::close(const std::vector<WorkerCounters*>& sets,
                                       const std::vector<std::string>& egress_names, const Extras& extras,
                                       std::int64_t now_ns) {
  constexpr std::int64_t kHour = Duration{std::chrono::hours{1}}.count();
  ends_ns_ = std::max(ends_ns_, now_ns / interval_ns_ * interval_ns_);
  begins_ns_ = std::max(begins_ns_, ends_ns_ - kHour);
  IntervalReport report{.node = identity_,
                        .sequence = sequence_++,
                        .begin_ns = begins_ns_,
                        .end_ns = ends_ns_,
                        .program_epoch = extras.program_epoch,
                        .demands = {},
                        .ports = {},
                        .drops = {},
                        .flows = extras.flows};
  for (std::size_t cls = 0; cls < kClassesMax; ++cls) {
    for (std::size_t egress = 0; egress < egress_names.size(); ++egress) {
      DemandTotals now;
      for (WorkerCounters* set : sets) {
        const auto& counted = set->demand(cls, egress);
        // Against the order in which they are written: no drops or bytes of packets that are not counted yet.
        now.dropped += counted.dropped_packets.read();
        now.bytes += counted.bytes.read();
        now.packets += counted.packets.read();
      }
      DemandTotals& before = demands_[cls * kEgressesMax + egress];
      DemandCount count{.cls = TrafficClass{cls},
                        .destination = egress_names[egress],
                        .bytes = growth(now.bytes, before.bytes),
                        .packets = growth(now.packets, before.packets),
                        .dropped_packets = growth(now.dropped, before.dropped)};
      if (count.packets > 0 || count.bytes > 0 || count.dropped_packets > 0) report.demands.push_back(std::move(count));
    }
  }
  std::sort(report.demands.begin(), report.demands.end(), [](const DemandCount& a, const DemandCount& b) {
    return std::pair{a.cls, std::string_view{a.destination}} < std::pair{b.cls, std::string_view{b.destination}};
  });
  for (std::size_t port = 0; port < node_.ports.size(); ++port) {
    PortCount now{.name = node_.ports[port].name, .up = extras.port_up[port]};
    for (WorkerCounters* set : sets) {
      const auto& counted = set->ports[port];
      now.sent_bytes += counted.sent_bytes.read();
      now.sent_packets += counted.sent_packets.read();
      now.send_drops += counted.send_drops.read();
      now.received_bytes += counted.received_bytes.read();
      now.received_packets += counted.received_packets.read();
    }
    now.send_drops += extras.queue_drops[port];
    now.receive_errors = extras.receive_errors[port];
    PortCount& before = ports_[port];
    report.ports.push_back({.name = now.name,
                            .up = now.up,
                            .sent_bytes = growth(now.sent_bytes, before.sent_bytes),
                            .sent_packets = growth(now.sent_packets, before.sent_packets),
                            .send_drops = growth(now.send_drops, before.send_drops),
                            .received_bytes = growth(now.received_bytes, before.received_bytes),
                            .received_packets = growth(now.received_packets, before.received_packets),
                            .receive_errors = growth(now.receive_errors, before.receive_errors)});
  }
  for (std::size_t reason = 0; reason < kDropReasonCount; ++reason) {
    std::uint64_t now = 0;
    for (WorkerCounters* set : sets) now += set->drops[reason].read();
    const std::uint64_t lost = growth(now, drops_[reason]);
    if (lost > 0) report.drops.push_back({std::string{kDropReasonNames[reason]}, lost});
  }
  begins_ns_ = ends_ns_;
  ends_ns_ += interval_ns_;
  return report;
}

}  // namespace wan::dataplane
