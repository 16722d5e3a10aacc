#pragma once

#include <functional>
#include <optional>
#include <string>

#include "controller/program/aiwand/api_exchange.h"
#include "controller/program/aiwand/automation.h"
#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/planning.h"
#include "controller/program/aiwand/state_store.h"

namespace wan::controller {

/// The answer, given once what it tells is on the disk; an error if it could not be written.
[[nodiscard]] ApiResponse once_written(StateStore::Written written, ApiResponse answer);

/// What operators order: modes, pauses, policies with their confirmation, drains; and what of it time brings about.
///
/// What must survive is answered only once it is on the disk; the wait is the HTTP thread's.
/// Threads: the loop thread.
class Operations {
 public:
  /// All outlive this. @param classes_changed  called when traffic has other classes than before
  Operations(DaemonState& state, Planning& planning, Automation& automation, StateStore& store,
             std::function<void()> classes_changed);

  /// Puts in force what was stored, or the configuration's policies where nothing is.
  /// @error the configured policies are wrong
  Result<void> start(Timestamp now);
  /// Ends of pauses, maintenance windows and times to confirm.
  void tick(Timestamp now);
  /// When `tick` has something to do at the latest, if nothing else happens.
  [[nodiscard]] std::optional<Timestamp> next_moment() const;

  [[nodiscard]] StateStore::Written set_mode(Mode mode);
  /// @param until  nothing: until resumed
  [[nodiscard]] StateStore::Written pause(std::optional<Timestamp> until);
  [[nodiscard]] StateStore::Written resume();

  struct Apply {
    std::string text;
    std::string name;
    std::optional<std::string> state;
    std::optional<std::chrono::seconds> confirm_within;
  };
  [[nodiscard]] ApiResponse apply(const Apply& what, Timestamp now);
  [[nodiscard]] ApiResponse confirm();
  [[nodiscard]] ApiResponse rollback(std::optional<std::uint64_t> to, Timestamp now);

  [[nodiscard]] ApiResponse drain(const std::string& target, Timestamp now);
  [[nodiscard]] ApiResponse undrain(const std::string& target, Timestamp now);

 private:
  [[nodiscard]] Result<PolicySet> read(const PolicyVersion& version) const;
  /// Makes these policies the ones in force. @return  the decision that came of it
  std::optional<std::uint64_t> put_in_force(PolicySet policies, std::uint64_t version, Timestamp now);
  std::optional<std::uint64_t> refresh_links(Timestamp now);
  void undo_unconfirmed(Timestamp now);
  void put_plan_back();
  [[nodiscard]] std::vector<LinkId> links_to_empty(Timestamp now) const;

  DaemonState& state_;
  Planning& planning_;
  Automation& automation_;
  StateStore& store_;
  std::function<void()> classes_changed_;
  struct PutBack {
    std::uint64_t epoch = 0;
    std::string reason;
  };
  std::optional<PutBack> put_back_;  // a plan that goes back with its policies, once the nodes can be told
};

}  // namespace wan::controller
