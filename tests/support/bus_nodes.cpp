// bus_nodes: the nodes of a network file, simulated on the bus, for tests of aiwand.
//
// Each node says hello, reports what the demands and everybody's programs make of an interval, takes programs and
// acknowledges them. Commands come as JSON lines on standard input, events go as JSON lines to standard output:
//   {"demands": [{"from","to","class": 0,"rate_bps"}]}   from the next interval on
//   {"port": {"node","port","up"}}                        says hello at once
//   {"restart": NODE}                                     a new life, without a program
//   {"mute": {"node", "on"}}                              says nothing any more, and answers nothing
//   {"bytes": NODE}                                       -> {"hello","report","ack"}: messages of it, in hexadecimal
//   {"show": true}                                        -> {"nodes":
//   [{"name","epoch","digest","installs","refused"}]}
//   {"quit": true}                                        -> {"summary": {...}}

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "controller/node_programs.h"
#include "core/io/network_file.h"
#include "core/random.h"
#include "simulator/fluid_network.h"
#include "telemetry/zmq/bus.h"

namespace {

using namespace wan;
using nlohmann::json;

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr double kPacketBytes = 1000.0;
constexpr double kEncapsulation = 1.06;  // frame bytes on a link for each byte that entered

std::int64_t clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct SimulatedNode {
  NodeId id;
  NodeIdentity identity;
  telemetry::NodeBus bus;
  NodeProgram program;
  std::uint64_t sequence = 0;
  std::uint64_t installs = 0;
  std::uint64_t refused = 0;
  bool mute = false;
  std::int64_t acknowledged_ns = 0;
};

struct Options {
  std::string network, bus;
  std::int64_t interval_s = 1;
  std::uint64_t vary_seed = 0;  // above zero: demands change by themselves each interval
  double vary_share = 0.1;
  double vary_bps = 0.0;
};

class Simulation {
 public:
  Simulation(io::NetworkDescription description, const Options& given)
      : network{std::move(description)},
        topology{network.topology},
        matrix{topology.node_count()},
        options{given},
        rng{given.vary_seed} {
    for (const io::NodeSettings& node : network.nodes) {
      plane.nodes.push_back({.locator = node.locator, .prefixes = node.prefixes, .managed = node.managed});
    }
    plane.ports = network.ports;
    plane.reverse = network.reverse;
    port_down.assign(topology.link_count(), false);
  }

  bool connect() {
    for (std::size_t n = 0; n < topology.node_count(); ++n) {
      if (!network.nodes[n].managed) continue;
      auto bus = telemetry::NodeBus::connect(options.bus, topology.node(NodeId{n}).name);
      if (!bus) {
        std::cerr << bus.error().message << '\n';
        return false;
      }
      nodes.push_back(
          {.id = NodeId{n},
           .identity = {.name = topology.node(NodeId{n}).name, .boot_id = static_cast<std::uint64_t>(clock_ns()) + n},
           .bus = *std::move(bus),
           .program = {}});
    }
    return true;
  }

  void run() {
    interval_begin_ns = clock_ns() / interval_ns() * interval_ns();
    hello_all();
    while (!quit) {
      const bool heard = read_bus();
      read_commands();
      const std::int64_t now = clock_ns();
      if (now >= interval_begin_ns + interval_ns()) {
        close_interval();
      } else if (now - last_hello_ns >= kSecond_ns) {
        hello_all();
      }
      if (!heard) std::this_thread::sleep_for(std::chrono::microseconds{round_open ? 200 : 2000});
    }
    print_summary();
  }

 private:
  [[nodiscard]] std::int64_t interval_ns() const { return options.interval_s * kSecond_ns; }

  void hello(SimulatedNode& node) {
    if (node.mute) return;
    NodeHello hello{.node = node.identity,
                    .version = "bus_nodes",
                    .locator = network.nodes[node.id.index()].locator.to_string(),
                    .program_epoch = node.program.epoch,
                    .program_digest = node.program.digest,
                    .installs = node.installs,
                    .ports = {}};
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (topology.links()[l].from == node.id)
        hello.ports.push_back({.name = network.ports[l], .up = !port_down[l], .mtu = 1600});
    }
    node.bus.send(hello);
  }
  void hello_all() {
    last_hello_ns = clock_ns();
    for (SimulatedNode& node : nodes) hello(node);
  }

  bool read_bus() {
    bool heard = false;
    for (SimulatedNode& node : nodes) {
      while (auto message = node.bus.receive(std::chrono::milliseconds{0})) {
        heard = true;
        if (node.mute) continue;
        if (const auto* program = std::get_if<NodeProgram>(&*message)) {
          take(node, *program);
        } else {
          node.bus.send(telemetry::ProgramReport{.node = node.identity, .program = node.program});
        }
      }
    }
    for (SimulatedNode& node : nodes) {
      if (const auto fault = node.bus.take_fault())
        std::cerr << node.identity.name << ": " << fault->error.message << '\n';
    }
    if (heard) note_round();
    return heard;
  }

