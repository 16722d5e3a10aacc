#include "controller/fair_share.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "controller/block_routing.h"
#include "controller/column_solver.h"
#include "controller/dual_bound.h"
#include "controller/raise_together.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr double kWhole = 1.0 - 1e-10;     // a fraction that counts as 1
constexpr double kStopsWithin = 1e-7;      // a demand stops when it is proven to be this near to its largest fraction,
constexpr double kStopsWithinRoom = 1e-9;  // or to the rate, as a part of the narrowest link's room
constexpr double kGapMin = 1e-12;          // rounding of a gap: what looks smaller may be this
constexpr double kRounding = 1e-12;        // of all priced room: sums in another order
constexpr double kResidualMin = 1e-7;      // of a capacity: what is left of a full link in divisions
constexpr double kFirstTreesGap = 0.01;    // of the descent that finds a level's first trees
constexpr double kOverfull = 1.0 + 9e-10;  // of what a link may carry
constexpr double kNegligible = 1e-9;       // of all links' room: a rate that says nothing of fairness
constexpr double kNotWorthAPath = 1e-12;   // of a demand: rounding of a share

/// What a growing demand's price must be for it to stop: either so much of the payment of all, or so much a bit/s.
struct StopsAt {
  double part;
  double price;
};

class FairFiller {
 public:
  FairFiller(const Topology& topology, const TrafficMatrix& traffic, const std::vector<PriorityLevel>& levels,
             const PolicySet& policies, const FairShareOptions& options)
      : topology_{topology},
        traffic_{traffic},
        options_{options},
        level_count_{levels.size()},
        routing_{topology, traffic, level_of_class(levels, traffic.class_count()), constraints_of(policies), true},
        solver_{routing_},
        phase_(routing_.blocks().size(), BlockPhase::kWaiting),
        stopped_block_(routing_.blocks().size(), BlockRouting::kNewBlock),
        demand_count_{routing_.ruled().demands.size()},
        fraction_(level_count_ * demand_count_, 0.0),
        round_(level_count_ * demand_count_, FairRoutes::kNoRound),
        beyond_bps_(level_count_ * demand_count_, 0.0),
        worth_bps_(level_count_ * demand_count_, 0.0) {
    for (const double inverse : routing_.inverse_capacity()) {
      room_.push_back(inverse > 0.0 ? options.utilization_max / inverse : 0.0);
      if (inverse > 0.0) narrowest_room_ = std::min(narrowest_room_, room_.back());
    }
  }

  Result<void> fill() {
    for (std::size_t level = 0; level < level_count_; ++level) {
      if (auto filled = fill_level(level); !filled) return filled;
    }
    return {};
  }
  void write(FairRoutes& routes);

 private:
  [[nodiscard]] Result<void> fill_level(std::size_t level);
  [[nodiscard]] double find_first_trees(std::size_t level);
  [[nodiscard]] StopsAt stops_at(const CommonFraction& found) const;
  void stop(std::size_t level, CommonFraction&& found, bool all);
  void stop_targets(std::size_t block, const std::vector<bool>& stops, double fraction);
  [[nodiscard]] std::vector<double> stopped_load() const;
  [[nodiscard]] bool any_growing() const {
    for (std::size_t b = 0; b < phase_.size(); ++b) {
      if (phase_[b] == BlockPhase::kGrowing && !routing_.blocks()[b].targets.empty()) return true;
    }
    return false;
  }

  const Topology& topology_;
  const TrafficMatrix& traffic_;
  const FairShareOptions options_;
  std::size_t level_count_;
  BlockRouting routing_;
  ColumnSolver solver_;
  std::vector<double> room_;  // by link: what it may carry, bits per second
  double narrowest_room_ = std::numeric_limits<double>::infinity();
  std::vector<BlockPhase> phase_;           // by block
  std::vector<std::size_t> stopped_block_;  // by block: where its stopped demands are
  std::size_t demand_count_;
  std::vector<double> fraction_;      // [level][ruled demand], once stopped
  std::vector<std::uint32_t> round_;  // [level][ruled demand]
  std::vector<FairRound> rounds_;
  std::vector<double> beyond_bps_;  // [level][ruled demand]: what prices leave it beyond its fraction
  std::vector<double> worth_bps_;   // [level][ruled demand]: all priced room, in rates that would pay for it
  std::size_t unproven_ = 0;
  int pricings_ = 0;
};

std::vector<double> FairFiller::stopped_load() const {
  std::vector<double> load(topology_.link_count(), 0.0);
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (phase_[b] != BlockPhase::kStopped) continue;
    for (const BlockTree& tree : routing_.blocks()[b].trees) {
      for (const LinkFlow& flow : tree.flows) load[flow.link] += tree.share * flow.bps;
    }
  }
  return load;
}

