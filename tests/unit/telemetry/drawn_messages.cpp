#include "tests/unit/telemetry/drawn_messages.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wan::test {
namespace {

std::string drawn_text(Rng& rng, std::size_t size_max) {
  std::string text(1 + rng.below(size_max), ' ');
  for (char& c : text) c = static_cast<char>(0x20 + rng.below(0x7f - 0x20));
  return text;
}
std::string drawn_name(Rng& rng) { return drawn_text(rng, 64); }

std::string drawn_digest(Rng& rng) {
  std::string text(16, '0');
  for (char& c : text) c = "0123456789abcdef"[rng.below(16)];
  return text;
}

std::uint64_t drawn_count(Rng& rng) { return rng.next() >> (8 + rng.below(56)); }

IpAddress drawn_v6(Rng& rng) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.below(256));
  return IpAddress::v6(bytes);
}

IpPrefix drawn_prefix(Rng& rng, bool only_v6) {
  IpAddress address = drawn_v6(rng);
  if (!only_v6 && rng.below(2) == 0) {
    address = IpAddress::v4({static_cast<std::uint8_t>(rng.below(256)), 1, 2, static_cast<std::uint8_t>(rng.below(4))});
  }
  const std::size_t length = rng.below(8 * address.size() + 1);
  return {.address = address.masked(length), .length = static_cast<std::uint8_t>(length)};
}

/// Between 0 and `max` different values in increasing order.
template <typename Draw>
auto drawn_set(Rng& rng, std::size_t max, Draw draw) {
  std::set<decltype(draw())> values;
  for (std::size_t count = rng.below(max + 1); count > 0; --count) values.insert(draw());
  return std::vector(values.begin(), values.end());
}

NodeIdentity drawn_identity(Rng& rng) { return {.name = drawn_name(rng), .boot_id = rng.next()}; }

std::vector<ProgrammedPath> drawn_paths(Rng& rng, const std::string& not_port) {
  std::vector<ProgrammedPath> paths(1 + rng.below(4));
  double sum = 0.0;
  for (ProgrammedPath& path : paths) {
    path.id = rng.next();
    path.fraction = 0.01 + rng.uniform();
    sum += path.fraction;
    do {
      path.port = drawn_name(rng);
    } while (path.port == not_port);
    path.segments.resize(1 + rng.below(16));
    for (IpAddress& segment : path.segments) segment = drawn_v6(rng);
    path.links.resize(rng.below(5));
    for (std::string& link : path.links) link = drawn_text(rng, 256);
  }
  for (ProgrammedPath& path : paths) path.fraction = std::min(path.fraction / sum, 1.0);
  return paths;
}

std::vector<std::pair<std::size_t, std::string>> drawn_demand_keys(Rng& rng, std::size_t entries_max) {
  return drawn_set(rng, entries_max, [&] {
    return std::pair{static_cast<std::size_t>(rng.below(64)), drawn_name(rng)};
  });
}

}  // namespace

NodeHello drawn_hello(Rng& rng, std::size_t entries_max) {
  NodeHello hello{.node = drawn_identity(rng),
                  .version = drawn_name(rng),
                  .locator = drawn_prefix(rng, true).to_string(),
                  .program_epoch = rng.below(2) * drawn_count(rng),
                  .program_digest = drawn_digest(rng),
                  .installs = rng.next(),
                  .ports = {}};
  if (hello.program_epoch == 0) hello.program_digest.clear();
  for (std::string& name : drawn_set(rng, std::min<std::size_t>(entries_max, 256), [&] { return drawn_name(rng); })) {
    hello.ports.push_back(
        {.name = std::move(name), .up = rng.below(2) == 0, .mtu = static_cast<std::uint32_t>(rng.next() >> 32)});
  }
  return hello;
}