  void take(SimulatedNode& node, const NodeProgram& program) {
    ProgramAck ack{
        .node = node.identity, .epoch = program.epoch, .digest = program.digest, .accepted = true, .reason = {}};
    if (program.epoch <= node.program.epoch) {
      ack.accepted = false;
      ack.reason = "the epoch is not above " + std::to_string(node.program.epoch);
      ++node.refused;
    } else {
      node.program = program;
      ++node.installs;
      node.acknowledged_ns = clock_ns();
      plan_stale = true;
    }
    node.bus.send(ack);
    const json line{{"event", "program"},
                    {"node", node.identity.name},
                    {"epoch", ack.epoch},
                    {"accepted", ack.accepted},
                    {"ms", static_cast<double>(clock_ns() - reports_sent_ns) / 1e6}};
    std::cout << line << '\n' << std::flush;
  }

  /// A round is over when all nodes run one program that came after the newest reports.
  void note_round() {
    if (!round_open) return;
    std::int64_t last = 0;
    for (const SimulatedNode& node : nodes) {
      if (node.mute) continue;
      if (node.acknowledged_ns < reports_sent_ns || node.program.epoch != nodes.front().program.epoch) return;
      last = std::max(last, node.acknowledged_ns);
    }
    round_open = false;
    latencies_ms.push_back(static_cast<double>(last - reports_sent_ns) / 1e6);
  }

  [[nodiscard]] std::optional<LinkId> link_at(NodeId node, const std::string& port) const {
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (topology.links()[l].from == node && network.ports[l] == port) return LinkId{l};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<LinkId> down_links() const {
    std::vector<LinkId> down;
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (port_down[l] || port_down[network.reverse[l].index()]) down.push_back(LinkId{l});
    }
    return down;
  }

  /// What the programs make of all demands, path by path as a packet would go.
  void rebuild_plan() {
    const Topology physical = topology.with_links_down(down_links());
    PathPlanBuilder builder;
    for (const SimulatedNode& node : nodes) {
      for (std::size_t t = 0; t < topology.node_count(); ++t) {
        if (NodeId{t} == node.id || !network.nodes[t].managed) continue;
        builder.begin_demand({.cls = TrafficClass{0}, .from = node.id, .to = NodeId{t}});
        for (const auto& [fraction, links] : ways(physical, node, NodeId{t})) builder.add_path(fraction, links);
      }
    }
    plan = std::move(builder).build();
    plan_stale = false;
  }

  using Way = std::pair<double, std::vector<LinkId>>;
  [[nodiscard]] std::vector<Way> ways(const Topology& physical, const SimulatedNode& node, NodeId to) const {
    const std::string& name = topology.node(to).name;
    std::vector<Way> found;
    const auto add = [&](double fraction, const std::string& port, const std::vector<IpAddress>& segments) {
      const auto first = link_at(node.id, port);
      if (!first) return;
      if (auto links = controller::expand_segments(physical, plane, *first, segments))
        found.emplace_back(fraction, *links);
    };
    for (const ProgrammedDemand& demand : node.program.demands) {
      if (demand.destination != name || demand.cls.index() != 0) continue;
      const std::vector<ProgrammedPath>* paths = &demand.paths;
      for (const ProgrammedBackup& backup : demand.backups) {
        const auto link = link_at(node.id, backup.failed_port);
        if (link && !physical.link(*link).up) paths = &backup.paths;
      }
      for (const ProgrammedPath& path : *paths) add(path.fraction, path.port, path.segments);
      return found;
    }
    for (const EgressNode& egress : node.program.egresses) {
      if (egress.name != name) continue;
      for (const SidRoute& route : node.program.routes) {
        if (route.locator.contains(egress.decapsulation_sid)) add(1.0, route.port, {egress.decapsulation_sid});
      }
    }
    return found;
  }

  void close_interval() {
    const std::int64_t begin = interval_begin_ns;
    interval_begin_ns += interval_ns();
    if (clock_ns() >= interval_begin_ns + interval_ns()) interval_begin_ns = clock_ns() / interval_ns() * interval_ns();
    if (plan_stale) rebuild_plan();
    const Topology physical = topology.with_links_down(down_links());
    const simulator::FluidOutcome outcome = simulator::FluidNetwork{physical}.carry(plan, matrix);
    round_open = true;
    reports_sent_ns = clock_ns();
    for (SimulatedNode& node : nodes) report(node, begin, outcome);
    ++intervals;
    double delivered = outcome.offered.bps() > 0.0 ? outcome.delivered / outcome.offered : 1.0;
    json line{{"event", "interval"},
              {"begin_s", begin / kSecond_ns},
              {"max_utilization", outcome.max_utilization},
              {"delivered", delivered}};
    json loads = json::object();
    for (std::size_t l = 0; l < topology.link_count(); ++l) loads[topology.links()[l].name] = outcome.carried[l].bps();
    line["links"] = std::move(loads);
    std::cout << line << '\n' << std::flush;
    if (options.vary_seed > 0) vary();
  }

