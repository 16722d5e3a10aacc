#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/node_program.h"
#include "core/node_report.h"
#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/program/node_config.h"
#include "telemetry/zmq/bus.h"

namespace wan::dataplane {

/// The node's side of the bus: takes programs, acknowledges them, says hello.
///
/// Threads: one owner.
class NodeAgent {
 public:
  /// @param bus  none: a node by itself
  NodeAgent(const NodeConfig& config, NodeIdentity identity, PacketEngine& engine,
            std::optional<telemetry::NodeBus> bus);

  /// Takes what has come, waiting up to `wait` for the first message.
  void receive(std::chrono::milliseconds wait);
  void say_hello(const std::vector<bool>& port_up);
  void report(const IntervalReport& report);

  [[nodiscard]] std::uint64_t epoch() const { return engine_.table().program().epoch; }

 private:
  void take_program(const NodeProgram& program);
  void acknowledge(const NodeProgram& program, std::string refusal);
  void log_fault();

  const NodeConfig& config_;
  NodeIdentity identity_;
  PacketEngine& engine_;
  std::optional<telemetry::NodeBus> bus_;
  std::uint64_t installs_ = 0;
  std::chrono::steady_clock::time_point last_fault_{};
};

}  // namespace wan::dataplane
