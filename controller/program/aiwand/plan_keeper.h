#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/southbound.h"
#include "telemetry/zmq/bus.h"

namespace wan::controller {

/// Keeps the nodes on the plan in force: installs plans, brings back nodes that restarted, and adopts what it finds on
/// them when the daemon starts. It never clears a node.
///
/// Until the nodes have told what they run (or kAdoptWithin_ns after the first one has spoken) nothing is sent. Then
/// the stored plan counts as in force if a node runs it; else the newest plan that a node runs, asked for and read;
/// else the stored plan is sent; and with no plan at all the base programs: routes, prefixes and segments without
/// demands, so that a new network is connected. Base programs go to nodes that have none in every mode; they are no
/// plan. Threads: the loop thread.
class PlanKeeper {
 public:
  static constexpr std::int64_t kAdoptWithin_ns = 1'500'000'000;

  /// @param state, bus  outlive this
  PlanKeeper(DaemonState& state, telemetry::DaemonBus& bus);

  /// @return  whether the plan in force is another one by it
  bool hello(NodeId node, const NodeHello& hello, std::int64_t now_ns);
  bool report(NodeId node, const telemetry::ProgramReport& report, std::int64_t now_ns);
  Southbound::Answer ack(NodeId node, const ProgramAck& ack, std::int64_t now_ns);
  /// What time brings: the end of the wait for nodes. @return as above
  bool tick(std::int64_t now_ns);

  /// Whether it is known what the nodes run.
  [[nodiscard]] bool settled() const { return settled_; }
  /// Puts a plan in force: new epoch, all nodes. Only when `settled`.
  /// @error why there are no programs for it; the plan in force stays
  Result<void> install(const PathPlan& plan, std::int64_t now_ns);

  [[nodiscard]] const Southbound& southbound() const { return southbound_; }
  /// Of the newest plan: paths that could not be written as segments.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Found {
    bool asked = false;
    std::optional<NodeProgram> program;
  };
  [[nodiscard]] const PlanRecord* stored() const;
  bool settle(std::int64_t now_ns);
  void adopt_stored(const PlanRecord& plan, std::uint64_t epoch);
  [[nodiscard]] bool adopt_found(std::int64_t now_ns);
  void install_base(std::int64_t now_ns);
  Result<void> send_plan(const PathPlan& plan, const PathPlan& demands, const std::string& digest, std::int64_t now_ns);
  [[nodiscard]] Result<NodePrograms> programs(const PathPlan& demands, std::uint64_t epoch, const std::string& digest);
  [[nodiscard]] PathPlan completed(const PathPlan& plan) const;

  DaemonState& state_;         // outlives this
  telemetry::DaemonBus& bus_;  // outlives this
  Southbound southbound_;
  std::vector<Found> found_;  // by node, while not settled
  std::vector<bool> has_spoken_;
  std::optional<std::int64_t> first_word_ns_;
  bool settled_ = false;
  std::string base_digest_;
  std::vector<std::string> problems_;
};

/// The paths that nodes without a plan use: the IGP's, one for each pair and class.
[[nodiscard]] PathPlan base_plan(const Topology& topology, std::size_t class_count);

}  // namespace wan::controller