  void report(SimulatedNode& node, std::int64_t begin, const simulator::FluidOutcome& outcome) {
    if (node.mute) return;
    IntervalReport report{.node = node.identity,
                          .sequence = node.sequence++,
                          .begin_ns = begin,
                          .end_ns = begin + interval_ns(),
                          .program_epoch = node.program.epoch,
                          .demands = {},
                          .ports = {},
                          .drops = {},
                          .flows = 1};
    const double seconds = static_cast<double>(options.interval_s);
    for (std::size_t t = 0; t < topology.node_count(); ++t) {
      const double bytes = matrix.at(node.id, NodeId{t}).bps() * seconds / 8.0;
      if (bytes <= 0.0) continue;
      report.demands.push_back({.cls = TrafficClass{0},
                                .destination = topology.node(NodeId{t}).name,
                                .bytes = static_cast<std::uint64_t>(bytes),
                                .packets = static_cast<std::uint64_t>(bytes / kPacketBytes),
                                .dropped_packets = 0});
    }
    std::sort(report.demands.begin(), report.demands.end(), [](const DemandCount& a, const DemandCount& b) {
      return std::pair{a.cls, a.destination} < std::pair{b.cls, b.destination};
    });
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (topology.links()[l].from != node.id) continue;
      report.ports.push_back(port_count(l, outcome, seconds));
    }
    node.bus.send(report);
  }

  [[nodiscard]] PortCount port_count(std::size_t link, const simulator::FluidOutcome& outcome, double seconds) const {
    const std::size_t back = network.reverse[link].index();
    const auto bytes = [&](std::size_t l) { return outcome.carried[l].bps() * kEncapsulation * seconds / 8.0; };
    const double offered = outcome.offered_utilization[link] * topology.links()[link].capacity.bps();
    const double dropped = std::max(0.0, offered - outcome.carried[link].bps()) * seconds / 8.0 / kPacketBytes;
    const bool overloaded = outcome.offered_utilization[link] > 1.0;
    return {.name = network.ports[link],
            .up = !port_down[link],
            .sent_bytes = static_cast<std::uint64_t>(bytes(link)),
            .sent_packets = static_cast<std::uint64_t>(bytes(link) / kPacketBytes),
            .send_drops = overloaded ? static_cast<std::uint64_t>(dropped) : 0,
            .received_bytes = static_cast<std::uint64_t>(bytes(back)),
            .received_packets = static_cast<std::uint64_t>(bytes(back) / kPacketBytes),
            .receive_errors = 0};
  }

  /// Draws at least `vary_share` of the demands anew.
  void vary() {
    std::vector<std::pair<NodeId, NodeId>> pairs;
    for (const SimulatedNode& from : nodes) {
      for (const SimulatedNode& to : nodes) {
        if (from.id != to.id) pairs.emplace_back(from.id, to.id);
      }
    }
    const auto count = static_cast<std::size_t>(std::ceil(options.vary_share * static_cast<double>(pairs.size())));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t other = i + static_cast<std::size_t>(rng.below(pairs.size() - i));
      std::swap(pairs[i], pairs[other]);
      matrix.set(pairs[i].first, pairs[i].second, BitRate::bps(options.vary_bps * rng.uniform() * 2.0));
    }
  }

  void read_commands() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (::poll(&input, 1, 0) > 0) {
      char bytes[65536];
      const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
      if (count <= 0) {
        quit = true;
        return;
      }
      pending.append(bytes, static_cast<std::size_t>(count));
    }
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      obey(json::parse(pending.substr(0, end)));
      pending.erase(0, end + 1);
    }
  }

  void obey(const json& command) {
    for (const json& demand : command.value("demands", json::array())) {
      matrix.set(*topology.find_node(demand.at("from").get<std::string>()),
                 *topology.find_node(demand.at("to").get<std::string>()), BitRate::bps(demand.at("rate_bps")));
    }
    if (command.contains("port")) set_port(command["port"]);
    for (SimulatedNode& node : nodes) {
      if (command.value("restart", "") == node.identity.name) restart(node);
      if (command.contains("mute") && command["mute"].at("node") == node.identity.name)
        node.mute = command["mute"].at("on");
    }
    if (command.contains("bytes")) print_bytes(command["bytes"]);
    if (command.contains("show")) show();
    if (command.contains("quit")) quit = true;
  }

  void set_port(const json& port) {
    const auto node = topology.find_node(port.at("node").get<std::string>());
    const auto link = link_at(*node, port.at("port").get<std::string>());
    port_down[link->index()] = !port.at("up").get<bool>();
    plan_stale = true;
    round_open = true;
    reports_sent_ns = clock_ns();
    for (SimulatedNode& at : nodes) {
      if (at.id == *node) hello(at);
    }
  }

  void restart(SimulatedNode& node) {
    node.program = {};
    node.installs = 0;
    node.sequence = 0;
    node.identity.boot_id += 1000;
    plan_stale = true;
    hello(node);
  }

  void show() const {
    json list = json::array();
    for (const SimulatedNode& node : nodes) {
      list.push_back({{"name", node.identity.name},
                      {"epoch", node.program.epoch},
                      {"digest", node.program.digest},
                      {"installs", node.installs},
                      {"refused", node.refused},
                      {"demands", node.program.demands.size()}});
    }
    std::cout << json{{"event", "nodes"}, {"nodes", std::move(list)}} << '\n' << std::flush;
  }

  /// What a node would send, for those who forge: its hello, a report and its newest acknowledgement.
  void print_bytes(const std::string& name) const {
    for (const SimulatedNode& node : nodes) {
      if (node.identity.name != name) continue;
      const NodeHello hello{.node = node.identity,
                            .version = "bus_nodes",
                            .locator = "fc00::/64",
                            .program_epoch = 0,
                            .program_digest = {},
                            .installs = 0,
                            .ports = {}};
      const IntervalReport report{.node = node.identity,
                                  .sequence = node.sequence,
                                  .begin_ns = interval_begin_ns,
                                  .end_ns = interval_begin_ns + interval_ns(),
                                  .program_epoch = 0,
                                  .demands = {},
                                  .ports = {},
                                  .drops = {},
                                  .flows = 0};
      const ProgramAck ack{.node = node.identity,
                           .epoch = node.program.epoch,
                           .digest = node.program.digest,
                           .accepted = true,
                           .reason = {}};
      std::cout << json{{"event", "bytes"},
                        {"hello", hex(telemetry::encode(telemetry::NodeMessage{hello}))},
                        {"report", hex(telemetry::encode(telemetry::NodeMessage{report}))},
                        {"ack", hex(telemetry::encode(telemetry::NodeMessage{ack}))}}
                << '\n'
                << std::flush;
    }
  }

  static std::string hex(const std::string& bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
      text.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
      text.push_back(kDigits[static_cast<unsigned char>(c) & 15U]);
    }
    return text;
  }

  void print_summary() {
    std::sort(latencies_ms.begin(), latencies_ms.end());
    const auto at = [&](double share) {
      if (latencies_ms.empty()) return json(nullptr);
      const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies_ms.size())));
      return json(latencies_ms[std::max<std::size_t>(rank, 1) - 1]);
    };
    std::cout << json{{"event", "summary"}, {"intervals", intervals}, {"rounds", latencies_ms.size()},
                      {"p50_ms", at(0.5)},  {"p99_ms", at(0.99)},     {"max_ms", at(1.0)}}
              << '\n'
              << std::flush;
  }

  io::NetworkDescription network;
  Topology topology;
  controller::ForwardingPlane plane;
  TrafficMatrix matrix;
  Options options;
  Rng rng;
  std::vector<SimulatedNode> nodes;
  std::vector<bool> port_down;  // by link: its near end's port
  PathPlan plan;
  bool plan_stale = true;
  bool round_open = false;
  bool quit = false;
  std::int64_t interval_begin_ns = 0;
  std::int64_t last_hello_ns = 0;
  std::int64_t reports_sent_ns = 0;
  std::uint64_t intervals = 0;
  std::vector<double> latencies_ms;
  std::string pending;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"bus_nodes: simulated nodes on the bus, for tests of aiwand"};
  Options options;
  app.add_option("--network", options.network, "network file")->required();
  app.add_option("--bus", options.bus, "the daemon's endpoint")->required();
  app.add_option("--interval-s", options.interval_s, "between reports");
  app.add_option("--vary-seed", options.vary_seed, "above 0: demands change by themselves each interval");
  app.add_option("--vary-share", options.vary_share, "of the demands, each interval");
  app.add_option("--vary-bps", options.vary_bps, "their mean");
  CLI11_PARSE(app, argc, argv);
  auto network = io::read_network(options.network);
  if (!network) {
    std::cerr << network.error().message << '\n';
    return EXIT_FAILURE;
  }
  Simulation simulation{*std::move(network), options};
  if (!simulation.connect()) return EXIT_FAILURE;
  simulation.run();
  return EXIT_SUCCESS;
}
