#include "controller/source_flow_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace wan::controller {
namespace {

constexpr double kSharpnessGrowth = 4.0;     // at most, a sweep
constexpr double kDelayTieBreak = 1e-3;      // weight of delay while utilisation is minimised
constexpr double kDelayTieBreakOfGap = 0.1;  // at most this part of the gap
constexpr double kDelayEarly = 0.05;         // the same where shorter paths are wanted in the end
constexpr double kDelayEarlyOfGap = 0.5;
constexpr double kAverageKept = 0.8;  // weight of the last sweep's prices in the average beside this one's
constexpr int kShiftsPerBundle = 6;
constexpr int kPasses = 4;  // over the pairs of segments that a sweep found
constexpr int kPassesOfLarge = 8;
constexpr int kPassesOfPatient = 32;  // where sweeps stalled
constexpr int kPassesForDelay = 16;   // while paths are shortened
constexpr double kSlackUsed = 0.85;   // of the slack; prices let a little more through
constexpr double kShorteningSharpness = 1024.0;
constexpr double kShorteningGrowth = 8.0;  // from one to the next
constexpr int kShorteningSweeps = 2;
constexpr double kShorteningWorthwhile = 5e-4;   // a sweep that saves a smaller part of the delay is the last
constexpr std::size_t kPatientSizeMax = 12'000;  // sources x bundles up to which each sharpness gets several sweeps
constexpr int kPatience = 4;
constexpr int kPatienceLater = 2;           // the same of flows that follow a matrix before: they start short
constexpr double kShorteningFirst = 128.0;  // sharpness, in 1 / the utilisation allowed

}  // namespace

/// One sweep at the present sharpness, then the bound; true when the gap is reached.
bool SourceFlowSolver::Impl::sweep_once(double gap_wanted) {
  links.reference = utilization;
  links.sharpness = sharpness / utilization;
  const double delay_part = shortens ? std::min(kDelayEarly, kDelayEarlyOfGap * gap())
                                     : std::min(kDelayTieBreak, kDelayTieBreakOfGap * gap());
  links.delay_weight = delay_unit > 0.0 ? delay_left * delay_part * utilization / delay_unit : 0.0;
  shift_threshold = std::min(kWorthShifting, 0.05 * gap());
  sweep(patient ? kPassesOfPatient : nodes < kLargeNetwork ? kPasses : kPassesOfLarge);

  links.reference = utilization;
  links.sharpness = sharpness / utilization;
  links.refresh();
  const double bound_before = best_bound;
  update_bound(links.price);
  if (gap() > gap_wanted && best_bound == bound_before) update_bound(price_average);
  sharpness = std::max(sharpness, std::min(kSharpnessGrowth * sharpness, sharpness_for(std::max(gap(), gap_wanted))));
  return gap() <= gap_wanted;
}

/// @param passes  over the pairs of segments found
void SourceFlowSolver::Impl::sweep(int passes) {
  ++sweeps;
  traded.clear();
  for (std::size_t first = 0; first < sources.blocks.size(); first += group) {
    const std::size_t last = std::min(first + group, sources.blocks.size());
    links.refresh();
    note_prices();
    spread(first, last, [&](std::size_t b, BatchTreeSearch&) {
      BatchTreeSearch& search = searches[b - first];
      search.run(sources.blocks[b], links.cost, sources.orders[b]);
      search.find_parents();
    });
    for (std::size_t b = first; b < last; ++b) {
      for (std::size_t lane = 0; lane < sources.blocks[b].size(); ++lane) {
        balance_source(sources.first_slot[b] + lane, searches[b - first], lane);
      }
    }
  }
  trade_again(passes);
  add_up();
}

/// Prices swing within a sweep, as sources take turns; their average over the last sweeps is nearer to the best duals.
void SourceFlowSolver::Impl::note_prices() {
  const double sum = std::inner_product(links.price.begin(), links.price.end(), net.capacity.begin(), 0.0);
  if (!(sum > 0.0)) return;
  const double groups = static_cast<double>((sources.blocks.size() + group - 1) / group);
  average_weight = average_weight * std::pow(kAverageKept, 1.0 / groups) + 1.0;
  for (std::size_t b = 0; b < net.size(); ++b) {
    price_average[b] += (links.price[b] / sum - price_average[b]) / average_weight;
  }
}

/// Between the segments that this sweep found, once more and more: that is cheap beside finding them, and sources that
/// push each other off thin links get on.
void SourceFlowSolver::Impl::trade_again(int passes) {
  for (int pass = 0; pass < passes; ++pass) {
    for (const SegmentPairs::Pair& pair : traded.pairs) {
      shift.run_again(traded, pair, flow(pair.slot), links, shift_threshold);
    }
  }
}

