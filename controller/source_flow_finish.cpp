#include "controller/source_flow_state.h"

#include <algorithm>
#include <numeric>

#include "controller/flow_master.h"

namespace wan::controller {
namespace {

constexpr std::size_t kTrySizeMax = 2'000;         // sources x bundles up to which paths are tried before sweeps
constexpr std::size_t kPathsFirstSizeMax = 4'000;  // up to which they come before flows of trees
constexpr std::size_t kPathsSizeMax = 20'000;      // up to which they come after them
constexpr PathColumns::Budget kTry{.pivots = 64, .searches = 8};  // takes about as long as the sweeps would
constexpr int kTryFailuresMax = 16;                               // in a row, until sweeps go first for good
constexpr PathColumns::Budget kFinish{.pivots = 10'000, .searches = 1'000};
constexpr int kMasterRoundsMax = 200;
constexpr double kBlendFirst = 0.5;  // weight of the best bound's prices in the prices of new trees

}  // namespace

/// From the last optimum, before any sweep; false when a few pivots do not reach the gap.
bool SourceFlowSolver::Impl::try_paths_first(double gap_wanted) {
  if (sources.slot_count() * net.size() > kTrySizeMax || path_failures == kTryFailuresMax) return false;
  const bool reached = solve_by_paths(gap_wanted, kTry);
  path_failures = reached ? 0 : path_failures + 1;
  return reached;
}

bool SourceFlowSolver::Impl::solve_by_paths(double gap_wanted, const PathColumns::Budget& budget) {
  if (!paths) paths.emplace(net, sources, best_prices);
  const PathColumns::Outcome outcome = paths->solve(demands, gap_wanted, budget);
  sweeps += paths->searches();
  offer_bound(paths->bound(), paths->bound_prices());
  if (outcome == PathColumns::Outcome::kReached) {
    std::fill(flows.begin(), flows.end(), 0.0);
    paths->for_each_flow([this](std::size_t slot, std::span<const std::uint32_t> path, double bps) {
      for (const std::uint32_t bundle : path) flow(slot)[bundle] += bps;
    });
    add_up();
    if (gap() <= gap_wanted) return true;
  }
  if (outcome != PathColumns::Outcome::kOutOfBudget) paths.reset();
  return false;
}

/// Where sweeps stall. On larger networks flows of trees, which are fewer, mostly do it sooner than paths.
void SourceFlowSolver::Impl::finish(double gap_wanted) {
  if (sources.slot_count() * net.size() <= kPathsFirstSizeMax && solve_by_paths(gap_wanted, kFinish)) return;
  finish_with_master(gap_wanted);
}

/// Where they stalled for good: flows of trees do not reach every gap.
void SourceFlowSolver::Impl::finish_at_last(double gap_wanted) {
  if (sources.slot_count() * net.size() <= kPathsSizeMax) solve_by_paths(gap_wanted, kFinish);
}

/// Column generation with stabilised prices: new trees are the cheapest under a blend of the master's duals and the
/// prices of the best bound, since duals of an unfinished master jump about. The first column of a source is its flow.
void SourceFlowSolver::Impl::finish_with_master(double gap_wanted) {
  const std::size_t slots = sources.slot_count();
  FlowMaster master{slots, net.size()};
  const double unit = utilization;                                          // Clp's tolerances are absolute
  std::vector<std::vector<std::vector<FlowMaster::Entry>>> columns(slots);  // by slot
  std::vector<FlowMaster::Entry> entries;
  const auto add_column = [&](std::size_t slot, auto&& load_of) {
    entries.clear();
    for (std::uint32_t b = 0; b < net.size(); ++b) {
      const double bps = load_of(b);
      if (bps > 0.0) entries.push_back({.link = b, .utilization = bps * net.inverse_capacity[b] / unit});
    }
    const auto same = [&](const auto& held) { return held == entries; };
    if (std::any_of(columns[slot].begin(), columns[slot].end(), same)) return false;
    master.add_column(slot, entries);
    columns[slot].push_back(entries);
    return true;
  };
  std::vector<std::size_t> column_slot;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if (add_column(slot, [&](std::uint32_t b) { return flow(slot)[b]; })) column_slot.push_back(slot);
  }
  double blend = kBlendFirst;
  std::vector<double> tree_load(net.size());
  for (int round = 0; round < kMasterRoundsMax; ++round) {
    if (!master.solve()) break;
    std::fill(flows.begin(), flows.end(), 0.0);
    std::vector<std::size_t> nth(slots, 0);
    for (std::size_t c = 0; c < column_slot.size(); ++c) {
      const std::size_t slot = column_slot[c];
      const auto x = flow(slot);
      for (const auto& entry : columns[slot][nth[slot]]) {
        x[entry.link] += master.shares()[c] * entry.utilization * unit * net.capacity[entry.link];
      }
      ++nth[slot];
    }
    add_up();
    if (gap() <= gap_wanted) return;

    for (std::size_t b = 0; b < net.size(); ++b) {
      priced[b] = blend * best_prices[b] + (1.0 - blend) * master.duals()[b] * net.inverse_capacity[b];
    }
    // Both in units in which price x capacity sums to 1, so that the blend means something.
    floor_costs(priced, nodes);
    ++sweeps;
    double paid = 0.0;
    bool added = false;
    for (std::size_t b = 0; b < sources.blocks.size(); ++b) {
      BatchTreeSearch& search = searches[0];
      search.run(sources.blocks[b], priced, sources.orders[b]);
      search.find_parents();
      const auto wanted = sources.part(demands, b);
      for (std::size_t i = 0; i < wanted.size(); ++i) paid += wanted[i] > 0.0 ? wanted[i] * search.cost()[i] : 0.0;
      std::copy(wanted.begin(), wanted.end(), by_node.begin());
      search.accumulate(by_node);
      for (std::size_t lane = 0; lane < sources.blocks[b].size(); ++lane) {
        std::fill(tree_load.begin(), tree_load.end(), 0.0);
        for (std::size_t node = 0; node < nodes; ++node) {
          const std::uint32_t up = search.parent_link()[node * kLanes + lane];
          if (up != FlowNetwork::kNone) tree_load[up] += by_node[node * kLanes + lane];
        }
        if (!add_column(sources.first_slot[b] + lane, [&](std::uint32_t bundle) { return tree_load[bundle]; }))
          continue;
        column_slot.push_back(sources.first_slot[b] + lane);
        added = true;
      }
    }
    const double worth = std::inner_product(priced.begin(), priced.end(), net.capacity.begin(), 0.0);
    for (double& price : priced) price /= worth;
    const bool better = offer_bound(paid / worth, priced);
    if (gap() <= gap_wanted || (!added && blend == 0.0)) break;
    blend = better ? kBlendFirst : blend * 0.5;
    if (blend < 0.01) blend = 0.0;
  }
}

}  // namespace wan::controller
