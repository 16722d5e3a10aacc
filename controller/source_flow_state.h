#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "controller/batch_tree_search.h"
#include "controller/flow_follower.h"
#include "controller/flow_network.h"
#include "controller/path_columns.h"
#include "controller/segment_shift.h"
#include "controller/source_blocks.h"
#include "controller/source_flow_solver.h"
#include "controller/worker_team.h"

namespace wan::controller {

/// What the solver holds. Its work is divided over source_flow_solver.cpp (demand, first flows, the course of a solve),
/// source_flow_sweeps.cpp (prices, sweeps, bounds) and source_flow_paths.cpp (a linear program over paths).
struct SourceFlowSolver::Impl {
  static constexpr std::size_t kLanes = BatchTreeSearch::kLanes;
  static constexpr std::size_t kLargeNetwork = 400;  // nodes from which searches for trees are what takes the time
  static constexpr double kFirstSharpness = 30.0;    // in 1 / utilisation
  static constexpr double kSharpnessOverGap = 0.5;   // times ln(links) / gap
  static constexpr double kWorthShifting =
      1e-3;                                   // a way dearer than the tree's by less is left; at most a part of the gap
  static constexpr double kSlackMax = 0.005;  // of the utilisation, that shorter paths may cost

  Impl(const Topology& topology, int threads);
  void start_from(const Impl& before);

  void solve(const TrafficMatrix& demand, const SourceFlowOptions& options);
  void find_delays();

  // Demand and where flows start.
  [[nodiscard]] std::vector<std::uint32_t> sending_nodes(const TrafficMatrix& demand) const;
  void deal_sources(std::span<const std::uint32_t> sending);
  bool take_demand(const TrafficMatrix& demand);
  void follow_demand(std::size_t slot);
  void place();

  void minimize_utilization(double gap_wanted);

  // Sweeps and bound.
  bool sweep_once(double gap_wanted);
  void sweep(int passes);
  void trade_again(int passes);
  void note_prices();
  void balance_source(std::size_t slot, const BatchTreeSearch& search, std::size_t lane);
  void update_bound(std::span<const double> prices);
  bool offer_bound(double bound, std::span<const double> prices);
  void shorten_paths(double gap_allowed, bool follows);
  void add_up();

  // By paths.
  bool try_paths_first(double gap_wanted);
  bool solve_by_paths(double gap_wanted, const PathColumns::Budget& budget);
  /// @param size_max  sources x bundles up to which it is tried
  bool finish_by_paths(double gap_wanted, std::size_t size_max);

  /// Runs `work(i, search)` for i in [first, last), spread over the threads; effects must not depend on the order.
  template <typename Work>
  void spread(std::size_t first, std::size_t last, const Work& work);
  [[nodiscard]] std::span<double> flow(std::size_t slot) {
    return std::span{flows}.subspan(slot * net.size(), net.size());
  }
  [[nodiscard]] double gap() const {
    return best_bound > 0.0 ? utilization / best_bound - 1.0 : std::numeric_limits<double>::infinity();
  }
  /// At which the soft maximum is off by a part of the gap.
  [[nodiscard]] double sharpness_for(double gap) const {
    return kSharpnessOverGap * std::log(static_cast<double>(net.size()) + 1.0) / gap;
  }
  [[nodiscard]] double delay_of_flows() const;

  FlowNetwork net;
  std::size_t nodes;
  WorkerTeam team;
  std::size_t group;  // blocks whose trees are found under the same prices
  std::vector<BatchTreeSearch> searches;
  std::vector<float> shortest_delay;  // [source][destination] seconds; infinite where there is no way

  SourceBlocks sources;
  std::vector<double> demands;   // [block][node][lane], bits per second
  std::vector<double> unplaced;  // the same, of what is not in the flows yet
  std::vector<double> flows;     // [slot][bundle], bits per second
  double delay_unit = 0.0;       // demand x shortest delay, summed: makes delays comparable to 1

  PricedLinks links;
  FlowFollower follower;
  SegmentShift shift;
  SegmentPairs traded;  // in the present sweep
  double utilization = 0.0;
  double delay_left = 1.0;             // of the price of delay while utilisation is minimised: less after stalls
  bool patient = false;                // sweeps stalled: they trade for longer
  bool shortens = false;               // shorter paths are wanted: delay has a price from the first sweep on
  double sharpness = kFirstSharpness;  // in 1 / utilisation
  std::vector<double> price_average;   // by bundle
  double average_weight = 0.0;
  double best_bound = 0.0;
  std::vector<double> best_prices;  // by bundle
  int sweeps = 0;
  std::optional<PathColumns> paths;  // on a small network where sweeps alone take long
  int path_failures = 0;             // of `try_paths_first`, in a row

  // Working memory.
  struct Detour {
    double distance;  // of its end from the source
    std::uint32_t bundle;
  };
  std::vector<Detour> detours;
  double shift_threshold = kWorthShifting;
  std::vector<double> by_node, priced, part;
};

template <typename Work>
void SourceFlowSolver::Impl::spread(std::size_t first, std::size_t last, const Work& work) {
  if (team.size() == 1) {
    for (std::size_t i = first; i < last; ++i) work(i, searches[0]);
    return;
  }
  team.run([&](std::size_t member) {
    for (std::size_t i = first + member; i < last; i += team.size()) work(i, searches[member]);
  });
}

}  // namespace wan::controller
