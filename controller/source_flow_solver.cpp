#include "controller/source_flow_state.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kGroupOfLarge = 4;  // blocks whose trees are found under the same prices on a large network
constexpr double kPlacingSharpness = 20.0;
constexpr double kPlacingDelayWeight = 0.2;  // of the utilisation, while sources go on their first trees
constexpr int kSweepsMax = 300;
constexpr int kSweepsFew = 2;        // took the last matrix: no other method is faster
constexpr int kStallWindow = 4;      // sweeps over which the gap must shrink
constexpr double kStallRatio = 0.6;  // to this part
constexpr int kStallsMax = 48;
constexpr int kStallsBeforePaths = 2;
constexpr double kDelayLeft = 0.1;                 // of the price of delay, after each stall
constexpr std::size_t kPathsFirstSizeMax = 4'000;  // sources x bundles up to which paths finish what stalls
constexpr std::size_t kPathsSizeMax = 20'000;      // up to which they finish what sweeps did not, in the end
constexpr double kGapBeforeShortening = 0.25;      // of the gap wanted, 1 % at most

}  // namespace

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
      // Beyond a node that its source no longer reaches, flow would come from nowhere.
      if (!std::isfinite(shortest_delay[sources.source(slot) * nodes + net.from[bundle]])) continue;
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
  paths.reset();
  demands.assign(sources.array_size(), 0.0);
  flows.assign(sources.slot_count() * net.size(), 0.0);
  part.resize(sources.blocks.size());
}

/// Flows follow the new demand by the splits they had; what had no flow before is placed beside them. Whether all that
/// send had flows before.
bool SourceFlowSolver::Impl::take_demand(const TrafficMatrix& demand) {
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
  return known;
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

/// Where dozens of links are full at once, sources push each other to and fro: then each sweep trades for longer, and
/// a small network is finished by paths. Sharper prices would end most such stalls sooner and jam in others for good.
/// Where what relieves the fullest link is a hundred times as long as other ways, the price of delay stands in the way:
/// each stall leaves a tenth of it.
void SourceFlowSolver::Impl::minimize_utilization(double gap_wanted) {
  double gap_before = std::numeric_limits<double>::infinity();
  int stalls = 0;
  patient = false;
  delay_left = 1.0;
  for (int round = 1; round <= kSweepsMax && gap() > gap_wanted; ++round) {
    if (sweep_once(gap_wanted)) return;
    if (round % kStallWindow != 0) continue;
    const bool stalled = gap() > kStallRatio * gap_before;
    gap_before = gap();
    if (!stalled) continue;
    patient = true;
    delay_left *= kDelayLeft;
    if (++stalls == kStallsMax) break;
    if (stalls == kStallsBeforePaths && finish_by_paths(gap_wanted, kPathsFirstSizeMax)) return;
  }
  if (gap() > gap_wanted) finish_by_paths(gap_wanted, kPathsSizeMax);
}

void SourceFlowSolver::Impl::solve(const TrafficMatrix& demand, const SourceFlowOptions& options) {
  assert(demand.node_count() == nodes && demand.class_count() == 1);
  const int sweeps_before = std::exchange(sweeps, 0);
  best_bound = 0.0;
  utilization = 0.0;
  shortens = options.least_delay;
  if (net.size() == 0) return;
  const bool known = take_demand(demand);
  if (utilization <= 0.0) {
    std::fill(best_prices.begin(), best_prices.end(), 0.0);
    return;
  }
  const std::vector<double> last_prices = best_prices;
  update_bound(last_prices);
  const bool paths_worth_it = paths.has_value() || sweeps_before > kSweepsFew;
  if (known && paths_worth_it && !options.least_delay && gap() > options.gap && try_paths_first(options.gap)) return;
  sharpness = std::max(kFirstSharpness, std::min(sharpness, sharpness_for(gap())));
  const double first_gap =
      options.least_delay ? kGapBeforeShortening * std::min(options.gap, 2.0 * kSlackMax) : options.gap;
  minimize_utilization(first_gap);
  if (!options.least_delay) return;
  const std::vector<double> kept = gap() <= options.gap ? flows : std::vector<double>{};
  shorten_paths(options.gap, known);
  minimize_utilization(std::min(options.gap, kSlackMax));  // takes back what the prices let through, if anything
  if (!kept.empty() && gap() > options.gap) {              // if it can be: the gap comes first
    flows = kept;
    add_up();
  }
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
