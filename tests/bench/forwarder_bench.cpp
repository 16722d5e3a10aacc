// One packet through the forwarder: a node with 1,000 demands in each of two classes, 1,000 egress nodes, 2,000
// customer prefixes and 1,000 routes; 64-byte UDP packets of 4,096 flows over all demands, restored after each pass.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/random.h"
#include "dataplane/forwarder.h"
#include "tests/unit/dataplane/packet_bytes.h"

namespace {

using namespace wan;
using namespace wan::dataplane;
using wan::dataplane::test::Bytes;
using wan::dataplane::test::operator+;

constexpr std::size_t kNodes = 1000, kFlows = 4096, kSlotBytes = 1024, kHeadroom = 384;
constexpr std::size_t kHosts = 0, kEast = 1;

IpAddress sid(std::size_t node, std::uint8_t function) {
  return IpAddress::v6({0xfc, 0, static_cast<std::uint8_t>(node >> 8), static_cast<std::uint8_t>(node), 0, 0, 0, 0, 0,
                        0, 0, 0, 0, 0, 0, function});
}
IpAddress customer(std::size_t node, std::uint8_t host) {
  return IpAddress::v4({static_cast<std::uint8_t>(20 + (node >> 8)), static_cast<std::uint8_t>(node), 0, host});
}

struct Bench {
  NodeFacts node;
  PortStates states;
  std::unique_ptr<const ForwardingTable> table;
  NeighborTable neighbors;

  explicit Bench(std::size_t segments) {
    node.name = std::string{"n0"};
    node.locator = {sid(0, 0), 64};
    node.ports.push_back(
        {.name = std::string{"hosts"}, .mac = {2, 0, 0, 0, 0, 1}, .addresses = {{customer(0, 1), 16}}, .neighbor = {}});
    for (std::uint8_t port = 1; port <= 4; ++port) {
      const auto link = [port](std::uint8_t end) {
        return IpAddress::v6({0xfd, port, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end});
      };
      node.ports.push_back({.name = std::string{"p"}.append(std::to_string(port)),
                            .mac = {2, 0, 0, 0, 1, port},
                            .mtu = 1800,
                            .addresses = {{link(1), 64}},
                            .neighbor = link(2)});
    }
    for (std::size_t port = 0; port < node.ports.size(); ++port) states.set(port, true);
    NodeProgram program;
    program.epoch = 1;
    program.classes = {{TrafficClass{1}, {46}}};
    Rng rng{1, "demands"};
    for (std::size_t to = 1; to <= kNodes; ++to) {
      const std::string name = std::string{"n"}.append(std::to_string(to));
      program.egresses.push_back({name, sid(to, 0x46)});
      program.prefixes.push_back({{customer(to, 0), 24}, name});
      program.prefixes.push_back(
          {{IpAddress::v6({0x20, 1, 0xd, 0xb8, static_cast<std::uint8_t>(to >> 8), static_cast<std::uint8_t>(to)}), 48},
           name});
      const auto port = [&] { return node.ports[1 + rng.below(4)].name; };
      program.routes.push_back({{sid(to, 0), 64}, port(), {}});
      for (std::size_t cls = 0; cls < 2; ++cls) {
        ProgrammedDemand demand{.cls = TrafficClass{cls}, .destination = name, .paths = {}, .backups = {}};
        for (std::uint64_t id = 0; id < 3; ++id) {
          ProgrammedPath path{.id = id, .fraction = 1.0 / 3, .port = port(), .segments = {}, .links = {}};
          for (std::size_t s = 1; s < segments; ++s) path.segments.push_back(sid(1 + rng.below(kNodes), 1));
          path.segments.push_back(sid(to, 0x46));
          demand.paths.push_back(std::move(path));
        }
        program.demands.push_back(std::move(demand));
      }
    }
    std::sort(program.demands.begin(), program.demands.end(),
              [](const auto& a, const auto& b) { return a.cls.index() < b.cls.index(); });
    table = ForwardingTable::compile(program, node, nullptr).value();
    std::vector<NeighborTable::Entry> known;
    for (std::uint16_t port = 1; port <= 4; ++port)
      known.push_back({port, *node.ports[port].neighbor, {2, 9, 9, 9, 9, 9}});
    for (std::uint8_t host = 2; host < 250; ++host) known.push_back({0, customer(0, host), {2, 8, 8, 8, 8, host}});
    neighbors = NeighborTable{known, node.ports};
  }
};

/// 50 bytes of IP in a 64-byte frame.
Bytes customer_packet(const IpAddress& from, const IpAddress& to, std::size_t flow) {
  Bytes packet = dataplane::test::ipv4({.traffic_class = static_cast<std::uint8_t>(flow % 2 == 0 ? 0 : 46 << 2)},
                                       dataplane::test::udp(1024 + flow, 443, 22));
  std::copy_n(from.bytes().begin(), 4, packet.begin() + 12);
  std::copy_n(to.bytes().begin(), 4, packet.begin() + 16);
  return packet;
}
Bytes outer(const IpAddress& to, std::uint8_t next, const Bytes& inner) {
  Bytes packet = dataplane::test::ipv6(next, inner);
  std::copy_n(to.bytes().begin(), 16, packet.begin() + 24);
  return packet;
}

void run(benchmark::State& state, const Bench& bench, std::size_t in_port, const std::vector<Bytes>& packets) {
  std::vector<Bytes> frames;
  for (const Bytes& packet : packets) {
    const auto& mac = bench.node.ports[in_port].mac;
    frames.push_back(Bytes{mac.begin(), mac.end()} + Bytes{2, 9, 9, 9, 9, 9} +
                     dataplane::test::be16(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd) + packet);
  }
  std::vector<std::uint8_t> memory(frames.size() * kSlotBytes);
  const Forwarder forwarder{bench.node, bench.states};
  std::size_t done = 0, sent = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      std::copy(frames[i].begin(), frames[i].end(),
                memory.begin() + static_cast<std::ptrdiff_t>(i * kSlotBytes + kHeadroom));
    }
    state.ResumeTiming();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      PacketBuffer packet{.data = memory.data() + i * kSlotBytes + kHeadroom,
                          .length = static_cast<std::uint32_t>(frames[i].size()),
                          .headroom = kHeadroom};
      const PacketView view = in_port == kHosts ? parse_ethernet(packet.bytes()) : PacketView{};
      const Verdict verdict = forwarder.forward(packet, in_port, view, *bench.table, bench.neighbors);
      sent += verdict.kind == Verdict::Kind::kSend;
    }
    done += frames.size();
  }
  if (sent != done) state.SkipWithError("not every packet was sent");
  state.counters["ns_per_packet"] =
      benchmark::Counter(static_cast<double>(done), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetItemsProcessed(static_cast<std::int64_t>(done));
}