IntervalReport drawn_report(Rng& rng, std::size_t entries_max) {
  IntervalReport report;
  report.node = drawn_identity(rng);
  report.sequence = rng.next();
  report.begin_ns = static_cast<std::int64_t>(rng.next() >> 2);
  report.end_ns = report.begin_ns + 1 + static_cast<std::int64_t>(rng.below(3'600'000'000'000));
  report.program_epoch = rng.next();
  for (auto& [cls, name] : drawn_demand_keys(rng, entries_max)) {
    report.demands.push_back({.cls = TrafficClass{cls},
                              .destination = std::move(name),
                              .bytes = drawn_count(rng),
                              .packets = drawn_count(rng),
                              .dropped_packets = drawn_count(rng)});
  }
  for (std::string& name : drawn_set(rng, std::min<std::size_t>(entries_max, 256), [&] { return drawn_name(rng); })) {
    report.ports.push_back({.name = std::move(name),
                            .up = rng.below(2) == 0,
                            .sent_bytes = drawn_count(rng),
                            .sent_packets = drawn_count(rng),
                            .send_drops = drawn_count(rng),
                            .received_bytes = drawn_count(rng),
                            .received_packets = drawn_count(rng),
                            .receive_errors = drawn_count(rng)});
  }
  for (std::uint64_t reason : drawn_set(rng, std::min<std::size_t>(entries_max, 64), [&] { return rng.below(100); })) {
    report.drops.push_back(
        {.reason = std::string{"reason_"}.append(std::to_string(reason)), .packets = drawn_count(rng)});
  }
  report.flows = rng.next();
  return report;
}

ProgramAck drawn_ack(Rng& rng) {
  ProgramAck ack;
  ack.node = drawn_identity(rng);
  ack.epoch = rng.next();
  ack.digest = drawn_digest(rng);
  ack.accepted = rng.below(2) == 0;
  if (!ack.accepted) ack.reason = drawn_text(rng, 512);
  return ack;
}

NodeProgram drawn_program(Rng& rng, std::size_t entries_max) {
  NodeProgram program;
  program.epoch = 1 + (rng.next() >> 1);
  program.digest = drawn_digest(rng);
  std::uint8_t dscp = 0;
  for (std::uint64_t cls : drawn_set(rng, 8, [&] { return rng.below(64); })) {
    ClassRule rule{.cls = TrafficClass{cls}, .dscps = {}};
    for (std::uint64_t count = rng.below(8); count > 0; --count) rule.dscps.push_back(dscp++);
    program.classes.push_back(std::move(rule));
  }
  for (std::string& name : drawn_set(rng, entries_max, [&] { return drawn_name(rng); })) {
    program.egresses.push_back({.name = std::move(name), .decapsulation_sid = drawn_v6(rng)});
  }
  for (const IpPrefix& prefix : drawn_set(rng, entries_max, [&] { return drawn_prefix(rng, false); })) {
    program.prefixes.push_back({.prefix = prefix, .node = drawn_name(rng)});
  }
  for (const IpPrefix& locator : drawn_set(rng, entries_max, [&] { return drawn_prefix(rng, true); })) {
    SidRoute route{.locator = locator, .port = drawn_name(rng), .repair = {}};
    if (rng.below(2) == 0) {
      route.repair = SidRoute::Repair{.port = route.port == "a" ? "b" : "a", .segments = {}};
      route.repair->segments.resize(rng.below(17));
      for (IpAddress& segment : route.repair->segments) segment = drawn_v6(rng);
    }
    program.routes.push_back(std::move(route));
  }
  for (const IpAddress& sid : drawn_set(rng, std::min<std::size_t>(entries_max, 256), [&] { return drawn_v6(rng); })) {
    program.adjacencies.push_back({.sid = sid, .port = drawn_name(rng)});
  }
  for (auto& [cls, name] : drawn_demand_keys(rng, entries_max)) {
    ProgrammedDemand demand{
        .cls = TrafficClass{cls}, .destination = std::move(name), .paths = drawn_paths(rng, {}), .backups = {}};
    for (std::string& port : drawn_set(rng, 3, [&] { return drawn_name(rng); })) {
      auto paths = drawn_paths(rng, port);
      demand.backups.push_back({.failed_port = std::move(port), .paths = std::move(paths)});
    }
    program.demands.push_back(std::move(demand));
  }
  return program;
}

telemetry::NodeMessage drawn_node_message(Rng& rng, std::size_t entries_max) {
  switch (rng.below(5)) {
    case 0:
      return drawn_hello(rng, entries_max);
    case 1:
      return drawn_report(rng, entries_max);
    case 2:
      return drawn_ack(rng);
    case 3:
      return telemetry::ProgramReport{.node = drawn_identity(rng), .program = {}};
    default: {
      NodeIdentity node = drawn_identity(rng);
      return telemetry::ProgramReport{.node = std::move(node), .program = drawn_program(rng, entries_max)};
    }
  }
}

telemetry::DaemonMessage drawn_daemon_message(Rng& rng, std::size_t entries_max) {
  if (rng.below(10) == 0) return telemetry::ProgramRequest{};
  return drawn_program(rng, entries_max);
}

}  // namespace wan::test
