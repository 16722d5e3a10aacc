#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "controller/failure_set.h"
#include "core/io/plan_file.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/time.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

struct FailureSweepOptions {
  double gap = 0.005;  ///< of the base plan and of every re-optimised plan
  bool exact = false;  ///< work out each failure's optimum beside it
  int threads = 1;     ///< changes the time, never the result
};

struct LostDemand {
  Demand demand;
  double bps = 0.0;
};

/// What one failure does to the network, and what each answer to it achieves. Utilisations are fractions.
struct FailureOutcome {
  std::size_t failure = 0;   ///< its place in the list of failures
  double utilization = 0.0;  ///< of the re-optimised plan
  double lower_bound = 0.0;  ///< of any plan
  double plan_ms = 0.0;
  std::optional<double> optimum;  ///< not above the true one, and within 0.01 % of it
  double optimum_ms = 0.0;
  double protected_utilization = 0.0;  ///< with backup splits, without re-solving
  std::size_t backup_demands = 0;      ///< what the network must store for it
  std::size_t backup_paths = 0;
  double moved_share = 0.0;  ///< of all traffic
  double protect_ms = 0.0;
  double rescaled_utilization = 0.0;
  std::vector<LostDemand> lost;

  /// What ratios are taken to: the optimum where it is known, else the lower bound.
  [[nodiscard]] double reference() const { return optimum.value_or(lower_bound); }
  /// 1 where nothing is left to send.
  [[nodiscard]] double ratio(double of) const { return reference() > 0.0 ? of / reference() : 1.0; }
  [[nodiscard]] double lost_bps() const;
};

/// The answer before anything failed.
struct BasePlan {
  double utilization = 0.0;
  double lower_bound = 0.0;
  std::size_t paths = 0;
  double plan_ms = 0.0;
  std::vector<Demand> unrouted;  ///< cut off without any failure
};

/// Answers failures of one network one after the other; every answer is verified before it is given.
///
/// An answer depends on its failure alone, not on those before it, so that failures can be dealt to several processes.
/// Threads: one owner.
class FailureSweep {
 public:
  /// Plans the network without failures.
  /// @param topology, traffic, clock  outlive this
  /// @error kShapeMismatch: the traffic is of another network; kInternal: the verifier refuses the base plan
  [[nodiscard]] static Result<FailureSweep> prepare(const Topology& topology, const TrafficMatrix& traffic,
                                                    const FailureSweepOptions& options, const Clock& clock);
  FailureSweep(FailureSweep&&) noexcept;
  FailureSweep& operator=(FailureSweep&&) noexcept;
  ~FailureSweep();

  [[nodiscard]] const BasePlan& base() const;
  [[nodiscard]] const io::PlanFile& base_routes() const;

  struct Answer {
    FailureOutcome outcome;
    io::PlanFile replanned;  ///< of what is left
    io::PlanFile backups;    ///< what the network stores; with the utilisation it gives, and no proof
  };
  /// @error kInternal: the verifier refuses an answer, or the exact solver fails
  [[nodiscard]] Result<Answer> answer(const controller::Failure& failure, std::size_t number);

 private:
  struct State;
  explicit FailureSweep(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wan::simulator
