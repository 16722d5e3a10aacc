#include "telemetry/matrix_builder.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/random.h"
#include "tests/unit/core/small_networks.h"

namespace {

using wan::BitRate;
using wan::Demand;
using wan::IntervalReport;
using wan::LinkId;
using wan::NodeId;
using wan::PathPlan;
using wan::PathPlanBuilder;
using wan::Rng;
using wan::Topology;
using wan::TrafficClass;
using wan::telemetry::MatrixBuilder;
using wan::telemetry::MatrixBuilderOptions;
using wan::telemetry::MeasuredInterval;

constexpr std::int64_t kSecond = 1'000'000'000, kMs = 1'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;
constexpr std::size_t kNodes = 4;  // A, B, C, and D that is unmanaged
constexpr std::size_t kUnmanaged = 3;
const std::vector<bool> kManaged{true, true, true, false};

/// Both directions of A-B, B-C, C-D, D-A, A-C: links 0 to 9.
Topology square() {
  std::vector<wan::test::Edge> edges;
  for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 2}, {2, 3}, {3, 0}, {0, 2}}) {
    edges.push_back({.from = a, .to = b});
    edges.push_back({.from = b, .to = a});
  }
  return wan::test::network(kNodes, edges);
}

/// A port is named after the node at its other end.
std::vector<MatrixBuilder::LinkPort> ports_of(const Topology& topology) {
  std::vector<MatrixBuilder::LinkPort> ports;
  for (const wan::Link& link : topology.links()) {
    const std::string from = topology.node(link.from).name, to = topology.node(link.to).name;
    ports.push_back({.node = from, .port = "to-" + to, .far_node = to, .far_port = "to-" + from});
  }
  return ports;
}

MatrixBuilder builder(const MatrixBuilderOptions& options = {}) {
  const Topology topology = square();
  return MatrixBuilder{topology, kManaged, ports_of(topology), options};
}

IntervalReport report_of(const std::string& node, std::int64_t interval, std::uint64_t boot_id = 1) {
  IntervalReport report;
  report.node = {.name = node, .boot_id = boot_id};
  report.sequence = static_cast<std::uint64_t>(interval);
  report.begin_ns = kStart + interval * kSecond;
  report.end_ns = report.begin_ns + kSecond;
  return report;
}

IntervalReport with_demand(IntervalReport report, const std::string& to, std::uint64_t bytes,
                           std::uint64_t dropped = 0) {
  report.demands.push_back({.cls = TrafficClass{0},
                            .destination = to,
                            .bytes = bytes,
                            .packets = std::max<std::uint64_t>(bytes / 100, 1),
                            .dropped_packets = dropped});
  return report;
}

