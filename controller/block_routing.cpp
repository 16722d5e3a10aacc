#include "controller/block_routing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "controller/bounded_path_search.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kNoLink = ShortestPathTree::kNoLink;
constexpr double kShareDropped = 1e-7;
constexpr double kHop = 1e-9;  // seconds: among equal delays, fewer hops

/// Links of a tree's path to a node, in travel order.
void trace(const TreeSearchGraph& graph, const std::vector<std::uint32_t>& parent_link, std::size_t to,
           std::vector<LinkId>& links) {
  links.clear();
  for (std::size_t at = to; parent_link[at] != kNoLink; at = graph.link_from[parent_link[at]]) {
    links.emplace_back(parent_link[at]);
  }
  std::reverse(links.begin(), links.end());
}

/// Blocks part the levels themselves.
PlanConstraints without_levels(PlanConstraints constraints) {
  constraints.levels.clear();
  return constraints;
}

}  // namespace

BlockRouting::BlockRouting(const Topology& topology, const TrafficMatrix& traffic,
                           const std::vector<std::size_t>& level_of_class, const PlanConstraints& constraints,
                           bool one_column)
    : topology_{topology},
      traffic_{traffic},
      level_of_class_{level_of_class},
      ruled_{ruled_demands(topology, without_levels(constraints))},
      one_column_{one_column},
      graph_{topology},
      search_{graph_},
      delay_{delay_costs(topology)} {
  for (const std::size_t level : level_of_class) level_count_ = std::max(level_count_, level + 1);
  column_count_ = one_column ? 1 : level_count_;
  for (const Link& link : topology.links()) inverse_capacity_.push_back(link.up ? 1.0 / link.capacity.bps() : 0.0);
  by_node_.assign(topology.node_count(), 0.0);
  tree_delay_.assign(topology.node_count(), 0.0);
  make_blocks();
}

TrafficBlock& BlockRouting::open_block(std::size_t level, std::size_t rule, NodeId source, std::uint32_t& at) {
  if (at == kNone) {
    at = static_cast<std::uint32_t>(blocks_.size());
    TrafficBlock& block = blocks_.emplace_back();
    block.level = level;
    block.column = one_column_ ? 0 : level;
    block.source = source;
    block.rule = rule;
  }
  return blocks_[at];
}

void BlockRouting::make_blocks() {
  places_.assign(level_count_ * ruled_.demands.size(), {});
  std::vector<std::vector<std::size_t>> classes_of_row(ruled_.row_count);
  for (std::size_t c = 0; c < traffic_.class_count(); ++c) {
    classes_of_row[ruled_.row_of(TrafficClass{c})].push_back(c);  // classes beyond the constraints' share the last row
  }
  std::vector<double> rate(level_count_);
  std::vector<std::uint32_t> open(level_count_, kNone);  // [fixed, then rules][level]: block of the present source
  std::size_t source = topology_.node_count();
  for (std::size_t d = 0; d < ruled_.demands.size(); ++d) {
    const RuledDemand& demand = ruled_.demands[d];
    if (demand.from.index() != source) {
      source = demand.from.index();
      std::fill(open.begin(), open.end(), kNone);
    }
    std::fill(rate.begin(), rate.end(), 0.0);
    for (const std::size_t row : demand.rows) {
      for (const std::size_t c : classes_of_row[row]) {
        rate[level_of_class_[c]] += traffic_.at(TrafficClass{c}, demand.from, demand.to).bps();
      }
    }
    std::size_t rule = TrafficBlock::kFixed;
    if (!demand.fixed) {
      rule = static_cast<std::size_t>(std::find(rules_.begin(), rules_.end(), demand.rule) - rules_.begin());
      if (rule == rules_.size()) {
        rules_.push_back(demand.rule);
        open.resize((rules_.size() + 1) * level_count_, kNone);
      }
    }
    for (std::size_t level = 0; level < level_count_; ++level) {
      if (rate[level] <= 0.0) continue;
      std::uint32_t& at = open[(demand.fixed ? 0 : rule + 1) * level_count_ + level];
      TrafficBlock& block = open_block(level, rule, demand.from, at);
      places_[level * ruled_.demands.size() + d] = {at, static_cast<std::uint32_t>(block.targets.size())};
      block.targets.push_back(static_cast<std::uint32_t>(demand.to.index()));
      block.demand.push_back(static_cast<std::uint32_t>(d));
      block.rate.push_back(rate[level]);
    }
  }
}

