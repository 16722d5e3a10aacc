#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "controller/candidate_paths.h"
#include "controller/plan_constraints.h"
#include "controller/scenario_kernel.h"
#include "controller/scenario_planner.h"
#include "controller/tree_search.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// What the traffic of one priority level and of those above may make of the largest utilisation, whatever comes below.
struct LevelLimit {
  std::size_t level;
  std::vector<double> utilization;  // by scenario
};

/// What a shortest-path run for every demand brought.
struct PathSearch {
  double bound = 0.0;     ///< dual bound on the expected utilisation of any plan
  std::size_t added = 0;  ///< new candidate paths
};

/// What the planner holds. Its work is divided over scenario_planner.cpp (where a plan starts, its course, the plan),
/// scenario_sweeps.cpp (rates, loads, prices, sweeps) and scenario_paths.cpp (searches for paths).
struct ScenarioPlanner::Impl {
  static constexpr double kHop = 1e-6;          // seconds: among equal delays, fewer hops
  static constexpr std::size_t kPathsMax = 24;  // candidates a demand keeps

  Impl(const Topology& network, const ScenarioOptions& wanted, const PlanConstraints& constraints);

  void take_start(const PathPlan& start);
  /// Only paths that a demand's constraint allows, whole again; the one that it may take at least where none is left.
  void constrain_start(std::size_t d);
  /// Starts where the newest plan to which change was free left off, not from the one in force.
  void take_newest_free();
  [[nodiscard]] ScenarioLoads make_loads(std::size_t count, std::span<const LevelLimit> limits,
                                         double blunt = 0.0) const;
  /// Of all demands down to a level; in limited columns, of those down to the limit's.
  void set_rates(std::span<const TrafficMatrix> scenarios, std::span<const LevelLimit> limits, std::size_t level);
  /// Limited columns in units in which their limits are as high as the utilisation is now: one sharpness suits all.
  void scale_limits(ScenarioLoads& loads, std::span<const LevelLimit> limits);
  /// By levels that have traffic, but for the last of them: the best that can be had when those below stand back.
  [[nodiscard]] std::vector<LevelLimit> find_limits(std::span<const TrafficMatrix> scenarios, bool in_force);
  /// What delay and change cost, in units of utilisation.
  void price_paths(double utilization, double change_price);
  void load_links(ScenarioLoads& loads);
  /// Adds each demand's cheapest path where it is worth having.
  PathSearch generate_paths(const ScenarioLoads& loads);
  /// The cheapest path that demand `d` may take, into `found_links`; what it costs at least.
  double search_path(std::size_t d, std::span<double> price);
  double search_path_in_time(std::size_t d, std::span<const double> price, double cheapest);
  [[nodiscard]] std::vector<BrokenRule> broken_rules(std::size_t class_count) const;
  /// Sweeps and searches for paths, until settled or at the end of the work that is allowed. Change is free.
  void improve(ScenarioLoads& loads, bool in_force, ScenarioRoutes& routes);
  /// From the plan to which change is free towards the one in force.
  void move_less(ScenarioLoads& loads, ScenarioRoutes& routes);
  /// A step from the present plan towards the free one.
  /// @param free_utilization  the loads of that
  void mix_with_free(ScenarioLoads& loads, std::span<const double> free_utilization);
  int sweep_until_settled(ScenarioLoads& loads, int sweeps_max);
  /// What the shares cost beside the change from the plan in force: soft utilisation and delay.
  [[nodiscard]] double cost(const ScenarioLoads& loads) const;
  [[nodiscard]] double cost_of_change() const;
  [[nodiscard]] PathPlan make_plan(std::size_t class_count);
  /// By column of the loads: scenarios, then limited groups, of which only some demands are.
  [[nodiscard]] std::span<const double> rate_of(std::size_t d);

  Topology topology;
  ScenarioOptions options;
  TreeSearchGraph graph;
  TreeSearch search;
  std::vector<double> delay;            // by link, seconds
  std::vector<double> length;           // by link: delay and a little for the hop, 1 in all
  std::vector<double> shortest_delay;   // by demand, seconds
  std::vector<PriorityLevel> levels;    // most important first; one at least
  RuledDemands ruled;                   // every connected pair: one demand, or several under constraints
  std::vector<CandidatePaths> demands;  // of `ruled`, in its order
  std::vector<std::uint32_t> found_links;
  std::size_t scenario_count = 0;
  std::size_t rate_stride = 0;
  std::vector<double> rate;  // [demand][scenario, padded], bits per second
  struct LimitedGroup {
    std::size_t level;
    double scale;
  };
  std::vector<LimitedGroup> groups;      // of columns beside the scenarios
  std::vector<double> rate_with_groups;  // of one demand, by column
  std::vector<bool> active;              // by demand: above zero in some scenario
  struct Rest {
    int length = 0;  // sweeps that the demand is passed over after its last visit
    int left = 0;
  };
  std::vector<Rest> rests;  // by demand
  bool searched = false;    // for paths, at least once
  std::vector<double> scratch;
};

}  // namespace wan::controller
