// Messages of a network of 50 nodes and 3 classes: encoded, decoded, and across the bus and back over a UNIX socket.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/random.h"
#include "telemetry/bus_codec.h"
#include "telemetry/zmq/bus.h"

namespace {

using wan::Rng;
using wan::telemetry::DaemonBus;
using wan::telemetry::DaemonMessage;
using wan::telemetry::NodeBus;
using wan::telemetry::NodeMessage;

constexpr std::size_t kNodes = 50, kClasses = 3, kPorts = 6;

std::string node_name(std::size_t n) { return {'n', static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)}; }
std::string port_name(std::size_t p) { return std::string{"to-core"}.append(1, static_cast<char>('0' + p)); }

wan::IntervalReport report() {
  Rng rng{1, "report"};
  wan::IntervalReport report;
  report.node = {.name = node_name(0), .boot_id = rng.next()};
  report.begin_ns = 1'700'000'000'000'000'000;
  report.end_ns = report.begin_ns + 1'000'000'000;
  for (std::size_t cls = 0; cls < kClasses; ++cls) {
    for (std::size_t to = 1; to < kNodes; ++to) {
      report.demands.push_back({.cls = wan::TrafficClass{cls},
                                .destination = node_name(to),
                                .bytes = rng.below(10'000'000),
                                .packets = rng.below(10'000)});
    }
  }
  for (std::size_t p = 0; p < kPorts; ++p) {
    report.ports.push_back({.name = port_name(p),
                            .up = true,
                            .sent_bytes = rng.below(100'000'000),
                            .sent_packets = rng.below(100'000),
                            .received_bytes = rng.below(100'000'000),
                            .received_packets = rng.below(100'000)});
  }
  return report;
}

wan::IpAddress sid(Rng& rng) {
  std::array<std::uint8_t, 16> bytes{0xfc};
  bytes[5] = static_cast<std::uint8_t>(rng.below(256));
  return wan::IpAddress::v6(bytes);
}

wan::ProgrammedPath path(Rng& rng, double fraction, std::size_t port) {
  wan::ProgrammedPath path;
  path.id = rng.next();
  path.fraction = fraction;
  path.port = port_name(port);
  for (int i = 0; i < 3; ++i) path.segments.push_back(sid(rng));
  for (std::size_t i = 0; i < 4; ++i) path.links.push_back(node_name(i) + "-" + node_name(i + 1));
  return path;
}

/// Each demand on two paths, with a backup for each.
wan::NodeProgram program() {
  Rng rng{2, "program"};
  wan::NodeProgram program;
  program.epoch = 7;
  program.digest = "0123456789abcdef";
  for (std::size_t to = 1; to < kNodes; ++to) {
    program.egresses.push_back({.name = node_name(to), .decapsulation_sid = sid(rng)});
    std::array<std::uint8_t, 16> locator{0xfc};
    locator[5] = static_cast<std::uint8_t>(to);
    const wan::IpPrefix prefix{.address = wan::IpAddress::v6(locator), .length = 64};
    program.prefixes.push_back({.prefix = prefix, .node = node_name(to)});
    program.routes.push_back({.locator = prefix, .port = port_name(0), .repair = {}});
    program.routes.back().repair = wan::SidRoute::Repair{.port = port_name(1), .segments = {sid(rng)}};
  }
  for (std::size_t cls = 0; cls < kClasses; ++cls) {
    for (std::size_t to = 1; to < kNodes; ++to) {
      wan::ProgrammedDemand demand;
      demand.cls = wan::TrafficClass{cls};
      demand.destination = node_name(to);
      demand.paths = {path(rng, 0.25, 0), path(rng, 0.75, 1)};
      demand.backups = {{.failed_port = port_name(0), .paths = {path(rng, 1.0, 1)}},
                        {.failed_port = port_name(1), .paths = {path(rng, 1.0, 0)}}};
      program.demands.push_back(std::move(demand));
    }
  }
  return program;
}

template <typename Message>
void encode_message(benchmark::State& state, const Message& message) {
  for (auto _ : state) benchmark::DoNotOptimize(wan::telemetry::encode(message));
  state.counters["bytes"] = static_cast<double>(wan::telemetry::encode(message).size());
}

void decode_report(benchmark::State& state) {
  const std::string bytes = wan::telemetry::encode(NodeMessage{report()});
  for (auto _ : state) {
    if (!wan::telemetry::decode_node_message(bytes)) state.SkipWithError("refused");
  }
}

void decode_program(benchmark::State& state) {
  const std::string bytes = wan::telemetry::encode(DaemonMessage{program()});
  for (auto _ : state) {
    if (!wan::telemetry::decode_daemon_message(bytes)) state.SkipWithError("refused");
  }
}

/// A report to the daemon, a program back.
void round_trip(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "aiwan-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  {
    auto daemon = DaemonBus::bind("ipc://" + folder + "/bus.sock");
    auto node = NodeBus::connect("ipc://" + folder + "/bus.sock", node_name(0));
    if (!daemon || !node) return state.SkipWithError("no bus");
    const NodeMessage up = report();
    const DaemonMessage down = program();
    for (auto _ : state) {
      node->send(up);
      const auto received = daemon->receive(std::chrono::seconds{10});
      if (!received || !daemon->send(received->node, down) || !node->receive(std::chrono::seconds{10})) {
        state.SkipWithError("lost");
        break;
      }
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

BENCHMARK_CAPTURE(encode_message, report, NodeMessage{report()})->Unit(benchmark::kMicrosecond);
BENCHMARK(decode_report)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(encode_message, program, DaemonMessage{program()})->Unit(benchmark::kMicrosecond);
BENCHMARK(decode_program)->Unit(benchmark::kMicrosecond);
BENCHMARK(round_trip)->Unit(benchmark::kMicrosecond)->UseRealTime();

BENCHMARK_MAIN();
