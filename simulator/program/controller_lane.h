#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/path_plan.h"
#include "core/result.h"
#include "core/time.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"

namespace wan::simulator {

struct LaneDecision {
  std::string action;  ///< install, keep, hold, fallback
  std::string reason;
  std::optional<double> lower_bound;
  std::vector<std::string> alarms;
};

/// One of the controllers that a run compares, behind one face.
class ControllerLane {
 public:
  virtual ~ControllerLane() = default;

  /// Decides for the interval that starts at `now`. @param before  all matrices before it, oldest first
  [[nodiscard]] virtual Result<LaneDecision> decide(std::span<const TrafficMatrix> before, Timestamp now) = 0;
  /// Same nodes and link ids, other links up.
  [[nodiscard]] virtual Result<void> set_topology(const Topology& topology) = 0;
  [[nodiscard]] virtual const PathPlan& plan() const = 0;
  /// By link, how likely it is above its threshold within the risk horizon if the plan stays; empty: it cannot say.
  [[nodiscard]] virtual std::vector<double> congestion_probability(std::span<const double>) const { return {}; }
  /// Whether it re-routes within the interval of a failure, as an IGP does, or decides anew before the next one.
  [[nodiscard]] virtual bool reconverges_at_once() const { return false; }
};

struct LaneOptions {
  double utilization_target = 0.0;
  double tail = 1.0;
  std::optional<double> change_weight{};
  std::size_t risk_horizon = 0;  ///< intervals that congestion events are foretold for; 0: none
  int threads = 1;
  Duration interval{0};
};

/// @param name        one of kControllerNames (closed_loop.h)
/// @param forecaster  outlives the lane; null: EWMA fitted on `training`
/// @error kBadInput: an unknown name, too little training
[[nodiscard]] Result<std::unique_ptr<ControllerLane>> make_lane(std::string_view name, const Topology& topology,
                                                                const models::Forecaster* forecaster,
                                                                std::span<const TrafficMatrix> training,
                                                                const LaneOptions& options);

/// The least possible largest utilisation, matrix after matrix: exact by linear programming up to about 12,000 nodes x
/// links, beyond that by our own solver to 0.01 %.
class OptimalRouting {
 public:
  OptimalRouting(const Topology& topology, int threads);
  ~OptimalRouting();
  OptimalRouting(OptimalRouting&&) noexcept;
  OptimalRouting& operator=(OptimalRouting&&) noexcept;

  [[nodiscard]] Result<double> utilization(const TrafficMatrix& demand);
  struct Planned {
    PathPlan plan;
    double lower_bound;
  };
  [[nodiscard]] Result<Planned> plan(const TrafficMatrix& demand);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::simulator