/// Trees by descent in the room that the levels above leave on their present paths.
/// @return  a fraction that they reach
double FairFiller::find_first_trees(std::size_t level) {
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (routing_.blocks()[b].level == level) phase_[b] = BlockPhase::kGrowing;
    routing_.blocks()[b].active = phase_[b] == BlockPhase::kGrowing && !routing_.blocks()[b].targets.empty();
  }
  if (!any_growing()) return 0.0;
  const std::vector<double> taken = stopped_load();
  const std::vector<double> inverse{routing_.inverse_capacity().begin(), routing_.inverse_capacity().end()};
  std::vector<double> of_room(inverse);
  for (std::size_t l = 0; l < inverse.size(); ++l) {
    if (room_[l] > 0.0) of_room[l] = 1.0 / std::max(room_[l] - taken[l], kResidualMin * room_[l]);
  }
  routing_.set_inverse_capacity(of_room);
  solver_.add_up();
  (void)solver_.minimize({.column = 0, .limit = {}, .good_enough = 1.0, .gap = kFirstTreesGap});
  const double utilization = solver_.utilization(0);
  routing_.set_inverse_capacity(inverse);
  return utilization > 1.0 ? 1.0 / utilization : 1.0;
}

Result<void> FairFiller::fill_level(std::size_t level) {
  double fraction = find_first_trees(level), lowest = 0.0;
  for (int round = 1; any_growing(); ++round) {
    auto found = raise_together(routing_, phase_, fraction, options_.utilization_max);
    if (!found) return tl::unexpected<Error>{found.error()};
    pricings_ += found->pricings;
    // A rise that the stopped demands' tolerance explains is none: were it handed out, nothing would be left of that.
    if (found->fraction <= lowest + found->precision) {
      found->gap += std::max(0.0, found->fraction - lowest);
      found->fraction = lowest;
    }
    fraction = lowest = found->fraction;
    stop(level, *std::move(found), round == options_.rounds_max);
  }
  return {};
}

/// Prices that prove a demand to be stuck; where nothing is proven as well as it should be, the half of the dearest
/// one.
StopsAt FairFiller::stops_at(const CommonFraction& found) const {
  const double gap = std::max(found.gap, kGapMin);
  double dearest = 0.0, largest_part = 0.0;
  for (std::size_t b = 0; b < found.part.size(); ++b) {
    for (std::size_t t = 0; t < found.part[b].size(); ++t) {
      largest_part = std::max(largest_part, found.part[b][t]);
      dearest = std::max(dearest, found.part[b][t] / routing_.blocks()[b].rate[t]);
    }
  }
  StopsAt least{.part = gap / kStopsWithin, .price = gap / (kStopsWithinRoom * narrowest_room_)};
  if (least.part > largest_part && least.price > dearest) least.price = 0.5 * dearest;
  return least;
}

void FairFiller::stop(std::size_t level, CommonFraction&& found, bool all) {
  const bool whole = found.fraction >= kWhole;
  const double fraction = whole ? 1.0 : found.fraction;
  const StopsAt least = stops_at(found);
  FairRound round{.level = level, .fraction = fraction, .duals = std::move(found.prices), .stopped = 0};
  const std::size_t blocks = phase_.size();
  for (std::size_t b = 0; b < blocks; ++b) {
    if (phase_[b] != BlockPhase::kGrowing || routing_.blocks()[b].targets.empty()) continue;
    const TrafficBlock& block = routing_.blocks()[b];
    std::vector<bool> stops(block.targets.size(), whole);
    for (std::size_t t = 0; t < stops.size(); ++t) {
      const double part = whole ? 0.0 : found.part[b][t];
      const double price = part / block.rate[t];
      const bool proven = whole || (part > 0.0 && (part >= least.part || price >= least.price));
      stops[t] = proven || all;
      if (!stops[t]) continue;
      ++round.stopped;
      unproven_ += !proven;
      const std::size_t at = level * demand_count_ + block.demand[t];
      fraction_[at] = fraction;
      round_[at] = static_cast<std::uint32_t>(rounds_.size());
      beyond_bps_[at] = price > 0.0 ? found.gap / price : std::numeric_limits<double>::infinity();
      worth_bps_[at] = price > 0.0 ? found.worth / price : 0.0;
    }
    stop_targets(b, stops, fraction);
  }
  rounds_.push_back(std::move(round));
}

void FairFiller::stop_targets(std::size_t block, const std::vector<bool>& stops, double fraction) {
  if (std::none_of(stops.begin(), stops.end(), [](bool stop) { return stop; })) return;
  std::vector<double> rate = routing_.blocks()[block].rate;
  for (double& entry : rate) entry *= fraction;
  const bool first = stopped_block_[block] == BlockRouting::kNewBlock;
  stopped_block_[block] = routing_.move_targets(block, stops, rate, stopped_block_[block]);
  if (!first) return;
  phase_.push_back(BlockPhase::kStopped);
  stopped_block_.push_back(BlockRouting::kNewBlock);
}

