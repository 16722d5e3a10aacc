#include "dataplane/program/run_command.h"

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/time.h"
#include "dataplane/program/flow_export.h"
#include "dataplane/program/interval_report.h"
#include "dataplane/program/node_agent.h"
#include "dataplane/program/node_config.h"
#include "dataplane/program/port_watch.h"
#include "dataplane/program/slow_path.h"

namespace wan::dataplane {
namespace {

constexpr auto kTurn = std::chrono::milliseconds{2};  // of the control thread
constexpr auto kHelloToDaemon = std::chrono::seconds{1};

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void request_stop(int) { stop_requested = 1; }

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void start_log(const NodeConfig& config) {
  auto logger = std::make_shared<spdlog::logger>(config.facts.name, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->set_pattern(config.log_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","node":"%n","text":"%v"})"
                                      : "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

NodeIdentity new_identity(const NodeConfig& config) {
  NodeIdentity identity{.name = config.facts.name, .boot_id = 0};
  if (getrandom(&identity.boot_id, sizeof identity.boot_id, 0) != sizeof identity.boot_id || identity.boot_id == 0) {
    identity.boot_id = static_cast<std::uint64_t>(wall_clock_ns());
  }
  return identity;
}

std::vector<std::string> kernel_interfaces(const NodeConfig& config) {
  std::vector<std::string> names;
  for (const PortDevice& device : config.engine.devices) {
    if (device.kind == PortDevice::Kind::kKernel) names.push_back(device.device);
  }
  return names;
}

/// The control thread's parts, and its turns.
class Node {
 public:
  Node(const NodeConfig& config, PacketEngine& engine, PortStates& states, LinkWatch links,
       std::optional<telemetry::NodeBus> bus, std::optional<FlowExport> flow_export)
      : config_{config},
        engine_{engine},
        watch_{config, engine, states, std::move(links)},
        slow_path_{config, engine},
        agent_{config, identity_, engine, std::move(bus)},
        reporter_{config.facts, identity_, config.report_interval, wall_clock_ns()},
        flow_export_{std::move(flow_export)} {}

  void turn() {
    agent_.receive(kTurn);
    const Duration now = clock_.now();
    const auto changes = watch_.tick(now);
    for (const auto& change : changes) {
      spdlog::warn("port {} is {} ({})", config_.facts.ports[change.port].name, change.up ? "up" : "down",
                   change.cause);
      if (change.up) slow_path_.port_came_up(change.port);
    }
    slow_path_.tick(now);
    if (!changes.empty() || now >= next_hello_) {
      agent_.say_hello(port_up());
      next_hello_ = now + kHelloToDaemon;
    }
    if (reporter_.is_due(wall_clock_ns())) report();
    export_flows();
  }

  void export_flows() {
    const auto records = engine_.take_flow_records();
    if (flow_export_) flow_export_->write(records, wall_clock_ns());
  }

 private:
  [[nodiscard]] std::vector<bool> port_up() const {
    std::vector<bool> up;
    for (std::size_t port = 0; port < config_.facts.ports.size(); ++port) up.push_back(watch_.up(port));
    return up;
  }

  void report() {
    IntervalReporter::Extras extras{.port_up = port_up(),
                                    .queue_drops = {},
                                    .receive_errors = {},
                                    .program_epoch = agent_.epoch(),
                                    .flows = engine_.flow_count()};
    std::vector<WorkerCounters*> sets;
    for (std::size_t set = 0; set < engine_.counter_sets(); ++set) sets.push_back(&engine_.counters(set));
    for (std::size_t port = 0; port < config_.facts.ports.size(); ++port) {
      extras.queue_drops.push_back(watch_.queue_drops(port));
      extras.receive_errors.push_back(engine_.receive_errors(port));
    }
    agent_.report(reporter_.close(sets, engine_.table().counter_names(), extras, wall_clock_ns()));
  }

  const NodeConfig& config_;
  PacketEngine& engine_;
  SteadyClock clock_;
  NodeIdentity identity_ = new_identity(config_);
  PortWatch watch_;
  SlowPath slow_path_;
  NodeAgent agent_;
  IntervalReporter reporter_;
  std::optional<FlowExport> flow_export_;
  Duration next_hello_{0};
};

Result<void> run(const std::string& file) {
  auto config = read_node_config(file);
  if (!config) return tl::unexpected<Error>{config.error()};
  start_log(*config);
  // Before any thread starts: threads inherit it.
  if (setpriority(PRIO_PROCESS, 0, config->nice) != 0) {
    spdlog::warn("no right to run at nice {} (CAP_SYS_NICE): hellos may be late on a busy machine", config->nice);
  }
  auto links = LinkWatch::open(kernel_interfaces(*config));
  if (!links) return tl::unexpected<Error>{links.error()};
  std::optional<telemetry::NodeBus> bus;
  if (config->daemon) {
    auto connected = telemetry::NodeBus::connect(*config->daemon, config->facts.name);
    if (!connected) return tl::unexpected<Error>{connected.error()};
    bus = std::move(*connected);
  }
  std::optional<FlowExport> flow_export;
  if (config->ipfix) {
    auto opened = FlowExport::open(*config->ipfix);
    if (!opened) return tl::unexpected<Error>{opened.error()};
    flow_export = std::move(*opened);
  }
  auto table = ForwardingTable::compile(config->first_program, config->facts, nullptr);
  if (!table) return fail(table.error().code, file + ": " + table.error().message);
  PortStates states;
  for (std::size_t port = 0; port < config->facts.ports.size(); ++port) {
    // Nobody tells of the others: they are up from the first packet on.
    const bool watched = config->hello_ports[port] || config->engine.devices[port].kind == PortDevice::Kind::kKernel;
    states.set(port, !watched);
  }
  auto known = std::make_unique<const NeighborTable>(NeighborResolver{config->facts, config->fixed_neighbors}.entries(),
                                                     config->facts.ports);
  auto engine = PacketEngine::start(config->engine, config->facts, states, std::move(*table), std::move(known));
  if (!engine) return tl::unexpected<Error>{engine.error()};
  spdlog::info("node {} runs: {} ports, {} workers", config->facts.name, config->facts.ports.size(),
               config->engine.workers);
  {
    Node node{*config, **engine, states, std::move(*links), std::move(bus), std::move(flow_export)};
    while (stop_requested == 0) node.turn();
    (*engine)->stop_workers();
    node.export_flows();
  }
  spdlog::info("node {} stops", config->facts.name);
  return {};
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "Forward packets as one node of the network, until SIGTERM");
  auto file = std::make_shared<std::string>();
  auto check_only = std::make_shared<bool>(false);
  command->add_option("--config", *file, "YAML file of this node (docs/formats/node-config.md)")->required();
  command->add_flag("--check", *check_only, "Only read the configuration and say what is wrong with it");
  command->footer(
      "Examples:\n"
      "  aiwan-dataplane run --config /etc/aiwan/node.yaml\n"
      "  aiwan-dataplane run --config node.yaml --check");
  command->callback([file, check_only, &exit_code] {
    Result<void> done{};
    if (*check_only) {
      if (const auto config = read_node_config(*file); !config) done = tl::unexpected<Error>{config.error()};
    } else {
      struct sigaction action {};
      action.sa_handler = request_stop;
      sigaction(SIGTERM, &action, nullptr);
      sigaction(SIGINT, &action, nullptr);
      done = run(*file);
    }
    if (done) return;
    std::fprintf(stderr, "aiwan-dataplane: %s\n", done.error().message.c_str());
    exit_code = EXIT_FAILURE;
  });
}

}  // namespace wan::dataplane
