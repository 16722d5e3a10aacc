#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/program/aiwand/mode.h"
#include "controller/program/aiwand/records.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::controller {

/// What the operator has set; survives a restart.
struct Settings {
  Mode mode = Mode::kAdvise;
  bool paused = false;
  std::optional<Timestamp> paused_until{};  ///< nothing while paused: until resumed
  std::vector<std::string> drains{};        ///< by `aiwanctl drain`, as written
  std::uint64_t policy_version = 0;         ///< in force; 0: none yet
  /// Policies that go back unless they are confirmed in time.
  struct Unconfirmed {
    Timestamp deadline;
    std::uint64_t previous_version = 0;
    std::uint64_t previous_epoch = 0;  ///< of the plan that was in force before
  };
  std::optional<Unconfirmed> unconfirmed{};
};

/// All that a state file holds when the daemon starts.
struct StoredState {
  std::optional<Settings> settings;      ///< nothing: a new file
  std::vector<PolicyVersion> policies;   ///< oldest first
  std::deque<DecisionRecord> decisions;  ///< the newest kDecisionsLoaded, oldest first
  std::deque<PlanRecord> plans;          ///< the newest kPlansKept that fit the network, oldest first
  std::uint64_t last_decision_id = 0;
  std::uint64_t last_epoch = 0;
};

/// The file `state.db`: one connection, on a thread of its own, written in the order of the calls.
///
/// WAL, synchronous=FULL: what a future has said is written survives a loss of power. A full disk fails the write that
/// met it, and no other; callers go on. Decisions beyond kDecisionsKept and plans beyond kPlansKept are deleted.
/// Threads: any; calls return at once, the work is done on the store's thread. Its queue holds kQueueMax writes:
/// beyond, decisions are not recorded (and counted), settings still are.
class StateStore {
 public:
  static constexpr std::size_t kDecisionsLoaded = 1000;
  static constexpr std::size_t kDecisionsKept = 10'000;
  static constexpr std::size_t kPlansKept = 100;
  static constexpr std::size_t kQueueMax = 1000;
  using Written = std::shared_future<Result<void>>;

  /// @param folder    made if it does not exist; other processes must not write there meanwhile
  /// @param topology  plans of another network are passed over
  /// @error kIo: with the file and the reason
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> open(const std::filesystem::path& folder,
                                                                const Topology& topology);
  ~StateStore();

  [[nodiscard]] const StoredState& loaded() const;

  [[nodiscard]] Written put(const Settings& settings);
  /// Both or neither.
  [[nodiscard]] Written put(const PolicyVersion& policies, const Settings& settings);
  void put(const PlanRecord& plan);
  /// New, or with a new state or effect; without an explanation the one there stays.
  void put(const DecisionRecord& decision, std::optional<std::string> explanation);

  /// JSON text as it was put; nothing when there is no such decision.
  [[nodiscard]] std::future<std::optional<std::string>> explanation(std::uint64_t decision);
  [[nodiscard]] std::future<std::optional<DecisionRecord>> decision(std::uint64_t id);

  /// The newest reason for which something was not written, and how often that was.
  struct Failures {
    std::uint64_t count = 0;
    std::string newest;
  };
  [[nodiscard]] Failures failures() const;
  /// Waits until all that was put before is written.
  void flush();

 private:
  struct Impl;
  explicit StateStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::controller