/// Every managed node's report of one interval, `after_end` behind its end.
void add_all(MatrixBuilder& builder, std::int64_t interval, std::int64_t after_end = kMs) {
  for (const char* node : {"A", "B", "C"}) {
    builder.add(with_demand(report_of(node, interval), "D", 125'000), kStart + (interval + 1) * kSecond + after_end);
  }
}

constexpr std::int64_t end_of(std::int64_t interval) { return kStart + (interval + 1) * kSecond; }

// ---- reports drawn at random ----

struct Arrival {
  IntervalReport report;
  std::int64_t now_ns = 0;
};

/// What nodes A, B and C count in `intervals` intervals; some restart now and then.
std::vector<IntervalReport> drawn_reports(Rng& rng, std::int64_t intervals, std::size_t classes) {
  const Topology topology = square();
  std::vector<IntervalReport> reports;
  for (std::size_t n = 0; n < kUnmanaged; ++n) {
    std::uint64_t boot_id = rng.next(), sequence = rng.below(1000);
    const std::string& name = topology.nodes()[n].name;
    for (std::int64_t k = 0; k < intervals; ++k) {
      std::vector<std::pair<std::int64_t, std::int64_t>> parts{{0, kSecond}};
      const bool restarts = rng.below(6) == 0;
      if (restarts) {  // up to 0.45 s of a second are not covered
        const auto crash = static_cast<std::int64_t>(rng.below(500)) * kMs;
        parts = {{0, crash}, {crash + static_cast<std::int64_t>(rng.below(450)) * kMs, kSecond}};
        if (crash == 0) parts.erase(parts.begin());
      }
      for (std::size_t part = 0; part < parts.size(); ++part) {
        IntervalReport report = report_of(name, k, boot_id);
        report.sequence = sequence++;
        report.end_ns = report.begin_ns + parts[part].second;
        report.begin_ns += parts[part].first;
        for (std::size_t cls = 0; cls < classes; ++cls) {
          for (const wan::Node& to : topology.nodes()) {
            if (to.name == name || rng.below(4) == 0) continue;
            report.demands.push_back({.cls = TrafficClass{cls},
                                      .destination = to.name,
                                      .bytes = rng.below(10'000'000),
                                      .packets = rng.below(10'000),
                                      .dropped_packets = rng.below(5) == 0 ? rng.below(100) : 0});
          }
        }
        for (const wan::Node& to : topology.nodes()) {
          if (to.name == name) continue;
          report.ports.push_back({.name = "to-" + to.name,
                                  .up = true,
                                  .sent_bytes = rng.below(10'000'000),
                                  .sent_packets = rng.below(10'000),
                                  .send_drops = rng.below(5) == 0 ? rng.below(100) : 0,
                                  .received_bytes = rng.below(10'000'000),
                                  .received_packets = rng.below(10'000),
                                  .receive_errors = 0});
        }
        reports.push_back(report);
        if (restarts && part == 0) {
          boot_id = rng.next();
          sequence = 0;
        }
      }
    }
  }
  return reports;
}

std::int64_t interval_of(const IntervalReport& report) { return (report.end_ns - 1 - kStart) / kSecond; }

/// Feeds arrivals in the order of their times, takes whatever is ready after each and, at last, the rest.
std::vector<MeasuredInterval> feed(MatrixBuilder& builder, std::vector<Arrival> arrivals, const PathPlan& plan) {
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.now_ns < b.now_ns; });
  std::vector<MeasuredInterval> taken;
  const auto take_all = [&](std::int64_t now_ns) {
    while (auto measured = builder.take(now_ns, plan)) taken.push_back(*std::move(measured));
  };
  for (const Arrival& arrival : arrivals) {
    take_all(arrival.now_ns);
    builder.add(arrival.report, arrival.now_ns);
    take_all(arrival.now_ns);
  }
  take_all(arrivals.back().now_ns + 10 * kSecond);
  return taken;
}

/// A plan that splits each demand of class 0 over a direct link, where there is one, and a way around.
PathPlan some_plan(const Topology& topology) {
  PathPlanBuilder plan;
  for (std::size_t from = 0; from < kNodes; ++from) {
    for (std::size_t to = 0; to < kNodes; ++to) {
      if (from == to) continue;
      plan.begin_demand({.cls = TrafficClass{0}, .from = NodeId{from}, .to = NodeId{to}});
      for (const LinkId link : topology.links_between(NodeId{from}, NodeId{to})) plan.add_path(0.5, std::array{link});
      for (const LinkId first : topology.out_links(NodeId{from})) {
        const auto second = topology.links_between(topology.link(first).to, NodeId{to});
        if (second.empty()) continue;
        plan.add_path(0.5, std::array{first, second.front()});
        break;
      }
    }
  }
  return std::move(plan).build();
}

void check_equal(const MeasuredInterval& a, const MeasuredInterval& b) {
  CHECK(a.matrix == b.matrix);
  CHECK(a.begin_ns == b.begin_ns);
  CHECK(a.link_rates == b.link_rates);
  CHECK(a.link_drops == b.link_drops);
  CHECK(a.link_known == b.link_known);
  CHECK(a.censored == b.censored);
  CHECK(a.missing == b.missing);
}

}  // namespace

TEST_CASE("a full set of reports becomes a matrix and link rates at once", "[telemetry]") {
  MatrixBuilder at = builder();
  IntervalReport a = with_demand(with_demand(report_of("A", 0), "B", 250'000), "D", 125'000);
  a.ports.push_back({.name = "to-B", .up = true, .sent_bytes = 500'000, .sent_packets = 1000, .send_drops = 7});
  a.ports.push_back({.name = "to-D", .up = true, .received_bytes = 1'000'000, .received_packets = 900});
  at.add(a, end_of(0) + kMs);
  CHECK(!at.take(end_of(0) + kMs, {}));
  CHECK(at.next_deadline_ns() == end_of(0) + 300 * kMs);
  at.add(report_of("B", 0), end_of(0) + 2 * kMs);
  at.add(report_of("C", 0), end_of(0) + 3 * kMs);
  const auto measured = at.take(end_of(0) + 3 * kMs, {});
  REQUIRE(measured);
  CHECK(measured->begin_ns == kStart);
  CHECK(measured->matrix.measured_at().time_since_epoch().count() == kStart / kSecond);
  CHECK(measured->matrix.at(NodeId{0}, NodeId{1}) == BitRate::mbps(2));
  CHECK(measured->matrix.at(NodeId{0}, NodeId{3}) == BitRate::mbps(1));
  CHECK(measured->matrix.total() == BitRate::mbps(3));
  CHECK(measured->missing.empty());
  CHECK(measured->link_rates[0] == BitRate::mbps(4));  // A>B, by A
  CHECK(measured->link_drops[0] == 7);
  CHECK(measured->link_rates[6] == BitRate::mbps(8));  // D>A, by A's received frames: D is unmanaged
  CHECK(measured->link_known == std::vector<bool>{true, true, false, false, false, false, true, true, false, false});
  CHECK(!at.take(end_of(0) + kSecond, {}));
  CHECK(!at.next_deadline_ns());
  CHECK(at.counts().used == 3);
}

TEST_CASE("the order, delay and repetition of reports that come in time change nothing", "[telemetry]") {
  const PathPlan plan = some_plan(square());
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "reports"};
    MatrixBuilderOptions options;
    options.class_count = 1 + rng.below(3);
    const auto reports = drawn_reports(rng, 12, options.class_count);
    std::vector<Arrival> orderly, disorderly;
    for (const IntervalReport& report : reports) {
      const std::int64_t end = end_of(interval_of(report));
      orderly.push_back({report, end + static_cast<std::int64_t>(rng.below(2)) * kMs});
      // A part before a crash may leave early; nothing comes later than the grace.
      const auto delay = static_cast<std::int64_t>(rng.below(299)) * kMs;
      disorderly.push_back({report, std::min(end + delay, report.end_ns + kSecond)});
      while (rng.below(3) == 0) {
        disorderly.push_back({report, disorderly.back().now_ns + static_cast<std::int64_t>(rng.below(3000)) * kMs});
      }
    }
    for (std::size_t i = disorderly.size() - 1; i > 0; --i) std::swap(disorderly[i], disorderly[rng.below(i + 1)]);

    MatrixBuilder calm = builder(options), rough = builder(options);
    const auto expected = feed(calm, orderly, plan);
    const auto found = feed(rough, disorderly, plan);
    REQUIRE(expected.size() == 12);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) check_equal(found[k], expected[k]);
    CHECK(rough.counts().used == reports.size());
    CHECK(rough.counts().duplicate == disorderly.size() - reports.size());
    CHECK(rough.counts().late == 0);
    CHECK(rough.counts().skewed == 0);
  }
}

TEST_CASE("bytes add up: what full intervals' reports counted is what their matrices hold", "[telemetry]") {
  Rng rng{4, "bytes"};
  MatrixBuilderOptions options;
  options.class_count = 2;
  std::map<std::int64_t, std::uint64_t> bytes;
  std::vector<Arrival> arrivals;
  for (const IntervalReport& report : drawn_reports(rng, 40, 2)) {
    if (report.end_ns - report.begin_ns != kSecond) continue;
    for (const wan::DemandCount& demand : report.demands) bytes[report.begin_ns] += demand.bytes;
    arrivals.push_back({report, report.end_ns + kMs});
  }
  MatrixBuilder at = builder(options);
  std::size_t whole = 0;
  for (const MeasuredInterval& measured : feed(at, arrivals, {})) {
    if (!measured.missing.empty()) continue;
    ++whole;
    CHECK(measured.matrix.total().bps() == Approx(8.0 * static_cast<double>(bytes[measured.begin_ns])).epsilon(1e-12));
  }
  CHECK(whole > 15);
}

TEST_CASE("part intervals are scaled to what they cover and left out below half an interval", "[telemetry]") {
  for (const std::int64_t covered_ms : {1000, 999, 750, 500, 499, 10}) {
    CAPTURE(covered_ms);
    MatrixBuilder at = builder();
    IntervalReport part = with_demand(report_of("A", 0), "B", 1000 * static_cast<std::uint64_t>(covered_ms));
    part.begin_ns = part.end_ns - covered_ms * kMs;
    at.add(part, end_of(0) + kMs);
    at.add(report_of("B", 0), end_of(0) + kMs);
    at.add(report_of("C", 0), end_of(0) + kMs);
    CHECK(at.take(end_of(0) + kMs, {}).has_value() == (covered_ms == 1000));
    const auto measured = at.take(end_of(0) + 300 * kMs, {});
    if (covered_ms == 1000) continue;
    REQUIRE(measured);
    if (covered_ms >= 500) {
      CHECK(measured->matrix.total().bps() == Approx(8e6));
      CHECK(measured->missing.empty());
    } else {
      CHECK(measured->matrix.total() == BitRate{});
      CHECK(measured->missing == std::vector<std::string>{"A"});
    }
  }
}

TEST_CASE("a report over several intervals gives its mean rate to the last of them", "[telemetry]") {
  MatrixBuilder at = builder();
  for (std::int64_t k = 0; k < 4; ++k) {
    IntervalReport report = with_demand(report_of("A", k), "B", 500'000);
    if (k == 3) report.begin_ns -= 3 * kSecond;
    report.sequence = k == 3 ? 1 : 0;
    if (k == 0 || k == 3) at.add(report, end_of(k) + kMs);
    at.add(report_of("B", k), end_of(k) + kMs);
    at.add(report_of("C", k), end_of(k) + kMs);
    const auto measured = at.take(end_of(k) + 300 * kMs, {});
    REQUIRE(measured);
    CHECK(measured->missing.empty() == (k == 0 || k == 3));
    CHECK(measured->matrix.total() == (k == 3 ? BitRate::mbps(1) : BitRate::mbps(4)));
  }
  CHECK(at.counts().late == 0);
  CHECK(at.counts().skewed == 0);
}

TEST_CASE("a missing node's newest row stands in for three intervals, and it is waited for as long", "[telemetry]") {
  MatrixBuilder at = builder();
  for (std::int64_t k = 0; k < 5; ++k) {
    add_all(at, k);
    REQUIRE(at.take(end_of(k) + kMs, {}));
  }
  for (std::int64_t k = 5; k < 10; ++k) {
    CAPTURE(k);
    for (const char* node : {"A", "B"}) at.add(with_demand(report_of(node, k), "D", 125'000), end_of(k) + kMs);
    const bool waited_for = k <= 7;
    const auto at_once = at.take(end_of(k) + kMs, {});
    CHECK(at_once.has_value() != waited_for);
    const auto measured = at_once ? at_once : at.take(end_of(k) + 300 * kMs, {});
    REQUIRE(measured);
    CHECK(measured->missing == std::vector<std::string>{"C"});
    CHECK(measured->matrix.at(NodeId{2}, NodeId{3}) == (waited_for ? BitRate::mbps(1) : BitRate{}));
    CHECK(measured->matrix.at(NodeId{0}, NodeId{3}) == BitRate::mbps(1));
  }
  CHECK(at.counts().incomplete == 5);
  add_all(at, 10);  // C is back
  REQUIRE(at.take(end_of(10) + kMs, {})->missing.empty());
}

TEST_CASE("at first every managed node is waited for, then the network starts without those that are silent",
          "[telemetry]") {
  MatrixBuilder at = builder();
  for (std::int64_t k = 0; k < 5; ++k) {
    CAPTURE(k);
    at.add(report_of("A", k), end_of(k) + kMs);
    at.add(report_of("B", k), end_of(k) + kMs);
    CHECK(at.take(end_of(k) + kMs, {}).has_value() == (k >= 3));
    CHECK(at.take(end_of(k) + 300 * kMs, {}).has_value() == (k < 3));
  }
}

TEST_CASE("late reports, strangers and unknown destinations are counted and change nothing", "[telemetry]") {
  MatrixBuilder at = builder();
  add_all(at, 0);
  REQUIRE(at.take(end_of(0) + kMs, {}));
  at.add(report_of("B", 1), end_of(1) + kMs);
  at.add(report_of("C", 1), end_of(1) + kMs);
  REQUIRE(at.take(end_of(1) + 300 * kMs, {}));
  at.add(with_demand(report_of("A", 1), "B", 1), end_of(1) + 350 * kMs);
  CHECK(at.counts().late == 1);
  at.add(report_of("Z", 2), end_of(2));
  at.add(report_of("D", 2), end_of(2));
  CHECK(at.counts().unknown_node == 2);
  IntervalReport odd = with_demand(with_demand(with_demand(report_of("A", 2), "A", 5), "B", 125'000), "Z", 5);
  odd.demands.push_back({.cls = TrafficClass{1}, .destination = "B", .bytes = 5, .packets = 1});
  at.add(odd, end_of(2));
  CHECK(at.counts().unknown_destination == 3);
  const auto measured = at.take(end_of(2) + 300 * kMs, {});
  REQUIRE(measured);
  CHECK(measured->matrix.at(NodeId{0}, NodeId{1}) == BitRate::mbps(1));
  CHECK(measured->matrix.at(NodeId{0}, NodeId{0}) == BitRate{});
}

TEST_CASE("a restarted node's numbers begin anew without being taken for repeats", "[telemetry]") {
  MatrixBuilder at = builder();
  add_all(at, 0);
  add_all(at, 1);
  while (at.take(end_of(1) + kMs, {})) {
  }
  IntervalReport reborn = report_of("A", 2, 99);
  reborn.sequence = 0;
  at.add(reborn, end_of(2) + kMs);
  at.add(reborn, end_of(2) + kMs);
  CHECK(at.counts().restarts == 1);
  CHECK(at.counts().duplicate == 1);
  CHECK(at.counts().used == 7);
}

TEST_CASE("a node whose clock is wrong has its reports filed by when they arrive", "[telemetry]") {
  // Ahead, behind, by odd parts of an interval, and by little enough to be no alarm but always too late.
  for (const std::int64_t off_ms : {7000, 7400, 600, -7000, -7250, -86'400'000, -620, -400, -350}) {
    CAPTURE(off_ms);
    MatrixBuilder at = builder();
    Rng rng{7, "jitter"};
    std::vector<Arrival> arrivals;
    for (std::int64_t k = 0; k < 40; ++k) {
      for (const char* node : {"A", "B"}) arrivals.push_back({report_of(node, k), end_of(k) + kMs});
      IntervalReport skewed = with_demand(report_of("C", k), "A", 125'000 * static_cast<std::uint64_t>(k + 1));
      // Its intervals end on whole seconds of its own clock, which is at a fraction of ours.
      const std::int64_t ends_ns = end_of(k) - (off_ms % 1000) * kMs;
      skewed.end_ns = ends_ns + off_ms * kMs;
      skewed.begin_ns = skewed.end_ns - kSecond;
      arrivals.push_back({skewed, ends_ns + static_cast<std::int64_t>(rng.below(20)) * kMs});
    }
    const auto taken = feed(at, arrivals, {});
    REQUIRE(taken.size() >= 40);
    std::size_t missing = 0, in_turn = 0;
    double before = 0.0;
    for (std::size_t k = 4; k < 39; ++k) {
      if (!taken[k].missing.empty()) ++missing;
      const double now = taken[k].matrix.at(NodeId{2}, NodeId{0}).bps();
      if (now == Approx(before + 1e6)) ++in_turn;
      before = now;
    }
    CHECK(missing == 0);
    CHECK(in_turn >= 34);
    CHECK(at.counts().late <= 1);
    CHECK((at.counts().skewed >= 38) == (std::abs(off_ms) > 500));
  }
}

TEST_CASE("reports held up by an outage are late, not those of a wrong clock", "[telemetry]") {
  const bool daemon_is_new = GENERATE(true, false);
  MatrixBuilder at = builder();
  std::vector<Arrival> arrivals;
  for (std::int64_t k = 0; k < 60; ++k) {
    const bool held_up = k >= 10 && k < 40;
    if (daemon_is_new && k < 10) continue;
    for (const char* node : {"A", "B"}) {
      if (!daemon_is_new || !held_up) arrivals.push_back({report_of(node, k), end_of(k) + kMs});
    }
    arrivals.push_back(
        {with_demand(report_of("C", k), "A", 125'000), held_up ? end_of(40) - 5 * kMs : end_of(k) + kMs});
  }
  for (const MeasuredInterval& measured : feed(at, arrivals, {})) {
    const BitRate rate = measured.matrix.at(NodeId{2}, NodeId{0});
    CHECK((rate == BitRate::mbps(1) || rate == BitRate{}));
  }
  CHECK(at.counts().skewed == 0);
  CHECK(at.counts().late >= 29);
}

TEST_CASE("a clock that is set right again is believed again", "[telemetry]") {
  MatrixBuilder at = builder();
  std::vector<Arrival> arrivals;
  for (std::int64_t k = 0; k < 30; ++k) {
    for (const char* node : {"A", "B"}) arrivals.push_back({report_of(node, k), end_of(k) + kMs});
    IntervalReport report = with_demand(report_of("C", k), "A", 125'000);
    if (k < 15) {
      report.begin_ns += 3600 * kSecond;
      report.end_ns += 3600 * kSecond;
    }
    arrivals.push_back({report, end_of(k) + kMs});
  }
  const auto taken = feed(at, arrivals, {});
  REQUIRE(taken.size() == 30);
  for (const MeasuredInterval& measured : taken) CHECK(measured.missing.empty());
  CHECK(at.counts().skewed == 15);
}

TEST_CASE("demands are censored exactly when they lose packets on entry or on a link of their paths", "[telemetry]") {
  const Topology topology = square();
  const PathPlan plan = some_plan(topology);
  std::size_t censored = 0, uncensored = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "censored"};
    std::vector<Arrival> arrivals;
    std::map<std::pair<std::string, std::string>, wan::PortCount> ports;
    std::map<std::pair<std::string, std::string>, wan::DemandCount> demands;
    for (IntervalReport report : drawn_reports(rng, 1, 1)) {
      if (report.end_ns - report.begin_ns != kSecond) continue;
      for (wan::PortCount& port : report.ports) {
        if (rng.below(2) == 0) port.send_drops = 0;
        ports[{report.node.name, port.name}] = port;
      }
      for (wan::DemandCount& demand : report.demands) {
        if (rng.below(2) == 0) demand.dropped_packets = 0;
        demands[{report.node.name, demand.destination}] = demand;
      }
      arrivals.push_back({report, report.end_ns});
    }
    if (arrivals.size() != kUnmanaged) continue;
    MatrixBuilder at = builder();
    const auto taken = feed(at, arrivals, plan);
    REQUIRE(taken.size() == 1);
    std::vector<Demand> expected;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      const Demand& demand = plan.demands()[d];
      const auto count = demands.find({topology.node(demand.from).name, topology.node(demand.to).name});
      if (count == demands.end() || count->second.bytes == 0) continue;
      bool loses =
          static_cast<double>(count->second.dropped_packets) > 1e-3 * static_cast<double>(count->second.packets);
      for (std::size_t p = 0; p < plan.path_count(d); ++p) {
        for (const LinkId id : plan.path(d, p).links) {
          const wan::Link& link = topology.link(id);
          const auto port = ports.find({topology.node(link.from).name, "to-" + topology.node(link.to).name});
          if (port == ports.end()) continue;  // of the unmanaged node, whose drops nobody tells
          const auto drops = static_cast<double>(port->second.send_drops);
          loses = loses || drops > 1e-3 * (static_cast<double>(port->second.sent_packets) + drops);
        }
      }
      if (loses) expected.push_back(demand);
      ++(loses ? censored : uncensored);
    }
    CHECK(taken[0].censored == expected);
  }
  CHECK(censored > 30);
  CHECK(uncensored > 30);
}
