#include "controller/source_flow_solver.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "controller/batch_tree_search.h"
#include "controller/flow_follower.h"
#include "controller/flow_master.h"
#include "controller/flow_network.h"
#include "controller/segment_shift.h"
#include "controller/source_blocks.h"
#include "controller/worker_team.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kLanes = BatchTreeSearch::kLanes;
constexpr std::size_t kLargeNetwork = 400;  // nodes from which trees of several blocks are found under the same prices
constexpr std::size_t kGroupOfLarge = 4;    // that many blocks
constexpr double kFirstSharpness = 30.0;    // in 1 / utilisation
constexpr double kSharpnessGrowth = 4.0;    // at most, a sweep
constexpr double kSharpnessOverGap = 0.5;   // times ln(links) / gap, at first; doubled at each stall
constexpr double kSharpnessOverGapMax = 2.0;
constexpr double kPlacingSharpness = 20.0;
constexpr double kPlacingDelayWeight = 0.2;  // of the utilisation, while sources go on their first trees
constexpr double kDelayTieBreak = 1e-3;      // the same while utilisation is minimised; at most a tenth of the gap
constexpr double kWorthShifting = 1e-3;      // a way dearer than the tree's by less is left; at most a part of the gap
constexpr int kSweepsMax = 300;
constexpr int kStallWindow = 4;       // sweeps over which the gap must shrink
constexpr double kStallRatio = 0.6;   // to this part
constexpr double kAverageKept = 0.8;  // weight of the last sweep's prices in the average beside this one's
constexpr int kStallsMax = 4;         // with a linear program after each of them
constexpr int kStallsMaxWithout = 48;
constexpr int kShiftsPerBundle = 6;
constexpr double kGoOnMax = 16.0;  // times a sweep's shifts that all of them may be repeated at once
constexpr double kGoOnMin = 0.05;
constexpr std::size_t kMasterSizeMax = 250'000;  // sources x bundles up to which a linear program finishes
constexpr int kMasterRoundsMax = 200;
constexpr double kBlendFirst = 0.5;            // weight of the best bound's prices in the prices of new trees
constexpr double kGapBeforeShortening = 0.25;  // of the gap wanted, 1 % at most
constexpr double kSlackMax = 0.005;            // of the utilisation, that shorter paths may cost
constexpr double kSlackUsed = 0.85;            // of the slack; prices let a little more through
constexpr double kShorteningSharpness = 1024.0;
constexpr int kShorteningSweeps = 8;
constexpr double kShorteningWorthwhile = 5e-4;   // a sweep that saves a smaller part of the delay is the last
constexpr std::size_t kPatientSizeMax = 12'000;  // sources x bundles up to which each sharpness gets several sweeps
constexpr int kPatience = 4;

}  // namespace

struct SourceFlowSolver::Impl {
  Impl(const Topology& topology, int threads);
  void start_from(const Impl& before);

  void solve(const TrafficMatrix& demand, const SourceFlowOptions& options);
  void find_delays();

  // Demand and where flows start.
  [[nodiscard]] std::vector<std::uint32_t> sending_nodes(const TrafficMatrix& demand) const;
  void deal_sources(std::span<const std::uint32_t> sending);
  void take_demand(const TrafficMatrix& demand);
  void follow_demand(std::size_t slot);
  void place();

  // Sweeps and bound.
  void minimize_utilization(double gap_wanted);
  bool sweep_once(double gap_wanted);
  void sweep();
  void go_on();
  void note_prices();
  void balance_source(std::size_t slot, const BatchTreeSearch& search, std::size_t lane);
  void update_bound(std::span<const double> prices);
  bool offer_bound(double bound, std::span<const double> prices);
  void finish_with_master(double gap_wanted);
  void shorten_paths(double gap_allowed);
  void add_up();

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
    return sharpness_over_gap * std::log(static_cast<double>(net.size()) + 1.0) / gap;
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
  SegmentShift::Log shifts;  // of the present sweep
  double utilization = 0.0;
  double sharpness = kFirstSharpness;  // in 1 / utilisation
  double sharpness_over_gap = kSharpnessOverGap;
  std::vector<double> price_average;  // by bundle
  double average_weight = 0.0;
  double best_bound = 0.0;
  std::vector<double> best_prices;  // by bundle
  int sweeps = 0;