double BlockRouting::find_tree(const TrafficBlock& block, std::span<const double> price, BlockTree& tree) {
  tree.detours.clear();
  tree.share = 0.0;
  target_cost_.resize(block.targets.size());
  if (block.fixed()) {
    take_fixed_paths(block, price, tree);
  } else {
    const PathRule& rule = rules_[block.rule];
    if (!rule.avoid.empty()) {
      rule_price_.assign(price.begin(), price.end());
      for (const LinkId link : rule.avoid) rule_price_[link.index()] = kInfinity;
      price = rule_price_;
    }
    search_.run(block.source.index(), price);
    tree.parent_link = search_.parent_link();
    for (std::size_t t = 0; t < block.targets.size(); ++t) target_cost_[t] = search_.cost()[block.targets[t]];
    if (rule.latency_max) settle_delays(block, price, tree);
  }
  double paid = 0.0;
  for (std::size_t t = 0; t < block.targets.size(); ++t) paid += block.rate[t] * target_cost_[t];
  return paid;
}

void BlockRouting::take_fixed_paths(const TrafficBlock& block, std::span<const double> price, BlockTree& tree) {
  tree.parent_link.assign(topology_.node_count(), kNoLink);
  for (std::size_t t = 0; t < block.targets.size(); ++t) {
    BlockTree::Detour detour{.target = static_cast<std::uint32_t>(t), .links = {}};
    target_cost_[t] = 0.0;
    for (const LinkId link : ruled_.demands[block.demand[t]].path) {
      detour.links.push_back(static_cast<std::uint32_t>(link.index()));
      target_cost_[t] += price[link.index()];
    }
    tree.detours.push_back(std::move(detour));
  }
}

/// Finds another path for each target that the tree reaches too late.
void BlockRouting::settle_delays(const TrafficBlock& block, std::span<const double> price, BlockTree& tree) {
  const Duration latest = *rules_[block.rule].latency_max;
  std::fill(tree_delay_.begin(), tree_delay_.end(), -1.0);
  tree_delay_[block.source.index()] = 0.0;
  late_.clear();
  for (std::size_t t = 0; t < block.targets.size(); ++t) {
    chain_.clear();
    std::uint32_t at = block.targets[t];
    for (; tree_delay_[at] < 0.0; at = graph_.link_from[tree.parent_link[at]]) chain_.push_back(at);
    for (std::size_t i = chain_.size(); i-- > 0;) {
      const std::uint32_t link = tree.parent_link[chain_[i]];
      tree_delay_[chain_[i]] =
          tree_delay_[graph_.link_from[link]] + static_cast<double>(topology_.links()[link].delay.count());
    }
    if (tree_delay_[block.targets[t]] <= static_cast<double>(latest.count())) continue;
    late_.emplace_back(block.targets[t]);
    tree.detours.push_back({.target = static_cast<std::uint32_t>(t), .links = {}});
  }
  if (late_.empty()) return;
  const std::vector<BoundedPath> paths = cheapest_paths_within(topology_, block.source, late_, price, latest);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    BlockTree::Detour& detour = tree.detours[i];
    // Where the search gave up, the tree's cost still bounds what the target pays.
    const std::vector<LinkId>& found = paths[i].links;
    double cost = 0.0;
    for (const LinkId link : found.empty() ? ruled_.demands[block.demand[detour.target]].path : found) {
      detour.links.push_back(static_cast<std::uint32_t>(link.index()));
      cost += price[link.index()];
    }
    if (!found.empty()) target_cost_[detour.target] = std::max(target_cost_[detour.target], cost);
  }
}