void SourceFlowSolver::Impl::balance_source(std::size_t slot, const BatchTreeSearch& search, std::size_t lane) {
  const auto x = flow(slot);
  const TreeView tree{.source = sources.source(slot), .parent_link = search.parent_link(), .lane = lane};
  const auto distance = [&](std::uint32_t node) { return search.cost()[node * kLanes + lane]; };
  detours.clear();
  for (std::uint32_t b = 0; b < x.size(); ++b) {
    if (x[b] <= 0.0 || tree.parent(net.to[b]) == b) continue;
    const double shortest = distance(net.to[b]);
    const double dearer = distance(net.from[b]) + links.cost[b] - shortest;
    if (dearer > shift_threshold * shortest) detours.push_back({.distance = shortest, .bundle = b});
  }
  std::sort(detours.begin(), detours.end(), [](const Detour& a, const Detour& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.bundle < b.bundle);
  });
  for (const Detour& detour : detours) {
    for (int i = 0; i < kShiftsPerBundle && x[detour.bundle] > 0.0; ++i) {
      if (shift.run(detour.bundle, tree, x, links, slot, traded) != SegmentShift::Outcome::kUsedUp) break;
    }
  }
}

void SourceFlowSolver::Impl::update_bound(std::span<const double> prices) {
  priced.assign(prices.begin(), prices.end());
  floor_costs(priced, nodes);
  const double worth = std::inner_product(priced.begin(), priced.end(), net.capacity.begin(), 0.0);
  if (!(worth > 0.0)) return;
  spread(0, sources.blocks.size(), [&](std::size_t b, BatchTreeSearch& search) {
    search.run(sources.blocks[b], priced, sources.orders[b]);
    const auto cost = search.cost();
    const auto wanted = sources.part(demands, b);
    double sum[kLanes] = {};
    for (std::size_t i = 0; i < wanted.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum[lane] += wanted[i + lane] > 0.0 ? wanted[i + lane] * cost[i + lane] : 0.0;
      }
    }
    part[b] = std::accumulate(sum, sum + kLanes, 0.0);
  });
  offer_bound(std::accumulate(part.begin(), part.end(), 0.0) / worth, priced);
}

bool SourceFlowSolver::Impl::offer_bound(double bound, std::span<const double> prices) {
  if (!(bound > best_bound)) return false;
  best_bound = bound;
  best_prices.assign(prices.begin(), prices.end());
  return true;
}

/// Loads by source, summed anew: rounding does not pile up over sweeps.
void SourceFlowSolver::Impl::add_up() {
  std::fill(links.utilization.begin(), links.utilization.end(), 0.0);
  for (std::size_t slot = 0; slot < sources.slot_count(); ++slot) {
    const double* x = flows.data() + slot * net.size();
    for (std::size_t b = 0; b < net.size(); ++b) links.utilization[b] += x[b];
  }
  for (std::size_t b = 0; b < net.size(); ++b) links.utilization[b] *= net.inverse_capacity[b];
  utilization = links.highest_utilization();
}

double SourceFlowSolver::Impl::delay_of_flows() const {
  double sum = 0.0;
  for (std::size_t b = 0; b < net.size(); ++b) sum += links.utilization[b] * net.capacity[b] * net.delay[b];
  return sum;
}

/// Least delay with the utilisation held near what the gap allows: prices that rise where that is reached.
void SourceFlowSolver::Impl::shorten_paths(double gap_allowed, bool follows) {
  const double allowed = best_bound * (1.0 + kSlackUsed * std::min(gap_allowed, kSlackMax));
  if (!(allowed > utilization) || !(delay_unit > 0.0)) return;
  links.reference = allowed;
  links.delay_weight = allowed / delay_unit;
  shift_threshold = kWorthShifting;
  const bool small = sources.slot_count() * net.size() <= kPatientSizeMax;
  const int patience = !small ? 1 : follows ? kPatienceLater : kPatience;
  double relative = kShorteningFirst;
  double delay = delay_of_flows();
  for (int round = 1; round <= kShorteningSweeps * patience; ++round) {
    links.sharpness = relative / allowed;
    sweep(kPassesForDelay);
    const double before = std::exchange(delay, delay_of_flows());
    if (relative < kShorteningSharpness) {
      if (round % patience == 0) relative = std::min(kShorteningGrowth * relative, kShorteningSharpness);
    } else if (delay > before * (1.0 - kShorteningWorthwhile)) {
      break;
    }
  }
}

}  // namespace wan::controller