  // Working memory.
  struct Detour {
    double distance;  // of its end from the source
    std::uint32_t bundle;
  };
  std::vector<Detour> detours;
  double shift_threshold = kWorthShifting;
  std::vector<double> by_node, priced, part, change;
  BalanceStep joint_step;
};

SourceFlowSolver::Impl::Impl(const Topology& topology, int threads)
    : net{topology},
      nodes{topology.node_count()},
      team{nodes < kLargeNetwork ? 1 : static_cast<std::size_t>(std::max(1, threads))},
      group{nodes < kLargeNetwork ? 1 : kGroupOfLarge},
      sources{nodes},
      links{net},
      follower{net},
      shift{net},
      price_average(net.size(), 0.0),
      best_prices(net.size(), 0.0),
      by_node(nodes * kLanes) {
  for (std::size_t i = 0; i < std::max(group, team.size()); ++i) searches.emplace_back(net.graph);
  find_delays();
}

/// Takes over sources, flows and prices; what flowed over links that are gone is missing until flows follow a demand.
void SourceFlowSolver::Impl::start_from(const Impl& before) {
  assert(nodes == before.nodes && net.bundle_of.size() == before.net.bundle_of.size());
  sources = before.sources;
  demands.assign(before.demands.size(), 0.0);
  flows.assign(sources.slot_count() * net.size(), 0.0);
  part.resize(sources.blocks.size());
  for (std::size_t l = 0; l < net.bundle_of.size(); ++l) {
    const std::uint32_t bundle = net.bundle_of[l];
    const std::uint32_t old = before.net.bundle_of[l];
    if (bundle == FlowNetwork::kNone || old == FlowNetwork::kNone) continue;
    best_prices[bundle] = before.best_prices[old];
    for (std::size_t slot = 0; slot < sources.slot_count(); ++slot) {
      flows[slot * net.size() + bundle] = before.flows[slot * before.net.size() + old];
    }
  }
}

void SourceFlowSolver::Impl::find_delays() {
  shortest_delay.assign(nodes * nodes, std::numeric_limits<float>::infinity());
  std::vector<double> cost = net.delay;
  if (!cost.empty()) floor_costs(cost, nodes);
  std::vector<std::uint32_t> order(nodes);
  std::iota(order.begin(), order.end(), 0U);
  const auto all = source_blocks(net.graph, order);
  for (const auto& block : all) {
    searches[0].run(block, cost, order);
    const auto found = searches[0].cost();
    for (std::size_t lane = 0; lane < block.size(); ++lane) {
      float* row = shortest_delay.data() + block[lane] * nodes;
      for (std::size_t node = 0; node < nodes; ++node) row[node] = static_cast<float>(found[node * kLanes + lane]);
    }
  }
}

std::vector<std::uint32_t> SourceFlowSolver::Impl::sending_nodes(const TrafficMatrix& demand) const {
  std::vector<std::uint32_t> sending;
  for (std::uint32_t s = 0; s < nodes; ++s) {
    const auto row = demand.bps().subspan(s * nodes, nodes);
    for (std::size_t t = 0; t < nodes; ++t) {
      if (row[t] > 0.0 && t != s && std::isfinite(shortest_delay[s * nodes + t])) {
        sending.push_back(s);
        break;
      }
    }
  }
  return sending;
}

void SourceFlowSolver::Impl::deal_sources(std::span<const std::uint32_t> sending) {
  sources.deal(net.graph, sending);
  demands.assign(sources.array_size(), 0.0);
  flows.assign(sources.slot_count() * net.size(), 0.0);
  part.resize(sources.blocks.size());
}