void BlockRouting::flows_of(const TrafficBlock& block, std::span<const double> rate, const BlockTree& tree,
                            std::vector<LinkFlow>& flows) {
  flows.clear();
  std::fill(by_node_.begin(), by_node_.end(), 0.0);
  std::size_t next = 0;
  for (std::size_t t = 0; t < block.targets.size(); ++t) {
    if (next < tree.detours.size() && tree.detours[next].target == t) {
      ++next;
      continue;
    }
    by_node_[block.targets[t]] = rate[t];
  }
  // From the leaves to the root: a node is added to its parent once all its children have been.
  const std::size_t n = by_node_.size();
  waiting_.assign(n, 0);
  for (std::size_t node = 0; node < n; ++node) {
    if (tree.parent_link[node] != kNoLink) ++waiting_[graph_.link_from[tree.parent_link[node]]];
  }
  for (std::size_t node = 0; node < n; ++node) {
    std::size_t at = node;
    while (waiting_[at] == 0 && tree.parent_link[at] != kNoLink) {
      const std::uint32_t link = tree.parent_link[at];
      const std::size_t parent = graph_.link_from[link];
      if (by_node_[at] > 0.0) flows.push_back({link, by_node_[at]});
      by_node_[parent] += by_node_[at];
      waiting_[at] = kNone;  // done
      if (--waiting_[parent] > 0) break;
      at = parent;
      if (at > node) break;  // the outer loop meets it
    }
  }
  for (const BlockTree::Detour& detour : tree.detours) {
    if (rate[detour.target] <= 0.0) continue;
    for (const std::uint32_t link : detour.links) flows.push_back({link, rate[detour.target]});
  }
}

/// Links of a target's path, in travel order.
void BlockRouting::path_of(const TrafficBlock& block, const BlockTree& tree, std::size_t target,
                           std::vector<LinkId>& links) const {
  const auto detour = std::find_if(tree.detours.begin(), tree.detours.end(),
                                   [&](const BlockTree::Detour& d) { return d.target == target; });
  if (detour == tree.detours.end()) return trace(graph_, tree.parent_link, block.targets[target], links);
  links.clear();
  for (const std::uint32_t link : detour->links) links.emplace_back(link);
}

void BlockRouting::set_rates(TrafficBlock& block, std::span<const double> rate) {
  block.rate.assign(rate.begin(), rate.end());
  for (BlockTree& tree : block.trees) flows_of(block, rate, tree, tree.flows);
}

std::vector<BlockRouting::Place> BlockRouting::places() const {
  std::vector<Place> all;
  for (std::size_t c = 0; c < traffic_.class_count(); ++c) {
    const std::size_t first = ruled_.row_of(TrafficClass{c}) * ruled_.pair_count;
    for (std::size_t pair = 0; pair < ruled_.pair_count; ++pair) {
      const Place& place = places_[level_of_class_[c] * ruled_.demands.size() + ruled_.demand_of[first + pair]];
      const RuledDemand& demand = ruled_.demands[ruled_.demand_of[first + pair]];
      const bool has_traffic = traffic_.at(TrafficClass{c}, demand.from, demand.to).bps() > 0.0;
      all.push_back(has_traffic ? place : Place{});
    }
  }
  return all;
}

void BlockRouting::add_up(std::vector<std::vector<double>>& utilization) {
  for (TrafficBlock& block : blocks_) {
    if (!block.active) continue;
    double kept = 0.0;
    std::erase_if(block.trees, [](const BlockTree& tree) { return tree.share < kShareDropped; });
    for (const BlockTree& tree : block.trees) kept += tree.share;
    for (BlockTree& tree : block.trees) tree.share /= kept;
  }
  mix(utilization);
}

