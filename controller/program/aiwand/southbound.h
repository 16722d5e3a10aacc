#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/program/aiwand/node_table.h"
#include "core/node_program.h"
#include "core/node_report.h"
#include "core/topology.h"
#include "telemetry/zmq/bus.h"

namespace wan::controller {

/// Brings the programs of one network-wide plan to the nodes and sees that each has taken its own.
///
/// A node that says it runs something else is sent its program again: after a restart at once, otherwise when an answer
/// is overdue. A plan counts as in force once sent; what nodes have not taken is told, and alarmed by the owner.
/// Threads: one owner, the bus's.
class Southbound {
 public:
  static constexpr std::int64_t kAnswerWithin_ns = 500'000'000;

  Southbound(const Topology& topology, std::vector<bool> managed);

  /// All programs of one plan, by node; empty ones (epoch 0) are for nodes that are told nothing.
  void install(telemetry::DaemonBus& bus, std::vector<NodeProgram> by_node, std::int64_t now_ns);
  /// What nodes run already is what they should: nothing is sent to those. @param by_node  for nodes that come back
  void adopt(std::vector<NodeProgram> by_node, std::uint64_t epoch, const std::string& digest);

  /// Compares what a node says with what it should run, and sends again what is missing.
  void meet(telemetry::DaemonBus& bus, NodeId node, const NodeEntry& entry, std::int64_t now_ns);
  struct Answer {
    bool complete_now = false;  ///< it was the last node to answer
    bool refused = false;
  };
  Answer take(NodeId node, const ProgramAck& ack, std::int64_t now_ns);

  [[nodiscard]] bool has_programs() const { return epoch_ > 0; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const std::string& digest() const { return digest_; }
  /// A node runs something of a higher epoch, or the same epoch with other content: it will refuse ours until the plan
  /// gets a number above.
  [[nodiscard]] bool must_renumber() const { return must_renumber_; }
  [[nodiscard]] std::vector<std::string> acknowledged() const { return names(true); }
  [[nodiscard]] std::vector<std::string> waiting() const { return names(false); }
  /// Nodes that are alive and have not taken their program for longer than `patience`.
  [[nodiscard]] std::vector<NodeId> overdue(std::int64_t now_ns, Duration patience) const;
  /// From sending to the last acknowledgement of the newest plan; nothing while nodes are missing.
  [[nodiscard]] std::optional<Duration> round_time() const;
  [[nodiscard]] const std::vector<NodeProgram>& programs() const { return programs_; }

 private:
  struct Delivery {
    bool acknowledged = false;
    std::int64_t sent_ns = 0;
    std::int64_t acknowledged_ns = 0;
  };
  void send(telemetry::DaemonBus& bus, std::size_t node, std::int64_t now_ns);
  [[nodiscard]] std::vector<std::string> names(bool acknowledged) const;

  std::vector<std::string> names_;
  std::vector<bool> managed_;
  std::vector<std::uint64_t> boot_ids_;  // by node: its life when it last spoke
  std::vector<NodeProgram> programs_;
  std::vector<Delivery> deliveries_;
  std::uint64_t epoch_ = 0;
  std::string digest_;
  bool must_renumber_ = false;
  std::int64_t begun_ns_ = 0;
};

}  // namespace wan::controller