/// Flows follow the new demand by the splits they had; what had no flow before is placed beside them.
void SourceFlowSolver::Impl::take_demand(const TrafficMatrix& demand) {
  const std::vector<std::uint32_t> sending = sending_nodes(demand);
  const bool known =
      std::all_of(sending.begin(), sending.end(), [this](auto s) { return sources.slot_of[s] != SourceBlocks::kNone; });
  if (!known) deal_sources(sending);

  delay_unit = 0.0;
  for (std::size_t slot = 0; slot < sources.slot_count(); ++slot) {
    const std::size_t s = sources.source(slot);
    const auto row = demand.bps().subspan(s * nodes, nodes);
    for (std::size_t t = 0; t < nodes; ++t) {
      const float delay = shortest_delay[s * nodes + t];
      const double bps = t != s && std::isfinite(delay) ? row[t] : 0.0;
      demands[sources.at(slot, t)] = bps;
      if (bps > 0.0) delay_unit += bps * static_cast<double>(delay);
    }
  }
  if (*std::max_element(net.delay.begin(), net.delay.end()) <= 0.0) delay_unit = 0.0;  // what is left is rounding

  if (known) {
    unplaced.assign(demands.size(), 0.0);
    for (std::size_t slot = 0; slot < sources.slot_count(); ++slot) follow_demand(slot);
  } else {
    unplaced = demands;
  }
  add_up();
  place();
}

void SourceFlowSolver::Impl::follow_demand(std::size_t slot) {
  for (std::size_t node = 0; node < nodes; ++node) by_node[node] = demands[sources.at(slot, node)];
  const std::uint32_t source = sources.source(slot);
  const auto missing = follower.follow(source, std::span{by_node}.first(nodes), flow(slot));
  for (std::size_t node = 0; node < nodes; ++node) unplaced[sources.at(slot, node)] = missing[node];
}

