#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "controller/class_planner.h"
#include "controller/fair_share.h"
#include "controller/plan_constraints.h"
#include "controller/policy.h"
#include "controller/priority_levels.h"
#include "core/io/plan_file.h"
#include "core/path_plan.h"
#include "core/path_segments.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/class_proof.h"
#include "simulator/program/solve_classes.h"

namespace wan::simulator {

/// What `solve` answers where classes count: plans by priority and plans of fair shares in one form.
struct ClassAnswer {
  bool fair = false;  ///< some demand is not carried whole
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;
  std::vector<controller::BrokenRule> broken;
  std::vector<controller::LevelCertificate> levels;  ///< unless fair
  std::vector<controller::FairRound> rounds;         ///< fair
  std::vector<controller::PriorityLevel> priorities;
  std::vector<double> admitted;  ///< by demand of the plan
  std::size_t unproven = 0;      ///< fair: demands that the number of rounds stopped
  double utilization = 0.0;      ///< by what is admitted
  ClassProof proof;
  io::PlanLimits limits;                      ///< none: any number of paths
  SegmentLists segments;                      ///< with a SID depth
  std::vector<double> all_paths_utilization;  ///< with limits, by level: before paths were taken away
  double seconds = 0.0;
};

/// By priority, of few paths where the request limits them; where shares are wanted and not everything fits, fair
/// shares.
///
/// @error as plan_classes, reduce_class_paths and plan_fair_shares
[[nodiscard]] Result<ClassAnswer> answer_by_classes(const Topology& topology, const TrafficMatrix& traffic,
                                                    const controller::PolicySet& policies,
                                                    const ClassSolveOptions& options, const SolveRequest& request);

}  // namespace wan::simulator
