#include "controller/path_columns.h"

#include <algorithm>
#include <numeric>

#include "controller/segment_shift.h"

namespace wan::controller {
namespace {

constexpr std::size_t kPathsARound = 8;  // more at once are mostly not used, and every pivot passes them
constexpr double kHeldMax = 4.0 / 3.0;   // times the links: paths beside homes, before those that carry nothing go
constexpr double kSlack = 0.1;           // of the gap, that the simplex method may leave a link too full
constexpr double kLeft = 0.5;            // of the gap, that all savings too small to bother may come to

}  // namespace

PathColumns::PathColumns(const FlowNetwork& net, SourceBlocks& sources, std::span<const double> prices)
    : net_{&net},
      sources_{&sources},
      tree_search_{net.graph},
      simplex_{net.capacity, sources.slot_count() * net.node_count()},
      pair_(sources.slot_count() * net.node_count(), 0.0),
      prices_(prices.begin(), prices.end()) {
  floor_costs(prices_, net.node_count());
  for (std::size_t b = 0; b < sources.blocks.size(); ++b) {
    search(b, prices_);
    for_each_path(b, [&](std::size_t slot, std::uint32_t node, std::span<const std::uint32_t> path) {
      simplex_.set_home(slot * net_->node_count() + node, path);
    });
  }
}

void PathColumns::search(std::size_t block, std::span<const double> prices) {
  tree_search_.run(sources_->blocks[block], prices, sources_->orders[block]);
  tree_search_.find_parents();
}

template <typename Use>
void PathColumns::for_each_path(std::size_t block, const Use& use) {
  for (std::size_t lane = 0; lane < sources_->blocks[block].size(); ++lane) {
    const std::size_t slot = sources_->first_slot[block] + lane;
    const TreeView tree{.source = sources_->source(slot), .parent_link = tree_search_.parent_link(), .lane = lane};
    for (std::uint32_t node = 0; node < net_->node_count(); ++node) {
      path_.clear();
      for (std::uint32_t up = tree.parent(node); up != FlowNetwork::kNone; up = tree.parent(net_->from[up])) {
        path_.push_back(up);
      }
      if (!path_.empty()) use(slot, node, std::span<const std::uint32_t>{path_});
    }
  }
}

/// The bound under the simplex method's prices, and which of the shortest paths are worth holding.
void PathColumns::find_candidates(std::vector<double>& demands, double gap) {
  ++searches_;
  candidates_.clear();
  candidate_links_.clear();
  for (std::size_t b = 0; b < prices_.size(); ++b) prices_[b] = simplex_.prices()[b] * net_->inverse_capacity[b];
  floor_costs(prices_, net_->node_count());
  const double least = kLeft * gap / static_cast<double>(pair_.size());
  double paid = 0.0;
  for (std::size_t b = 0; b < sources_->blocks.size(); ++b) {
    search(b, prices_);
    const auto wanted = sources_->part(demands, b);
    const auto distance = tree_search_.cost();
    for (std::size_t i = 0; i < wanted.size(); ++i) paid += wanted[i] > 0.0 ? wanted[i] * distance[i] : 0.0;
    for_each_path(b, [&](std::size_t slot, std::uint32_t node, std::span<const std::uint32_t> path) {
      const std::size_t pair = slot * net_->node_count() + node;
      const double saving = pair_[pair] > 0.0 ? simplex_.saving(pair, path) : 0.0;
      if (saving <= least) return;
      candidates_.push_back({.saving = saving, .pair = pair, .first = candidate_links_.size(), .count = path.size()});
      candidate_links_.insert(candidate_links_.end(), path.begin(), path.end());
    });
  }
  const double worth = std::inner_product(prices_.begin(), prices_.end(), net_->capacity.begin(), 0.0);
  if (paid / worth > bound_) {
    bound_ = paid / worth;
    bound_prices_ = prices_;
  }
}

void PathColumns::hold_best() {
  const auto most = static_cast<std::ptrdiff_t>(std::min(kPathsARound, candidates_.size()));
  std::partial_sort(candidates_.begin(), candidates_.begin() + most, candidates_.end(),
                    [](const Candidate& a, const Candidate& b) {
                      return a.saving > b.saving || (a.saving == b.saving && a.pair < b.pair);
                    });
  candidates_.resize(static_cast<std::size_t>(most));
  for (const Candidate& candidate : candidates_) {
    simplex_.add_path(candidate.pair, std::span{candidate_links_}.subspan(candidate.first, candidate.count));
  }
}

PathColumns::Outcome PathColumns::solve(std::vector<double>& demands, double gap, const Budget& budget) {
  bound_ = 0.0;
  searches_ = 0;
  const std::size_t nodes = net_->node_count();
  for (std::size_t slot = 0; slot < sources_->slot_count(); ++slot) {
    for (std::size_t node = 0; node < nodes; ++node) pair_[slot * nodes + node] = demands[sources_->at(slot, node)];
  }
  const double held = static_cast<double>(simplex_.column_count());
  if (held > kHeldMax * static_cast<double>(net_->size()) && !simplex_.tidy()) return Outcome::kBroken;

  using Step = PathSimplex::Outcome;
  Step step = simplex_.follow(pair_, kSlack * gap, budget.pivots);
  while (step == Step::kOptimal) {
    find_candidates(demands, gap);
    if (simplex_.utilization() <= bound_ * (1.0 + (1.0 - 2.0 * kSlack) * gap)) return Outcome::kReached;
    if (candidates_.empty()) return Outcome::kBroken;  // savings left out are worth less than what is missing
    hold_best();
    if (searches_ == budget.searches) return Outcome::kOutOfBudget;
    step = simplex_.improve();
  }
  return step == Step::kOutOfPivots ? Outcome::kOutOfBudget : Outcome::kBroken;
}

}  // namespace wan::controller
