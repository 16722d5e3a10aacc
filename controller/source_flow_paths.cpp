#include "controller/source_flow_state.h"

#include <algorithm>

namespace wan::controller {
namespace {

constexpr std::size_t kTrySizeMax = 2'000;  // sources x bundles up to which paths are tried before sweeps
constexpr PathColumns::Budget kTry{.pivots = 64, .searches = 8};  // takes about as long as the sweeps would
constexpr int kTryFailuresMax = 16;                               // in a row, until sweeps go first for good
constexpr PathColumns::Budget kFinish{.pivots = 2'000, .searches = 1'000};

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

bool SourceFlowSolver::Impl::finish_by_paths(double gap_wanted, std::size_t size_max) {
  return sources.slot_count() * net.size() <= size_max && solve_by_paths(gap_wanted, kFinish);
}

}  // namespace wan::controller
