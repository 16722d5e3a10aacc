#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/node_programs.h"
#include "controller/policy.h"
#include "controller/program/aiwand/alarm_list.h"
#include "controller/program/aiwand/config_file.h"
#include "controller/program/aiwand/network_state.h"
#include "controller/program/aiwand/node_table.h"
#include "controller/program/aiwand/records.h"
#include "controller/program/aiwand/state_store.h"
#include "core/io/network_file.h"
#include "models/scenarios.h"
#include "telemetry/matrix_builder.h"
#include "telemetry/prometheus/metrics.h"

namespace wan::controller {

/// The newest interval with what was made of it.
struct LastInterval {
  telemetry::MeasuredInterval measured;
  double total_bps = 0.0;
  double max_utilization = 0.0;  ///< measured, over the links that somebody counts
  std::string max_utilization_link{};
};

/// What is in force on the nodes.
struct InForce {
  PathPlan plan;  ///< whole: a way for every connected pair
  std::uint64_t epoch = 0;
  std::string digest;
  bool base = true;  ///< nodes follow shortest paths: no plan of ours has been installed yet
};

/// A plan that waits for an operator.
struct Proposal {
  std::uint64_t decision = 0;
  PathPlan plan;
  double expected_utilization = 0.0;
  double lower_bound = 0.0;
};

/// Decisions and plans, newest last, as far as they are kept in memory; the state file has more.
struct Ledger {
  static constexpr std::size_t kDecisionsKept = StateStore::kDecisionsLoaded;
  static constexpr std::size_t kExplanationsKept = 32;

  std::deque<DecisionRecord> decisions;
  std::map<std::uint64_t, std::string> explanations;  ///< JSON text of the newest
  std::deque<PlanRecord> plans;
  std::uint64_t last_decision_id = 0;
  std::optional<Proposal> proposal;
  struct Awaited {
    std::uint64_t decision = 0;
    std::int64_t in_force_since_ns = 0;
  };
  std::optional<Awaited> effect_awaited;

  [[nodiscard]] DecisionRecord* find_decision(std::uint64_t id) {
    for (auto at = decisions.rbegin(); at != decisions.rend(); ++at) {
      if (at->id == id) return &*at;
    }
    return nullptr;
  }
  [[nodiscard]] const DecisionRecord* find_decision(std::uint64_t id) const {
    return const_cast<Ledger*>(this)->find_decision(id);
  }
  [[nodiscard]] const PlanRecord* find_plan(std::uint64_t epoch) const {
    for (const PlanRecord& plan : plans) {
      if (plan.epoch == epoch) return &plan;
    }
    return nullptr;
  }
};

/// Counts for /metrics beside those of telemetry/prometheus; each only rises.
struct Counts {
  std::uint64_t installs = 0;  ///< of plans; programs without one that only connect a new node are not counted
  std::uint64_t base_installs = 0;
  std::uint64_t programs_refused = 0;
  std::uint64_t requests = 0;
};

/// All that the daemon knows. The loop thread owns it; nobody else reads it.
struct DaemonState {
  DaemonState(DaemonConfig configuration, io::NetworkDescription description, Timestamp now)
      : config{std::move(configuration)},
        network{std::move(description)},
        plane{plane_of(network, config.segments_max)},
        managed{managed_of(network)},
        links{network},
        nodes{network.topology, managed},
        started{now} {}

  const DaemonConfig config;
  const io::NetworkDescription network;
  const ForwardingPlane plane;
  const std::vector<bool> managed;  ///< by node

  NetworkState links;
  NodeTable nodes;
  Settings settings;
  std::vector<PolicyVersion> policy_versions;
  PolicySet policies;
  InForce in_force;
  Ledger ledger;
  AlarmList alarms;
  Counts counts;
  telemetry::Metrics metrics{network.topology};
  std::optional<LastInterval> last;
  models::ScenarioSet outlook;  ///< behind the newest decision; empty before the first
  std::string forecaster = "none";
  std::map<std::string, std::string> degraded;  ///< by what it is about: what works less than well, and why
  Timestamp started;

  [[nodiscard]] const Topology& topology() const { return network.topology; }
  [[nodiscard]] double utilization_target() const {
    return policies.utilization_target.value_or(config.utilization_target);
  }
  [[nodiscard]] double max_moved_share() const { return policies.max_moved_share.value_or(config.max_moved_share); }
  /// Whether the daemon may install by itself.
  [[nodiscard]] bool automatic() const { return settings.mode == Mode::kAuto && !settings.paused; }
  /// The policies in force as they were written; nothing before the first ones.
  [[nodiscard]] const PolicyVersion* policies_in_force() const {
    for (const PolicyVersion& version : policy_versions) {
      if (version.version == settings.policy_version) return &version;
    }
    return nullptr;
  }
  /// 16 digits over policies, mode, drains, topology and the plan in force: what a saved plan was made for.
  [[nodiscard]] std::string state_digest() const;

 private:
  static ForwardingPlane plane_of(const io::NetworkDescription& network, std::size_t segments_max);
  static std::vector<bool> managed_of(const io::NetworkDescription& network);
};

}  // namespace wan::controller
