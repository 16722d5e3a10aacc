#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/plan_keeper.h"
#include "controller/program/aiwand/planning.h"
#include "controller/program/aiwand/state_store.h"

namespace wan::controller {

/// What becomes of decisions: installed, proposed, observed or kept, by the mode; each is recorded with what it did.
///
/// A proposal keeps its number while it is about as good as the newest plan, so that an operator can approve it; a
/// newer plan that is clearly better, or a network or policies that are not the same any more, supersede it.
/// Threads: the loop thread. Nothing waits for the disk.
class Automation {
 public:
  using NowNs = std::function<std::int64_t()>;

  /// All outlive this.
  Automation(DaemonState& state, PlanKeeper& keeper, Planning& planning, StateStore& store, NowNs now_ns);

  /// A measured interval: decides on the next one.
  void take(telemetry::MeasuredInterval measured);
  /// Decides at once on what is known: the network or the policies have changed.
  /// @return  the decision, when it moves traffic or wants to
  std::optional<std::uint64_t> replan();

  /// Installs the plan that waits under this number.
  /// @error kNotFound: no such decision; kStaleInput: it does not wait (any more); kUnsupported: not in this mode
  Result<std::uint64_t> approve(std::uint64_t decision);
  /// Puts an earlier plan back, or the plan in force out again (new classes), because an operator asked for that.
  Result<std::uint64_t> install_again(const PathPlan& plan, const std::string& reason);
  /// The plan in force may be another one, or have another number, without a decision: it is recorded.
  void note_plan_in_force();
  void drop_proposal();

 private:
  void note_effect(const telemetry::MeasuredInterval& measured);
  void note_interval(telemetry::MeasuredInterval measured);
  void note_alarms(const Decision& decision);
  std::uint64_t conclude(const Decision& decision, const PathPlan& before);
  [[nodiscard]] DecisionRecord record_of(const Decision& decision);
  void settle_unmoved(const Decision& decision);
  DecisionState dispose(const Decision& decision, DecisionRecord& record);
  [[nodiscard]] bool proposal_still_good(const Decision& newest);
  [[nodiscard]] bool install(const PathPlan& plan, DecisionRecord& record, double expected, double lower_bound);
  void keep(DecisionRecord record, std::optional<std::string> explanation);
  void change_state(std::uint64_t decision, DecisionState state, std::optional<std::uint64_t> epoch = {});
  [[nodiscard]] Timestamp now() const;

  DaemonState& state_;
  PlanKeeper& keeper_;
  Planning& planning_;
  StateStore& store_;
  NowNs now_ns_;
  std::uint64_t noted_epoch_ = 0;  // of the plan in force that `planning_` knows
  std::string noted_digest_;
};

}  // namespace wan::controller