TrafficMatrix admitted_traffic(const TrafficMatrix& traffic, const FairRoutes& routes) {
  TrafficMatrix carried = traffic;
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    const Demand& demand = routes.plan.demands()[d];
    const BitRate offered = traffic.at(demand.cls, demand.from, demand.to);
    carried.set(demand.cls, demand.from, demand.to, routes.admitted[d] * offered);
  }
  return carried;
}

/// Lowers all shares alike where slack of stopped demands has put more on a link than counts as rounding.
/// @return  the part that is left of them
double cut_overload(const Topology& topology, const TrafficMatrix& traffic, double utilization_max,
                    FairRoutes& routes) {
  routes.utilization = max_utilization(topology, routes.plan, admitted_traffic(traffic, routes));
  if (routes.utilization <= utilization_max * kOverfull) return 1.0;
  const double kept = utilization_max / routes.utilization;
  for (std::size_t d = 0; d < routes.admitted.size(); ++d) {
    if (routes.round[d] != FairRoutes::kNoRound) routes.admitted[d] *= kept;
  }
  for (FairRound& round : routes.rounds) round.fraction *= kept;
  routes.utilization = max_utilization(topology, routes.plan, admitted_traffic(traffic, routes));
  return kept;
}

void FairFiller::write(FairRoutes& routes) {
  routes.plan = routing_.make_plan(kNotWorthAPath);
  const std::vector<BlockRouting::Place> places = routing_.places();
  std::vector<std::size_t> at(places.size(), 0);  // [level][ruled demand]
  for (std::size_t d = 0; d < places.size(); ++d) {
    const bool has_traffic = places[d].block != BlockRouting::Place::kNone;
    if (has_traffic) {
      const TrafficBlock& block = routing_.blocks()[places[d].block];
      at[d] = block.level * demand_count_ + block.demand[places[d].target];
    }
    routes.admitted.push_back(has_traffic ? fraction_[at[d]] : 1.0);
    routes.round.push_back(has_traffic ? round_[at[d]] : FairRoutes::kNoRound);
  }
  routes.rounds = std::move(rounds_);
  routes.unproven = unproven_;
  routes.pricings = pricings_;
  routes.broken = routing_.broken_rules();

  const double kept = cut_overload(topology_, traffic_, options_.utilization_max, routes);
  const double overfull = std::max(0.0, routes.utilization / options_.utilization_max - 1.0);
  const double rounding = kRounding + overfull + (1.0 - kept);
  routes.negligible_bps = kNegligible * std::accumulate(room_.begin(), room_.end(), 0.0);
  for (std::size_t d = 0; d < places.size(); ++d) {
    if (routes.admitted[d] >= 1.0) continue;
    const Demand& demand = routes.plan.demands()[d];
    const double beyond_bps = beyond_bps_[at[d]] + rounding * worth_bps_[at[d]];
    if (beyond_bps <= routes.negligible_bps) continue;
    const double beyond = beyond_bps / traffic_.at(demand.cls, demand.from, demand.to).bps();
    routes.within = std::max(routes.within, std::min(beyond, 1.0 - routes.admitted[d]));
  }
}

}  // namespace

Result<FairRoutes> plan_fair_shares(const Topology& topology, const TrafficMatrix& traffic, const PolicySet& policies,
                                    const FairShareOptions& options) {
  if (traffic.node_count() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "the traffic matrix has " + std::to_string(traffic.node_count()) +
                                               " nodes, the topology " + std::to_string(topology.node_count()));
  }
  FairRoutes routes;
  routes.levels = priority_levels(policies, traffic.class_count());
  FairFiller filler{topology, traffic, routes.levels, policies, options};
  if (auto filled = filler.fill(); !filled) return tl::unexpected<Error>{filled.error()};
  filler.write(routes);
  routes.unrouted = unconnected_demands(topology, traffic);
  routes.offered = {.utilization = max_utilization(topology, routes.plan, traffic),
                    .lower_bound = 0.0,
                    .duals = std::vector<double>(topology.link_count(), 1.0)};
  const TrafficMatrix summed = traffic.classes_summed();
  routes.offered.lower_bound = dual_bound(topology, summed, routes.offered.duals);
  for (std::size_t r = 0; r < routes.rounds.size(); ++r) {
    if (r > 0 && routes.rounds[r].level == routes.rounds[r - 1].level) continue;
    const double bound = dual_bound(topology, summed, routes.rounds[r].duals);
    if (bound <= routes.offered.lower_bound) continue;
    routes.offered.lower_bound = bound;
    routes.offered.duals = routes.rounds[r].duals;
  }
  return routes;
}

}  // namespace wan::controller
