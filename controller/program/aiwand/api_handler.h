#pragma once

#include <functional>
#include <string>

#include "controller/program/aiwand/api_exchange.h"
#include "controller/program/aiwand/automation.h"
#include "controller/program/aiwand/daemon_state.h"
#include "controller/program/aiwand/operations.h"
#include "controller/program/aiwand/plan_keeper.h"
#include "controller/program/aiwand/rehearsal_thread.h"
#include "controller/program/aiwand/state_store.h"
#include "controller/program/aiwand/what_if.h"

namespace wan::controller {

/// Answers the requests of docs/formats/api.md on the state.
///
/// Threads: the loop thread; what takes long or waits comes back as `ApiResponse::then`.
class ApiHandler {
 public:
  /// All outlive this. @param metrics  the text for GET /metrics
  ApiHandler(DaemonState& state, PlanKeeper& keeper, Automation& automation, Operations& operations, StateStore& store,
             RehearsalThread& rehearsals, std::function<std::string()> metrics);

  [[nodiscard]] ApiResponse answer(const ApiRequest& request, Timestamp now);

 private:
  [[nodiscard]] ApiResponse get(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse post(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse get_one(const std::string& kind, const std::string& name);
  [[nodiscard]] ApiResponse get_decision(const std::string& name);
  [[nodiscard]] ApiResponse explanation(std::uint64_t id);
  [[nodiscard]] ApiResponse decisions(const ApiRequest& request) const;
  [[nodiscard]] ApiResponse plans() const;
  [[nodiscard]] ApiResponse approve(const std::string& id);
  [[nodiscard]] ApiResponse pause(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse set_mode(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse apply(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse check(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse simulate(const ApiRequest& request, Timestamp now);
  [[nodiscard]] ApiResponse status_once(StateStore::Written written, Timestamp now);
  [[nodiscard]] LiveCopy live_copy(Timestamp now) const;

  DaemonState& state_;
  PlanKeeper& keeper_;
  Automation& automation_;
  Operations& operations_;
  StateStore& store_;
  RehearsalThread& rehearsals_;
  std::function<std::string()> metrics_;
};

}  // namespace wan::controller
