#include "dataplane/program/interval_report.h"

#include <catch2/catch.hpp>

#include "core/random.h"

namespace wan::dataplane {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

struct Reporting {
  NodeFacts node;
  WorkerCounters first, second;
  std::vector<WorkerCounters*> sets{&first, &second};
  std::vector<std::string> names{"zurich", "ams", "lon"};
  IntervalReporter::Extras extras;
  std::unique_ptr<IntervalReporter> reporter;

  explicit Reporting(std::int64_t now_ns = kStart + 300'000'000) {
    node.ports.resize(2);
    node.ports[0].name = std::string{"hosts"};
    node.ports[1].name = std::string{"core"};
    extras = {
        .port_up = {true, false}, .queue_drops = {0, 0}, .receive_errors = {0, 0}, .program_epoch = 5, .flows = 9};
    reporter = std::make_unique<IntervalReporter>(node, NodeIdentity{"a", 77}, std::chrono::seconds{1}, now_ns);
  }
  IntervalReport close(std::int64_t now_ns) { return reporter->close(sets, names, extras, now_ns); }
};

void count(WorkerCounters& set, std::size_t cls, std::size_t egress, std::uint64_t packets, std::uint64_t dropped = 0) {
  auto& demand = set.demand(cls, egress);
  demand.packets.add(packets);
  demand.bytes.add(packets * 100);
  demand.dropped_packets.add(dropped);
}

TEST_CASE("the first interval is short, the others are whole multiples of their length", "[interval_report]") {
  Reporting it;
  CHECK(it.reporter->ends_ns() == kStart + kSecond);
  CHECK_FALSE(it.reporter->is_due(kStart + kSecond - 1));
  CHECK(it.reporter->is_due(kStart + kSecond));
  std::int64_t end = kStart + 300'000'000;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const IntervalReport report = it.close(it.reporter->ends_ns() + 4'000'000);
    CHECK(report.sequence == i);
    CHECK(report.begin_ns == end);
    CHECK(report.end_ns == kStart + static_cast<std::int64_t>(i + 1) * kSecond);
    CHECK(report.node == NodeIdentity{"a", 77});
    CHECK(report.program_epoch == 5);
    CHECK(report.flows == 9);
    end = report.end_ns;
  }
  Reporting on_time{kStart};
  CHECK(on_time.reporter->ends_ns() == kStart + kSecond);
}

TEST_CASE("reports hold what counters have grown by over all workers, in the order of the bus", "[interval_report]") {
  Reporting it;
  count(it.first, 1, 0, 5);
  count(it.first, 0, 2, 3, 1);
  count(it.second, 0, 2, 4, 2);
  count(it.second, 0, 1, 1);
  it.second.ports[1].sent_packets.add(7);
  it.first.ports[1].send_drops.add(2);
  it.extras.queue_drops = {0, 3};
  it.extras.receive_errors = {4, 0};
  it.first.drops[0].add(6);
  it.second.drops[static_cast<std::size_t>(DropReason::kSlowPathFull)].add(1);
  const IntervalReport report = it.close(kStart + kSecond);
  const std::vector<DemandCount> demands{
      {TrafficClass{0}, "ams", 100, 1, 0}, {TrafficClass{0}, "lon", 700, 7, 3}, {TrafficClass{1}, "zurich", 500, 5, 0}};
  CHECK(report.demands == demands);
  REQUIRE(report.ports.size() == 2);
  CHECK(report.ports[0].name == "hosts");
  CHECK(report.ports[0].up);
  CHECK(report.ports[0].receive_errors == 4);
  CHECK_FALSE(report.ports[1].up);
  CHECK(report.ports[1].sent_packets == 7);
  CHECK(report.ports[1].send_drops == 5);
  CHECK(report.drops == std::vector<DropCount>{{"malformed", 6}, {"slow_path_full", 1}});

  const IntervalReport quiet = it.close(kStart + 2 * kSecond);
  CHECK(quiet.demands.empty());
  CHECK(quiet.drops.empty());
  CHECK(quiet.ports[1].sent_packets == 0);
  it.first.demand(0, 1).dropped_packets.add(1);  // of a packet that entered before: its next hop did not answer
  CHECK(it.close(kStart + 3 * kSecond).demands == std::vector<DemandCount>{{TrafficClass{0}, "ams", 0, 0, 1}});
}

TEST_CASE("all that was counted is in some report, once", "[interval_report]") {
  Rng rng{1, "reports"};
  Reporting it;
  std::uint64_t counted = 0, bytes = 0, reported = 0, reported_bytes = 0;
  std::int64_t now = kStart + 300'000'000, end = now;
  for (int i = 0; i < 400; ++i) {
    for (std::uint64_t n = rng.below(10); n > 0; --n) {
      const std::uint64_t packets = rng.below(1000);
      count(rng.below(2) == 0 ? it.first : it.second, rng.below(kClassesMax), rng.below(3), packets);
      counted += packets;
      bytes += packets * 100;
    }
    now += static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(rng.below(20) == 0 ? 9 * kSecond : kSecond)));
    if (i == 399) now += kSecond;
    if (!it.reporter->is_due(now)) continue;
    const IntervalReport report = it.close(now);
    REQUIRE(report.begin_ns == end);
    REQUIRE(report.end_ns > report.begin_ns);
    REQUIRE(report.end_ns % kSecond == 0);
    REQUIRE(now - report.end_ns < kSecond);  // a late report says how long it is
    end = report.end_ns;
    for (const auto& demand : report.demands) {
      reported += demand.packets;
      reported_bytes += demand.bytes;
    }
  }
  CHECK(reported == counted);
  CHECK(reported_bytes == bytes);
}

TEST_CASE("counters that somebody sets back count as unchanged, not as 2^64", "[interval_report]") {
  Reporting it;
  it.extras.queue_drops = {0, 500};
  CHECK(it.close(kStart + kSecond).ports[1].send_drops == 500);
  it.extras.queue_drops = {0, 20};  // another queueing discipline
  CHECK(it.close(kStart + 2 * kSecond).ports[1].send_drops == 0);
  it.extras.queue_drops = {0, 25};
  CHECK(it.close(kStart + 3 * kSecond).ports[1].send_drops == 5);
}

TEST_CASE("a clock that jumps delays no report for longer than the jump's detection", "[interval_report]") {
  Reporting it;
  (void)it.close(kStart + kSecond);
  const std::int64_t earlier = kStart - 3600 * kSecond + 200'000'000;
  CHECK_FALSE(it.reporter->is_due(earlier));
  CHECK(it.reporter->ends_ns() == kStart - 3599 * kSecond);
  CHECK(it.reporter->is_due(earlier + kSecond));
  IntervalReport report = it.close(earlier + kSecond);
  CHECK(report.end_ns - report.begin_ns == kSecond);
  CHECK(report.sequence == 1);
  CHECK_FALSE(it.reporter->is_due(earlier + kSecond - 300'000'000));  // a little back: the interval goes on
  CHECK(it.reporter->ends_ns() == kStart - 3598 * kSecond);
  report = it.close(kStart + 50 * 3600 * kSecond);
  CHECK(report.end_ns == kStart + 50 * 3600 * kSecond);
  CHECK(report.end_ns - report.begin_ns == 3600 * kSecond);  // as much as the bus takes
}

}  // namespace
}  // namespace wan::dataplane
