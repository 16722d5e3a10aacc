#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "controller/block_routing.h"

namespace wan::controller {
namespace {

constexpr double kNoShare = 1e-13;  // what rounding makes of a share of zero
constexpr std::uint32_t kGone = 0xffffffff;

std::vector<BlockTree> with_share(const std::vector<BlockTree>& trees) {
  std::vector<BlockTree> kept;
  for (const BlockTree& tree : trees) {
    if (tree.share > kNoShare) kept.push_back(tree);
  }
  return kept;
}

/// Targets that are put together in the rising order of nodes.
struct TargetList {
  std::vector<std::uint32_t> targets, demand;
  std::vector<double> rate;

  /// @return  the target's place
  std::uint32_t take(const TrafficBlock& block, std::size_t target, double bps) {
    targets.push_back(block.targets[target]);
    demand.push_back(block.demand[target]);
    rate.push_back(bps);
    return static_cast<std::uint32_t>(targets.size() - 1);
  }
};

/// The tree for those of a block's targets that have a place in a list.
BlockTree restricted(const BlockTree& tree, const std::vector<std::uint32_t>& place) {
  BlockTree part{.parent_link = tree.parent_link, .detours = {}, .flows = {}, .share = tree.share};
  for (const BlockTree::Detour& detour : tree.detours) {
    if (place[detour.target] != kGone) part.detours.push_back({place[detour.target], detour.links});
  }
  return part;
}

struct Piece {
  std::size_t first, second;
  double share;
};

/// Lays two mixtures out along one unit side by side: a piece between any two cuts has a tree of each.
std::vector<Piece> side_by_side(const std::vector<BlockTree>& first, const std::vector<BlockTree>& second) {
  std::vector<Piece> pieces;
  std::size_t i = 0, j = 0;
  double left_of_first = first.empty() ? 0.0 : first[0].share;
  double left_of_second = second.empty() ? 0.0 : second[0].share;
  while (i < first.size() && j < second.size()) {
    const double share = std::min(left_of_first, left_of_second);
    if (share > kNoShare) pieces.push_back({.first = i, .second = j, .share = share});
    left_of_first -= share;
    left_of_second -= share;
    if (left_of_first <= kNoShare && ++i < first.size()) left_of_first = first[i].share;
    if (left_of_second <= kNoShare && ++j < second.size()) left_of_second = second[j].share;
  }
  return pieces;
}

}  // namespace

/// A mixture for the block's own targets and those that arrive, which gives each the split that it has. It takes no
/// more trees than both have.
std::vector<BlockTree> BlockRouting::join_mixtures(const TrafficBlock& to,
                                                   const std::vector<std::uint32_t>& place_in_to,
                                                   const TrafficBlock& from,
                                                   const std::vector<std::uint32_t>& place_of_arrival) const {
  const std::vector<BlockTree> leaving = with_share(from.trees);
  std::vector<BlockTree> joined;
  if (to.targets.empty()) {
    for (const BlockTree& tree : leaving) joined.push_back(restricted(tree, place_of_arrival));
    return joined;
  }
  const std::vector<BlockTree> staying = with_share(to.trees);
  std::vector<LinkId> brought, own;
  for (const Piece& piece : side_by_side(staying, leaving)) {
    BlockTree both = restricted(staying[piece.first], place_in_to);
    both.share = piece.share;
    const BlockTree bare{.parent_link = both.parent_link, .detours = {}, .flows = {}, .share = 0.0};
    for (std::size_t t = 0; t < from.targets.size(); ++t) {
      if (place_of_arrival[t] == kGone) continue;
      path_of(from, leaving[piece.second], t, brought);
      path_of(from, bare, t, own);
      if (own == brought) continue;
      BlockTree::Detour detour{.target = place_of_arrival[t], .links = {}};
      for (const LinkId link : brought) detour.links.push_back(static_cast<std::uint32_t>(link.index()));
      both.detours.push_back(std::move(detour));
    }
    std::sort(both.detours.begin(), both.detours.end(),
              [](const BlockTree::Detour& a, const BlockTree::Detour& b) { return a.target < b.target; });
    joined.push_back(std::move(both));
  }
  return joined;
}

std::size_t BlockRouting::open_like(std::size_t block) {
  TrafficBlock created;
  created.level = blocks_[block].level;
  created.column = blocks_[block].column;
  created.source = blocks_[block].source;
  created.rule = blocks_[block].rule;
  created.active = blocks_[block].active;
  blocks_.push_back(std::move(created));
  return blocks_.size() - 1;
}

std::size_t BlockRouting::move_targets(std::size_t number, const std::vector<bool>& marked,
                                       std::span<const double> rate, std::size_t into) {
  if (into == kNewBlock) into = open_like(number);
  const TrafficBlock& from = blocks_[number];
  const TrafficBlock& to = blocks_[into];
  TargetList joined, rest;
  std::vector<std::uint32_t> place_in_to, place_of_arrival, place_in_rest;
  std::size_t held = 0;
  for (std::size_t t = 0; t < from.targets.size(); ++t) {
    for (; marked[t] && held < to.targets.size() && to.targets[held] < from.targets[t]; ++held) {
      place_in_to.push_back(joined.take(to, held, to.rate[held]));
    }
    place_of_arrival.push_back(marked[t] ? joined.take(from, t, rate[t]) : kGone);
    place_in_rest.push_back(marked[t] ? kGone : rest.take(from, t, from.rate[t]));
  }
  for (; held < to.targets.size(); ++held) place_in_to.push_back(joined.take(to, held, to.rate[held]));

  std::vector<BlockTree> trees = join_mixtures(to, place_in_to, from, place_of_arrival);
  std::vector<BlockTree> trees_of_rest;
  for (const BlockTree& tree : from.trees) {
    if (!rest.targets.empty()) trees_of_rest.push_back(restricted(tree, place_in_rest));
  }
  const auto settle = [&](std::size_t at, TargetList&& list, std::vector<BlockTree>&& mixture) {
    TrafficBlock& block = blocks_[at];
    block.targets = std::move(list.targets);
    block.demand = std::move(list.demand);
    block.trees = std::move(mixture);
    for (std::size_t t = 0; t < block.targets.size(); ++t) {
      places_[block.level * ruled_.demands.size() + block.demand[t]] = {static_cast<std::uint32_t>(at),
                                                                        static_cast<std::uint32_t>(t)};
    }
    set_rates(block, list.rate);
  };
  settle(number, std::move(rest), std::move(trees_of_rest));
  settle(into, std::move(joined), std::move(trees));
  return into;
}

}  // namespace wan::controller