/// What is unplaced goes on its source's cheapest tree, by delay and by what those before it filled.
void SourceFlowSolver::Impl::place() {
  for (std::size_t b = 0; b < sources.blocks.size(); ++b) {
    const auto wanted = sources.part(unplaced, b);
    if (std::none_of(wanted.begin(), wanted.end(), [](double bps) { return bps > 0.0; })) continue;
    const double filled = links.highest_utilization();
    if (filled > 0.0) {
      links.reference = filled;
      links.sharpness = kPlacingSharpness / filled;
      links.delay_weight = delay_unit > 0.0 ? kPlacingDelayWeight * filled / delay_unit : 0.0;
      links.refresh();
    } else {
      links.cost = net.delay;
      floor_costs(links.cost, nodes);
    }
    BatchTreeSearch& search = searches[0];
    search.run(sources.blocks[b], links.cost, sources.orders[b]);
    search.find_parents();
    std::copy(wanted.begin(), wanted.end(), by_node.begin());
    search.accumulate(by_node);
    for (std::size_t lane = 0; lane < sources.blocks[b].size(); ++lane) {
      const auto x = flow(sources.first_slot[b] + lane);
      for (std::size_t node = 0; node < nodes; ++node) {
        const std::uint32_t up = search.parent_link()[node * kLanes + lane];
        const double bps = by_node[node * kLanes + lane];
        if (up == FlowNetwork::kNone || bps <= 0.0) continue;
        x[up] += bps;
        links.utilization[up] += bps * net.inverse_capacity[up];
      }
    }
  }
  add_up();
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

void SourceFlowSolver::Impl::sweep() {
  ++sweeps;
  shifts.clear();
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
  go_on();
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

/// The sweep's shifts once more, all together, as far as that pays: sources that push each other off a thin link get
/// no further one at a time.
void SourceFlowSolver::Impl::go_on() {
  if (shifts.records.empty()) return;
  links.refresh();
  change.assign(net.size(), 0.0);
  for (const SegmentShift::Record& record : shifts.records) {
    const double* x = flows.data() + record.slot * net.size();
    double most = record.bps;
    for (std::size_t i = record.first; i < record.dear_end; ++i) most = std::min(most, x[shifts.bundles[i]]);
    for (std::size_t i = record.first; i < record.dear_end; ++i) change[shifts.bundles[i]] -= most;
    for (std::size_t i = record.dear_end; i < record.cheap_end; ++i) change[shifts.bundles[i]] += most;
  }
  double delay = 0.0;
  for (std::size_t b = 0; b < net.size(); ++b) delay += change[b] * net.delay[b];
  joint_step.start(links.delay_weight * delay);
  for (std::size_t b = 0; b < net.size(); ++b) {
    const double bps = std::abs(change[b]);
    if (bps == 0.0 || links.price[b] == 0.0) continue;
    const double rate = links.sharpness * bps * net.inverse_capacity[b];
    change[b] > 0.0 ? joint_step.add_rising(bps * links.price[b], rate)
                    : joint_step.add_falling(bps * links.price[b], rate);
  }
  const double step = joint_step.solve(kGoOnMax);
  if (step < kGoOnMin) return;
  for (const SegmentShift::Record& record : shifts.records) {
    double* x = flows.data() + record.slot * net.size();
    double moved = step * record.bps;
    for (std::size_t i = record.first; i < record.dear_end; ++i) moved = std::min(moved, x[shifts.bundles[i]]);
    if (!(moved > 0.0)) continue;
    for (std::size_t i = record.first; i < record.dear_end; ++i) x[shifts.bundles[i]] -= moved;
    for (std::size_t i = record.dear_end; i < record.cheap_end; ++i) x[shifts.bundles[i]] += moved;
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
      if (shift.run(detour.bundle, tree, x, links, slot, shifts) != SegmentShift::Outcome::kUsedUp) break;
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

/// One sweep at the present sharpness, then the bound; true when the gap is reached.
bool SourceFlowSolver::Impl::sweep_once(double gap_wanted) {
  links.reference = utilization;
  links.sharpness = sharpness / utilization;
  links.delay_weight = delay_unit > 0.0 ? std::min(kDelayTieBreak, 0.1 * gap()) * utilization / delay_unit : 0.0;
  shift_threshold = std::min(kWorthShifting, 0.05 * gap());
  sweep();

  links.reference = utilization;
  links.sharpness = sharpness / utilization;
  links.refresh();
  const double bound_before = best_bound;
  update_bound(links.price);
  if (gap() > gap_wanted && best_bound == bound_before) update_bound(price_average);
  sharpness = std::max(sharpness, std::min(kSharpnessGrowth * sharpness, sharpness_for(std::max(gap(), gap_wanted))));
  return gap() <= gap_wanted;
}

void SourceFlowSolver::Impl::minimize_utilization(double gap_wanted) {
  const bool master_pays = sources.slot_count() * net.size() <= kMasterSizeMax;
  double gap_before = std::numeric_limits<double>::infinity();
  int stalls = 0;
  for (int round = 1; round <= kSweepsMax && gap() > gap_wanted; ++round) {
    if (sweep_once(gap_wanted)) return;
    if (round % kStallWindow != 0) continue;
    const bool stalled = gap() > kStallRatio * gap_before;
    gap_before = gap();
    if (!stalled) continue;
    // Sharper prices end most stalls, and jam where dozens of links are full: only with a way out behind them.
    if (master_pays && sharpness_over_gap < kSharpnessOverGapMax) {
      sharpness_over_gap *= 2.0;
      continue;
    }
    if (master_pays) finish_with_master(gap_wanted);
    if (++stalls == (master_pays ? kStallsMax : kStallsMaxWithout)) return;
  }
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

double SourceFlowSolver::Impl::delay_of_flows() const {
  double sum = 0.0;
  for (std::size_t b = 0; b < net.size(); ++b) sum += links.utilization[b] * net.capacity[b] * net.delay[b];
  return sum;
}

/// Least delay with the utilisation held near what the gap allows: prices that rise where that is reached.
void SourceFlowSolver::Impl::shorten_paths(double gap_allowed) {
  const double allowed = best_bound * (1.0 + kSlackUsed * std::min(gap_allowed, kSlackMax));
  if (!(allowed > utilization) || !(delay_unit > 0.0)) return;
  links.reference = allowed;
  links.delay_weight = allowed / delay_unit;
  shift_threshold = kWorthShifting;
  const int patience = sources.slot_count() * net.size() <= kPatientSizeMax ? kPatience : 1;
  double relative = 16.0;
  double delay = delay_of_flows();
  for (int round = 1; round <= kShorteningSweeps * patience; ++round) {
    links.sharpness = relative / allowed;
    sweep();
    const double before = std::exchange(delay, delay_of_flows());
    if (relative < kShorteningSharpness) {
      if (round % patience == 0) relative *= 2.0;
    } else if (delay > before * (1.0 - kShorteningWorthwhile)) {
      break;
    }
  }
}

void SourceFlowSolver::Impl::solve(const TrafficMatrix& demand, const SourceFlowOptions& options) {
  assert(demand.node_count() == nodes && demand.class_count() == 1);
  sweeps = 0;
  sharpness_over_gap = kSharpnessOverGap;
  best_bound = 0.0;
  utilization = 0.0;
  if (net.size() == 0) return;
  take_demand(demand);
  if (utilization <= 0.0) {
    std::fill(best_prices.begin(), best_prices.end(), 0.0);
    return;
  }
  const std::vector<double> last_prices = best_prices;
  update_bound(last_prices);
  sharpness = std::max(kFirstSharpness, std::min(sharpness, sharpness_for(gap())));
  const double first_gap =
      options.least_delay ? kGapBeforeShortening * std::min(options.gap, 2.0 * kSlackMax) : options.gap;
  minimize_utilization(first_gap);
  if (!options.least_delay) return;
  shorten_paths(options.gap);
  minimize_utilization(std::min(options.gap, kSlackMax));  // takes back what the prices let through, if anything
}

SourceFlowSolver::SourceFlowSolver(const Topology& topology, int threads)
    : impl_{std::make_unique<Impl>(topology, threads)} {}
SourceFlowSolver::SourceFlowSolver(const Topology& topology, const SourceFlowSolver& before, int threads)
    : SourceFlowSolver{topology, threads} {
  impl_->start_from(*before.impl_);
}
SourceFlowSolver::~SourceFlowSolver() = default;
SourceFlowSolver::SourceFlowSolver(SourceFlowSolver&&) noexcept = default;
SourceFlowSolver& SourceFlowSolver::operator=(SourceFlowSolver&&) noexcept = default;

void SourceFlowSolver::solve(const TrafficMatrix& demand, const SourceFlowOptions& options) {
  impl_->solve(demand, options);
}

double SourceFlowSolver::utilization() const { return impl_->utilization; }
double SourceFlowSolver::lower_bound() const { return impl_->best_bound; }
int SourceFlowSolver::sweeps() const { return impl_->sweeps; }

std::vector<double> SourceFlowSolver::duals() const {
  std::vector<double> by_link(impl_->net.bundle_of.size(), 0.0);
  for (std::size_t l = 0; l < by_link.size(); ++l) {
    const std::uint32_t bundle = impl_->net.bundle_of[l];
    if (bundle != FlowNetwork::kNone) by_link[l] = impl_->best_prices[bundle];
  }
  return by_link;
}

bool SourceFlowSolver::flow_of(NodeId source, std::span<double> by_link) const {
  std::fill(by_link.begin(), by_link.end(), 0.0);
  const std::size_t slot = impl_->sources.slot_of[source.index()];
  if (slot == SourceBlocks::kNone) return false;
  const auto x = impl_->flow(slot);
  for (std::size_t l = 0; l < by_link.size(); ++l) {
    const std::uint32_t bundle = impl_->net.bundle_of[l];
    if (bundle != FlowNetwork::kNone) by_link[l] = x[bundle] * impl_->net.part_of_bundle[l];
  }
  return true;
}

bool SourceFlowSolver::connected(NodeId from, NodeId to) const {
  return std::isfinite(impl_->shortest_delay[from.index() * impl_->nodes + to.index()]);
}

}  // namespace wan::controller
