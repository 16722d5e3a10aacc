#include "controller/fair_share.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "controller/block_routing.h"
#include "controller/column_master.h"
#include "controller/column_solver.h"
#include "controller/dual_bound.h"
#include "controller/fixed_path_filling.h"
#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr int kExactRoundsMax = 400;  // a level; those left then stop together
constexpr int kRoundsMax = 8;         // the same on larger networks
constexpr double kExactGap = 1e-8;
constexpr double kBlendFirst = 0.5;
constexpr double kMasterSlack = 1e-8;
constexpr int kMasterRoundsMax = 500;
constexpr double kCanGrow = 1e-6;        // of the mean price: a demand whose path is cheaper can grow
constexpr double kCanGrowRoughly = 0.1;  // the same where prices are not exact
constexpr double kWhole = 1.0 - 1e-9;    // a fraction that counts as 1
constexpr double kResidualMin = 1e-7;    // of a capacity: what is left of a full link in divisions

/// What prices prove about the common fraction of the demands that still grow.
struct PriceProof {
  double bound = 1.0;
  double mean_price = 0.0;                 ///< of the growing demands' cheapest paths, weighted by rate
  std::vector<std::vector<double>> price;  ///< [block][target] of growing blocks
  std::vector<BlockTree> trees;            ///< by block: the cheapest one
};