void ingress(benchmark::State& state) {
  const Bench bench{static_cast<std::size_t>(state.range(0))};
  std::vector<Bytes> packets;
  Rng rng{2, "flows"};
  for (std::size_t i = 0; i < kFlows; ++i) {
    packets.push_back(customer_packet(customer(0, 9), customer(1 + rng.below(kNodes), 7), i));
  }
  run(state, bench, kHosts, packets);
}
BENCHMARK(ingress)->ArgName("segments")->Arg(1)->Arg(3)->Arg(10);

void transit(benchmark::State& state) {
  const Bench bench{1};
  std::vector<Bytes> packets;
  Rng rng{3, "flows"};
  for (std::size_t i = 0; i < kFlows; ++i) {
    packets.push_back(outer(sid(1 + rng.below(kNodes), 0x46), 4, customer_packet(customer(5, 9), customer(6, 7), i)));
  }
  run(state, bench, kEast, packets);
}
BENCHMARK(transit);

/// End, with a segment left behind the next, or the last one coming up (PSP).
void next_segment(benchmark::State& state) {
  const Bench bench{1};
  std::vector<Bytes> packets;
  Rng rng{4, "flows"};
  const auto entries = static_cast<std::uint8_t>(state.range(0));
  for (std::size_t i = 0; i < kFlows; ++i) {
    Bytes routing{4, static_cast<std::uint8_t>(2 * entries), 4, entries, static_cast<std::uint8_t>(entries - 1), 0, 0,
                  0};
    for (std::uint8_t e = 0; e < entries; ++e) {
      const IpAddress next = sid(1 + rng.below(kNodes), 1);
      routing.insert(routing.end(), next.bytes().begin(), next.bytes().end());
    }
    packets.push_back(outer(sid(0, 1), 43, routing + customer_packet(customer(5, 9), customer(6, 7), i)));
  }
  run(state, bench, kEast, packets);
}
BENCHMARK(next_segment)->ArgName("left")->Arg(1)->Arg(2);

void egress(benchmark::State& state) {
  const Bench bench{1};
  std::vector<Bytes> packets;
  for (std::size_t i = 0; i < kFlows; ++i) {
    packets.push_back(outer(sid(0, 0x46), 4,
                            customer_packet(customer(5, 9), customer(0, static_cast<std::uint8_t>(2 + i % 240)), i)));
  }
  run(state, bench, kEast, packets);
}
BENCHMARK(egress);

void compile_program(benchmark::State& state) {
  const Bench bench{3};
  NodeProgram next = bench.table->program();
  ++next.epoch;
  for (auto _ : state) {
    auto table = ForwardingTable::compile(next, bench.node, bench.table.get());
    benchmark::DoNotOptimize(table);
  }
}
BENCHMARK(compile_program)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
