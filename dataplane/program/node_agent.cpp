#include "dataplane/program/node_agent.h"

#include <spdlog/spdlog.h>

#include <thread>

namespace wan::dataplane {

NodeAgent::NodeAgent(const NodeConfig& config, NodeIdentity identity, PacketEngine& engine,
                     std::optional<telemetry::NodeBus> bus)
    : config_{config}, identity_{std::move(identity)}, engine_{engine}, bus_{std::move(bus)} {}

void NodeAgent::receive(std::chrono::milliseconds wait) {
  if (!bus_) {
    std::this_thread::sleep_for(wait);
    return;
  }
  constexpr int kMessagesMax = 100;  // a turn
  for (int i = 0; i < kMessagesMax; ++i) {
    const auto message = bus_->receive(i == 0 ? wait : std::chrono::milliseconds{0});
    if (!message) break;
    if (const auto* program = std::get_if<NodeProgram>(&*message)) {
      take_program(*program);
    } else {
      (void)bus_->send(telemetry::ProgramReport{identity_, engine_.table().program()});
    }
  }
  log_fault();
}

/// Installs a program that is newer than the one in force; the same one again is acknowledged again.
void NodeAgent::take_program(const NodeProgram& program) {
  const NodeProgram& in_force = engine_.table().program();
  if (program.epoch == in_force.epoch && program == in_force) return acknowledge(program, "");
  if (program.epoch <= in_force.epoch) {
    return acknowledge(program, "epoch " + std::to_string(in_force.epoch) + " is in force already");
  }
  auto table = ForwardingTable::compile(program, config_.facts, &engine_.table());
  if (!table) return acknowledge(program, table.error().message);
  engine_.install(std::move(*table));
  ++installs_;
  acknowledge(program, "");
  spdlog::info("program of epoch {} in force: {} demands, {} routes", program.epoch, program.demands.size(),
               program.routes.size());
}

void NodeAgent::acknowledge(const NodeProgram& program, std::string refusal) {
  const bool accepted = refusal.empty();
  if (!accepted) spdlog::warn("program of epoch {} refused: {}", program.epoch, refusal);
  (void)bus_->send(ProgramAck{identity_, program.epoch, program.digest, accepted, std::move(refusal)});
}

void NodeAgent::say_hello(const std::vector<bool>& port_up) {
  if (!bus_) return;
  NodeHello hello{.node = identity_,
                  .version = AIWAN_VERSION,
                  .locator = config_.facts.locator.to_string(),
                  .program_epoch = epoch(),
                  .program_digest = engine_.table().program().digest,
                  .installs = installs_,
                  .ports = {}};
  for (std::size_t port = 0; port < port_up.size(); ++port) {
    hello.ports.push_back({config_.facts.ports[port].name, port_up[port], config_.facts.ports[port].mtu});
  }
  (void)bus_->send(hello);
}

void NodeAgent::report(const IntervalReport& report) {
  if (bus_) (void)bus_->send(report);
}

/// At most one line a second, however many bad messages come.
void NodeAgent::log_fault() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_fault_ < std::chrono::seconds{1}) return;
  if (const auto fault = bus_->take_fault()) {
    last_fault_ = now;
    spdlog::warn("bus: {} ({} malformed so far)", fault->error.message, bus_->counts().malformed);
  }
}

}  // namespace wan::dataplane
