#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"
#include "simulator/program/congestion_score.h"

namespace wan::simulator {

/// Links that go down or come up again. In force from the interval that contains `at` on.
struct LinkEvent {
  Timestamp at;
  bool up = false;
  std::vector<LinkId> links;
  std::string label;  ///< what a report calls it
};

/// Controllers that a run can compare. `ospf` and `ecmp` follow the IGP's metric or hop count and re-converge at once
/// after a failure; the others decide before an interval and learn of a failure at the next decision. Until then dead
/// paths' shares move to the demand's surviving paths, and a demand without any follows the IGP.
inline const std::vector<std::string> kControllerNames{"ospf", "ecmp", "last", "forecast", "scenario"};

struct ClosedLoopOptions {
  std::vector<std::string> controllers = kControllerNames;
  std::size_t score_from = 0;  ///< first row decided on and scored; rows before it are history
  std::size_t score_to = 0;    ///< one past the last
  /// Of `scenario`: nothing moves while its p95 scenario stays below; 0: always optimise.
  double utilization_target = 0.0;
  double tail = 1.0;                      ///< of `scenario`: the part of its scenarios that counts, the worst; 1: all
  std::optional<double> change_weight{};  ///< of `scenario`: price of change; none: the control loop's own
  std::optional<CongestionOptions> congestion{};  ///< of `scenario`: foretell congestion events, and keep the book
  int threads = 1;
  std::vector<LinkEvent> events;  ///< in order of time
};

/// What one controller decided for an interval and what the network then did.
struct ControllerInterval {
  std::string name;
  std::string action;  ///< install, keep, hold, fallback
  std::string reason;
  std::optional<double> lower_bound;  ///< of what the controller minimised; none for ospf and ecmp
  double decide_ms = 0.0;             ///< forecast, scenarios and plan
  double churn = 0.0;                 ///< demand-weighted half L1 change of splits against the interval before
  std::size_t paths_per_demand_max = 0;

  double mlu = 0.0;  ///< largest offered load / capacity on the true matrix
  double delivered_share = 1.0;
  double delay_stretch = 1.0;
  std::size_t overloaded_links = 0;
  std::vector<double> link_utilization;        ///< by link, offered
  std::vector<double> congestion_probability;  ///< by link; empty where it was not asked for
  std::vector<std::string> lost_demands;       ///< "A > B", demands above zero that had no path
  std::vector<std::string> alarms;
};

struct IntervalRecord {
  std::size_t row = 0;
  Timestamp time;
  double optimal_mlu = 0.0;  ///< exact optimum for the true matrix on the links that are up
  double total_bps = 0.0;    ///< offered by all demands
  std::vector<LinkId> links_down;
  std::vector<ControllerInterval> controllers;  ///< in the order asked for
};

/// One controller over all scored intervals. Percentiles are nearest-rank; a ratio is mlu / optimal_mlu.
struct ControllerSummary {
  std::string name;
  double ratio_mean = 0.0, ratio_p50 = 0.0, ratio_p99 = 0.0, ratio_max = 0.0;
  double mlu_mean = 0.0, mlu_max = 0.0;
  double decide_ms_p50 = 0.0, decide_ms_p99 = 0.0;
  double churn_mean = 0.0;
  double overload_link_minutes = 0.0;
  double delivered_share = 1.0;  ///< delivered / offered over all intervals
  double delay_stretch_mean = 1.0, delay_stretch_p99 = 1.0;
  std::size_t paths_per_demand_max = 0;
};

struct ClosedLoopResult {
  std::string forecaster;  ///< "gru", "ewma", ...
  Duration interval{0};
  std::vector<IntervalRecord> intervals;
  std::optional<CongestionScore> congestion{};
  std::vector<ControllerSummary> summary;  ///< in the order asked for
};

/// The summaries that follow from the intervals alone: what a report or a test recomputes.
[[nodiscard]] std::vector<ControllerSummary> summarize(const std::vector<IntervalRecord>& intervals, Duration interval);

/// Replays measured traffic through a simulated network with the control loop inside.
///
/// A decision for row t sees rows before t only.
/// @param forecaster  null: EWMA fitted on the rows before `score_from`
/// @param clock       measures decide_ms, nothing else
/// @param progress    called with (done, total) after each interval; may be empty
/// @error kBadInput: an empty or impossible range, an unknown controller, too little history, congestion events without
///        the controller that foretells them
[[nodiscard]] Result<ClosedLoopResult> run_closed_loop(const Topology& topology, const TrafficSeries& series,
                                                       const models::Forecaster* forecaster,
                                                       const ClosedLoopOptions& options, const Clock& clock,
                                                       const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace wan::simulator