class FairFiller {
 public:
  FairFiller(const Topology& topology, const TrafficMatrix& traffic, const std::vector<PriorityLevel>& levels,
             const PolicySet& policies, const FairShareOptions& options)
      : topology_{topology},
        options_{options},
        level_count_{levels.size()},
        routing_{topology, traffic, level_of_class(levels, traffic.class_count()), constraints_of(policies), true},
        solver_{routing_},
        capacity_inverse_{routing_.inverse_capacity().begin(), routing_.inverse_capacity().end()} {
    exact_ = routing_.blocks().size() * topology.link_count() <= options.exact_size_max;
    for (TrafficBlock& block : routing_.blocks()) {
      block.active = false;
      states_.push_back({.offered = block.rate, .fraction = std::vector<double>(block.rate.size(), 0.0)});
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
  enum class Phase { kWaiting, kGrowing, kStopped };
  struct State {
    std::vector<double> offered;   // by target, bits per second
    std::vector<double> fraction;  // by target, once stopped
    std::uint32_t round = 0;
    Phase phase = Phase::kWaiting;
  };

  [[nodiscard]] Result<void> fill_level(std::size_t level);
  [[nodiscard]] PriceProof prove(std::span<const double> prices);
  [[nodiscard]] Result<double> exact_round(std::vector<double>& prices);
  [[nodiscard]] double rough_round(std::vector<double>& prices);
  void add_columns(ColumnMaster& master, std::vector<std::size_t>& added,
                   std::vector<std::pair<std::size_t, std::size_t>>& place) const;
  void take_shares(const ColumnMaster& master, const std::vector<std::pair<std::size_t, std::size_t>>& place);
  void stop(std::size_t level, double fraction, const std::vector<double>& prices, bool all);
  void stop_block(std::size_t block, double fraction);
  void top_up(std::size_t level);
  [[nodiscard]] std::vector<double> stopped_load() const;
  [[nodiscard]] double capacity(std::size_t link) const {
    return capacity_inverse_[link] > 0.0 ? options_.utilization_max / capacity_inverse_[link] : 0.0;
  }

  const Topology& topology_;
  const FairShareOptions options_;
  std::size_t level_count_;
  BlockRouting routing_;
  ColumnSolver solver_;
  std::vector<double> capacity_inverse_;  // by link, as the topology has it
  std::vector<State> states_;             // by block
  std::vector<FairRound> rounds_;
  bool exact_ = false;
};

/// Cheapest paths of all that grows or has stopped. Prices may have any scale.
PriceProof FairFiller::prove(std::span<const double> prices) {
  PriceProof proof;
  proof.price.resize(routing_.blocks().size());
  proof.trees.resize(routing_.blocks().size());
  double room = 0.0, growing = 0.0, growing_rate = 0.0;
  for (std::size_t l = 0; l < prices.size(); ++l) room += prices[l] * capacity(l);
  for (std::size_t b = 0; b < routing_.blocks().size(); ++b) {
    const State& state = states_[b];
    if (state.phase == Phase::kWaiting) continue;
    routing_.find_tree(routing_.blocks()[b], prices, proof.trees[b]);
    const std::span<const double> cost = routing_.target_cost();
    for (std::size_t t = 0; t < cost.size(); ++t) {
      if (state.phase == Phase::kStopped) {
        room -= state.fraction[t] * state.offered[t] * cost[t];
      } else {
        growing += state.offered[t] * cost[t];
        growing_rate += state.offered[t];
      }
    }
    if (state.phase == Phase::kGrowing) proof.price[b].assign(cost.begin(), cost.end());
  }
  if (growing > 0.0) proof.bound = std::clamp(room / growing, 0.0, 1.0);
  if (growing_rate > 0.0) proof.mean_price = growing / growing_rate;
  return proof;
}

void FairFiller::add_columns(ColumnMaster& master, std::vector<std::size_t>& added,
                             std::vector<std::pair<std::size_t, std::size_t>>& place) const {
  std::vector<ColumnMaster::Entry> entries;
  std::vector<double> on_link(topology_.link_count(), 0.0);
  std::size_t number = 0;
  for (std::size_t b = 0; b < routing_.blocks().size(); ++b) {
    if (states_[b].phase == Phase::kWaiting) continue;
    const TrafficBlock& block = routing_.blocks()[b];
    for (; added[b] < block.trees.size(); ++added[b]) {
      for (const LinkFlow& flow : block.trees[added[b]].flows) on_link[flow.link] += flow.bps;
      entries.clear();
      for (const LinkFlow& flow : block.trees[added[b]].flows) {
        if (on_link[flow.link] == 0.0) continue;
        const double share = on_link[flow.link] * capacity_inverse_[flow.link] / options_.utilization_max;
        entries.push_back({.row = flow.link, .value = share});
        on_link[flow.link] = 0.0;
      }
      master.add_tree(number, entries);
      place.emplace_back(b, added[b]);
    }
    ++number;
  }
}

/// The shares of growing blocks come in units of the common fraction.
void FairFiller::take_shares(const ColumnMaster& master,
                             const std::vector<std::pair<std::size_t, std::size_t>>& place) {
  const double fraction = master.goal();
  for (std::size_t t = 0; t < place.size(); ++t) {
    const auto [block, tree] = place[t];
    const bool grows = states_[block].phase == Phase::kGrowing;
    if (grows && fraction <= 0.0) continue;
    routing_.blocks()[block].trees[tree].share = master.shares()[t] / (grows ? fraction : 1.0);
  }
}

/// The largest common fraction by column generation over the trees of all blocks, those that stopped included.
Result<double> FairFiller::exact_round(std::vector<double>& prices) {
  // Full links stay full: each round may pass what those before left by Clp's tolerance.
  const double whole = 1.0 + kMasterSlack * static_cast<double>(rounds_.size() + 1);
  const std::vector<ColumnMaster::Row> rows(topology_.link_count(), {.bound = whole, .of_goal = false});
  std::vector<ColumnMaster::Row> blocks;
  for (const State& state : states_) {
    if (state.phase == Phase::kStopped) blocks.push_back({.bound = 1.0, .of_goal = false});
    if (state.phase == Phase::kGrowing) blocks.push_back({.bound = 0.0, .of_goal = true});
  }
  ColumnMaster master{rows, blocks, {.cost = -1.0, .upper = 1.0}};
  std::vector<std::size_t> added(routing_.blocks().size(), 0);
  std::vector<std::pair<std::size_t, std::size_t>> place;  // by the master's tree: block, tree
  std::vector<double> best_prices = prices;
  double best = prove(prices).bound;
  double blend = kBlendFirst;
  bool priced_purely = false;  // by the master's own duals alone: no tree they find missing is the optimum
  for (int round = 0; round < kMasterRoundsMax; ++round) {
    const std::size_t before = place.size();
    add_columns(master, added, place);
    if (priced_purely && place.size() == before) break;
    if (!master.solve()) return fail(ErrorCode::kInternal, "Clp gave up on a common fraction");
    for (std::size_t l = 0; l < prices.size(); ++l) {
      prices[l] = blend * best_prices[l] + (1.0 - blend) * master.duals()[l] * capacity_inverse_[l];
    }
    priced_purely = blend == 0.0;
    PriceProof proof = prove(prices);
    if (proof.bound < best) {
      best = proof.bound;
      best_prices = prices;
      blend = kBlendFirst;
    } else {
      blend = blend > 0.01 ? 0.5 * blend : 0.0;
    }
    if (best <= master.goal() + kExactGap) break;
    for (std::size_t b = 0; b < routing_.blocks().size(); ++b) {
      if (states_[b].phase == Phase::kWaiting) continue;
      TrafficBlock& block = routing_.blocks()[b];
      const bool held = std::any_of(block.trees.begin(), block.trees.end(),
                                    [&](const BlockTree& tree) { return tree.same_paths(proof.trees[b]); });
      if (held) continue;
      routing_.flows_of(block, block.rate, proof.trees[b], proof.trees[b].flows);
      block.trees.push_back(std::move(proof.trees[b]));
    }
  }
  take_shares(master, place);
  prices = std::move(best_prices);
  return master.goal();
}

std::vector<double> FairFiller::stopped_load() const {
  std::vector<double> load(topology_.link_count(), 0.0);
  for (std::size_t b = 0; b < states_.size(); ++b) {
    if (states_[b].phase != Phase::kStopped) continue;
    for (const BlockTree& tree : routing_.blocks()[b].trees) {
      for (const LinkFlow& flow : tree.flows) load[flow.link] += tree.share * flow.bps;
    }
  }
  return load;
}

/// The largest common fraction that descent finds in the capacity which demands that stopped leave on their paths.
double FairFiller::rough_round(std::vector<double>& prices) {
  const std::vector<double> taken = stopped_load();
  std::vector<double> inverse(capacity_inverse_);
  for (std::size_t l = 0; l < inverse.size(); ++l) {
    if (inverse[l] <= 0.0) continue;
    inverse[l] = 1.0 / std::max(capacity(l) - taken[l], kResidualMin * capacity(l));
  }
  routing_.set_inverse_capacity(inverse);
  for (std::size_t b = 0; b < states_.size(); ++b) {
    routing_.blocks()[b].active = states_[b].phase == Phase::kGrowing;
  }
  solver_.add_up();
  ColumnBound bound = solver_.minimize({.column = 0, .limit = {}, .good_enough = 1.0, .gap = options_.gap});
  prices = std::move(bound.duals[0]);
  const double utilization = solver_.utilization(0);
  routing_.set_inverse_capacity(capacity_inverse_);
  return utilization > 1.0 ? 1.0 / utilization : 1.0;
}

void FairFiller::stop_block(std::size_t block, double fraction) {
  State& state = states_[block];
  state.phase = Phase::kStopped;
  state.round = static_cast<std::uint32_t>(rounds_.size());
  std::fill(state.fraction.begin(), state.fraction.end(), fraction);
  std::vector<double> rate = state.offered;
  for (double& entry : rate) entry *= fraction;
  routing_.blocks()[block].active = false;
  routing_.set_rates(routing_.blocks()[block], rate);
}

/// Stops the growing demands that cost something at these prices: none of them can have more unless another has less.
void FairFiller::stop(std::size_t level, double fraction, const std::vector<double>& prices, bool all) {
  const PriceProof proof = prove(prices);
  const double price_min = (exact_ ? kCanGrow : kCanGrowRoughly) * proof.mean_price;
  FairRound round{.level = level, .fraction = fraction, .bound = std::max(proof.bound, fraction), .duals = prices};
  const std::size_t count = states_.size();
  for (std::size_t b = 0; b < count; ++b) {
    if (states_[b].phase != Phase::kGrowing) continue;
    std::vector<bool> stops(states_[b].offered.size(), false);
    for (std::size_t t = 0; t < stops.size(); ++t)
      stops[t] = all || fraction >= kWhole || proof.price[b][t] >= price_min;
    const auto stopping = static_cast<std::size_t>(std::count(stops.begin(), stops.end(), true));
    round.stopped += stopping;
    if (stopping == 0) continue;
    std::size_t stopped = b;
    if (stopping < stops.size()) {
      stopped = routing_.split_block(b, stops);
      State staying{.offered = {}, .fraction = {}, .round = 0, .phase = Phase::kGrowing};
      State going = staying;
      for (std::size_t t = 0; t < stops.size(); ++t) {
        State& half = stops[t] ? going : staying;
        half.offered.push_back(states_[b].offered[t]);
        half.fraction.push_back(0.0);
      }
      states_[b] = std::move(staying);
      states_.push_back(std::move(going));
    }
    stop_block(stopped, fraction);
  }
  rounds_.push_back(std::move(round));
}

Result<void> FairFiller::fill_level(std::size_t level) {
  std::size_t growing = 0;
  for (std::size_t b = 0; b < states_.size(); ++b) {
    if (routing_.blocks()[b].level != level || states_[b].phase != Phase::kWaiting) continue;
    states_[b].phase = Phase::kGrowing;
    ++growing;
  }
  std::vector<double> prices(topology_.link_count(), 0.0);
  const int rounds_max = exact_ ? kExactRoundsMax : kRoundsMax;
  for (int round = 1; growing > 0; ++round) {
    double fraction = rough_round(prices);
    if (exact_) {
      const auto found = exact_round(prices);  // from the trees that descent found
      if (!found) return tl::unexpected<Error>{found.error()};
      fraction = *found;
    }
    stop(level, fraction >= kWhole ? 1.0 : fraction, prices, round == rounds_max);
    growing = static_cast<std::size_t>(std::count_if(
        states_.begin(), states_.end(), [](const State& state) { return state.phase == Phase::kGrowing; }));
  }
  if (!exact_) top_up(level);
  return {};
}

/// Fills what rounds left open on the paths that the level's demands have.
void FairFiller::top_up(std::size_t level) {
  const std::vector<double> taken = stopped_load();
  std::vector<double> room(topology_.link_count(), 0.0);
  for (std::size_t l = 0; l < room.size(); ++l) room[l] = std::max(0.0, capacity(l) - taken[l]);
  FixedPathFilling filling{std::move(room)};
  std::vector<std::pair<std::size_t, std::size_t>> place;
  std::vector<LinkFlow> flows;
  for (std::size_t b = 0; b < states_.size(); ++b) {
    if (routing_.blocks()[b].level != level) continue;
    for (std::size_t t = 0; t < states_[b].offered.size(); ++t) {
      if (states_[b].fraction[t] >= kWhole) continue;
      routing_.target_flows(routing_.blocks()[b], t, flows);
      for (LinkFlow& flow : flows) flow.bps *= states_[b].offered[t];
      filling.add(states_[b].fraction[t], flows);
      place.emplace_back(b, t);
    }
  }
  if (place.empty()) return;
  const std::vector<double> fraction = filling.fill();
  for (std::size_t i = 0; i < place.size(); ++i) states_[place[i].first].fraction[place[i].second] = fraction[i];
  for (std::size_t b = 0; b < states_.size(); ++b) {
    if (routing_.blocks()[b].level != level) continue;
    std::vector<double> rate = states_[b].offered;
    for (std::size_t t = 0; t < rate.size(); ++t) rate[t] *= states_[b].fraction[t];
    routing_.set_rates(routing_.blocks()[b], rate);
  }
}

void FairFiller::write(FairRoutes& routes) {
  routes.plan = routing_.make_plan(0.0);
  for (const BlockRouting::Place& place : routing_.places()) {
    const bool has_traffic = place.block != BlockRouting::Place::kNone;
    routes.admitted.push_back(has_traffic ? states_[place.block].fraction[place.target] : 1.0);
    routes.round.push_back(has_traffic ? states_[place.block].round : FairRoutes::kNoRound);
  }
  routes.rounds = std::move(rounds_);
  routes.broken = routing_.broken_rules();
}

/// The matrix with every demand that the plan routes at what is admitted of it.
TrafficMatrix admitted_traffic(const TrafficMatrix& traffic, const FairRoutes& routes) {
  TrafficMatrix carried = traffic;
  for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
    const Demand& demand = routes.plan.demands()[d];
    const BitRate offered = traffic.at(demand.cls, demand.from, demand.to);
    carried.set(demand.cls, demand.from, demand.to, routes.admitted[d] * offered);
  }
  return carried;
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
  routes.utilization = max_utilization(topology, routes.plan, admitted_traffic(traffic, routes));
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