void BlockRouting::mix(std::vector<std::vector<double>>& utilization) const {
  for (std::size_t j = 0; j < column_count_; ++j) std::fill(utilization[j].begin(), utilization[j].end(), 0.0);
  for (const TrafficBlock& block : blocks_) {
    if (!block.active) continue;
    for (const BlockTree& tree : block.trees) {
      if (tree.share == 0.0) continue;
      for (const LinkFlow& flow : tree.flows) utilization[block.column][flow.link] += tree.share * flow.bps;
    }
  }
  // Level by level, each holding those above it; then from loads to utilisations.
  for (std::size_t j = 1; j < column_count_; ++j) {
    for (std::size_t l = 0; l < inverse_capacity_.size(); ++l) utilization[j][l] += utilization[j - 1][l];
  }
  for (std::size_t j = 0; j < column_count_; ++j) {
    for (std::size_t l = 0; l < inverse_capacity_.size(); ++l) {
      utilization[j][l] *= inverse_capacity_[l];
    }
  }
}

void BlockRouting::add_split(PathPlanBuilder& builder, const Place& place, double fraction_min, Split& split) const {
  const TrafficBlock& block = blocks_[place.block];
  std::size_t count = 0;
  for (const BlockTree& tree : block.trees) {
    path_of(block, tree, place.target, split.traced);
    std::size_t at = 0;
    while (at < count && split.path[at] != split.traced) ++at;
    if (at < count) {
      split.share[at] += tree.share;
      continue;
    }
    if (count == split.path.size()) {
      split.path.emplace_back();
      split.share.push_back(0.0);
    }
    split.path[count].swap(split.traced);
    split.share[count++] = tree.share;
  }
  const double largest =
      *std::max_element(split.share.begin(), split.share.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::size_t p = 0; p < count; ++p) {
    if (split.share[p] >= std::min(fraction_min, largest)) builder.add_path(split.share[p], split.path[p]);
  }
}

PathPlan BlockRouting::make_plan(double fraction_min) const {
  std::vector<double> cost{delay_};
  for (double& entry : cost) entry += kHop;
  std::vector<ShortestPathTree> shortest;
  for (std::size_t s = 0; s < topology_.node_count(); ++s) {
    shortest.push_back(shortest_path_tree(topology_, NodeId{s}, cost));
  }
  PathPlanBuilder builder;
  Split split;
  for (std::size_t c = 0; c < traffic_.class_count(); ++c) {
    const std::size_t first = ruled_.row_of(TrafficClass{c}) * ruled_.pair_count;
    for (std::size_t pair = 0; pair < ruled_.pair_count; ++pair) {
      const std::size_t d = ruled_.demand_of[first + pair];
      const RuledDemand& demand = ruled_.demands[d];
      builder.begin_demand({TrafficClass{c}, demand.from, demand.to});
      const Place& place = places_[level_of_class_[c] * ruled_.demands.size() + d];
      if (place.block != kNone && !blocks_[place.block].trees.empty()) {
        add_split(builder, place, fraction_min, split);
      } else if (!demand.path.empty()) {
        builder.add_path(1.0, demand.path);
      } else {
        builder.add_path(1.0, shortest[demand.from.index()].path_to(topology_, demand.to));
      }
    }
  }
  return std::move(builder).build();
}

std::vector<BrokenRule> BlockRouting::broken_rules() const {
  std::vector<BrokenRule> broken;
  for (std::size_t c = 0; c < traffic_.class_count(); ++c) {
    const std::size_t first = ruled_.row_of(TrafficClass{c}) * ruled_.pair_count;
    for (std::size_t pair = 0; pair < ruled_.pair_count; ++pair) {
      const RuledDemand& demand = ruled_.demands[ruled_.demand_of[first + pair]];
      const Demand named{TrafficClass{c}, demand.from, demand.to};
      if (!demand.broken || traffic_.at(named.cls, named.from, named.to).bps() <= 0.0) continue;
      broken.push_back({named, *demand.broken});
    }
  }
  return broken;
}

}  // namespace wan::controller
