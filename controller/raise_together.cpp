#include "controller/raise_together.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "controller/column_master.h"

namespace wan::controller {
namespace {

/// Of a stopped demand's rate: what need not be carried. The next one where a program fails or its duals say nothing.
constexpr std::array kSlack{1e-10, 1e-9, 1e-8};
constexpr double kTolerance = 1e-11;    // of rows, which are in units of capacities, and of reduced costs
constexpr double kMissing = 2e-11;      // a tree that is cheaper than its block's by more is missing
constexpr double kTieBreak = 1e-20;     // of the dearest link's price, for every link: fewer links where all are free
constexpr double kFractionMin = 1e-12;  // below it the shares that reach the fraction are rounding
constexpr double kPrecision = 2.0;      // times the slack of all priced room: what tolerances may hand out
constexpr double kWorthMax = 10.0;      // times the priced room if all links were as dear as a growing demand's path
constexpr double kDegenerate = 1e5;     // likewise: duals that prove nothing
constexpr int kPricingsMax = 3000;

class Raising {
 public:
  Raising(BlockRouting& routing, std::span<const BlockPhase> phase, double utilization_max)
      : routing_{routing}, phase_{phase}, on_link_(routing.topology().link_count(), 0.0) {
    for (const double inverse : routing.inverse_capacity()) {
      part_of_room_.push_back(inverse / utilization_max);
      if (inverse > 0.0) room_ += utilization_max / inverse;
    }
  }

  Result<CommonFraction> run(double reached);

 private:
  [[nodiscard]] bool raise(double reached, CommonFraction& found);
  [[nodiscard]] bool degenerate(const CommonFraction& found) const {
    return found.fraction < 1.0 && found.worth > kDegenerate * worth_max_;
  }
  [[nodiscard]] bool counts(std::size_t block) const {
    return phase_[block] != BlockPhase::kWaiting && !routing_.blocks()[block].targets.empty();
  }
  [[nodiscard]] bool grows(std::size_t block) const { return phase_[block] == BlockPhase::kGrowing; }
  void merge_entries(const BlockTree& tree);
  [[nodiscard]] double heaviest_entry();
  void add_columns(ColumnMaster& master, double reached);
  [[nodiscard]] bool price(const ColumnMaster& master, CommonFraction& found);
  void take_shares(const ColumnMaster& master);

  BlockRouting& routing_;
  std::span<const BlockPhase> phase_;
  std::vector<double> part_of_room_;                        // by link, 1/(bit/s); 0 for one that is down
  std::vector<std::size_t> added_;                          // by block: trees that the master has
  std::vector<std::pair<std::size_t, std::size_t>> place_;  // by the master's tree: block, tree
  double room_ = 0.0;                                       // of all links, bits per second
  double held_ = 1.0;                                       // of a stopped demand's rate
  double worth_max_ = 0.0;                                  // see degenerate
  std::vector<double> on_link_;
  std::vector<ColumnMaster::Entry> entries_;
};

/// A tree's load on each link as a part of what the link may carry, into `entries_`.
void Raising::merge_entries(const BlockTree& tree) {
  entries_.clear();
  for (const LinkFlow& flow : tree.flows) on_link_[flow.link] += flow.bps;
  for (const LinkFlow& flow : tree.flows) {
    if (on_link_[flow.link] == 0.0) continue;
    entries_.push_back({.row = flow.link, .value = on_link_[flow.link] * part_of_room_[flow.link]});
    on_link_[flow.link] = 0.0;
  }
}

double Raising::heaviest_entry() {
  double heaviest = 0.0;
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (!counts(b) || !grows(b)) continue;
    for (const BlockTree& tree : routing_.blocks()[b].trees) {
      merge_entries(tree);
      for (const ColumnMaster::Entry& entry : entries_) heaviest = std::max(heaviest, entry.value);
    }
  }
  return heaviest;
}

void Raising::add_columns(ColumnMaster& master, double reached) {
  std::size_t number = 0;
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (!counts(b)) continue;
    const TrafficBlock& block = routing_.blocks()[b];
    for (; added_[b] < block.trees.size(); ++added_[b]) {
      const BlockTree& tree = block.trees[added_[b]];
      merge_entries(tree);
      master.add_tree(number, entries_, tree.share * (grows(b) ? reached : held_));
      place_.emplace_back(b, added_[b]);
    }
    ++number;
  }
}

/// Every block's cheapest tree under the master's duals. Trees that are missing are added to their blocks.
/// @return  whether there are any
bool Raising::price(const ColumnMaster& master, CommonFraction& found) {
  ++found.pricings;
  double worth = 0.0, dearest = 0.0, growing = 0.0;
  found.prices.assign(part_of_room_.size(), 0.0);
  for (std::size_t l = 0; l < found.prices.size(); ++l) {
    worth += master.duals()[l];
    found.prices[l] = master.duals()[l] * part_of_room_[l];
    dearest = std::max(dearest, found.prices[l]);
  }
  double room = worth;
  std::vector<double> searched{found.prices};
  for (double& entry : searched) entry += kTieBreak * dearest;
  found.part.assign(phase_.size(), {});
  bool any_missing = false;
  std::size_t number = 0;
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (!counts(b)) continue;
    TrafficBlock& block = routing_.blocks()[b];
    BlockTree tree;
    const double paid = routing_.find_tree(block, searched, tree);
    if (grows(b)) {
      growing += paid;
      for (std::size_t t = 0; t < block.rate.size(); ++t) {
        found.part[b].push_back(block.rate[t] * routing_.target_cost()[t]);
      }
    } else {
      room -= held_ * paid;
    }
    const bool missing = paid < master.block_costs()[number++] - kMissing &&
                         std::none_of(block.trees.begin(), block.trees.end(),
                                      [&](const BlockTree& held) { return held.same_paths(tree); });
    if (!missing) continue;
    any_missing = true;
    routing_.flows_of(block, block.rate, tree, tree.flows);
    block.trees.push_back(std::move(tree));
  }
  if (growing > 0.0) {
    found.gap = std::clamp(room / growing - found.fraction, 0.0, 1.0 - found.fraction);
    found.worth = worth / growing;
    worth_max_ = 0.0;
    for (std::size_t b = 0; b < phase_.size(); ++b) {
      for (std::size_t t = 0; t < found.part[b].size(); ++t) {
        worth_max_ = std::max(worth_max_, room_ * found.part[b][t] / (growing * routing_.blocks()[b].rate[t]));
      }
    }
    found.precision = kPrecision * (1.0 - held_) * std::min(found.worth, kWorthMax * worth_max_);
    for (double& entry : found.prices) entry /= growing;
    for (auto& of_block : found.part) {
      for (double& entry : of_block) entry /= growing;
    }
  } else {
    found.gap = 1.0 - found.fraction;
  }
  return any_missing;
}

/// The master's shares, each block's scaled to sum to 1.
void Raising::take_shares(const ColumnMaster& master) {
  std::vector<double> sum(phase_.size(), 0.0);
  for (std::size_t i = 0; i < place_.size(); ++i) sum[place_[i].first] += master.shares()[i];
  for (std::size_t i = 0; i < place_.size(); ++i) {
    const auto [block, tree] = place_[i];
    if (sum[block] > kFractionMin) routing_.blocks()[block].trees[tree].share = master.shares()[i] / sum[block];
  }
}

/// One run of column generation.
/// @return  false where Clp gave up
bool Raising::raise(double reached, CommonFraction& found) {
  std::vector<ColumnMaster::Row> blocks;
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    if (counts(b)) blocks.push_back({.bound = grows(b) ? 0.0 : held_, .of_goal = grows(b)});
  }
  const std::vector<ColumnMaster::Row> links(part_of_room_.size(), {.bound = 1.0, .of_goal = false});
  // The goal in units of what it asks of a link: prices then are near 1, however small the growing demands are.
  const ColumnMaster::Goal goal{
      .cost = -heaviest_entry(), .upper = 1.0, .tolerance = kTolerance, .scaled = false, .start = reached};
  ColumnMaster master{links, blocks, goal};
  added_.assign(phase_.size(), 0);
  place_.clear();
  do {
    add_columns(master, reached);
    if (!master.solve()) return false;
    found.fraction = std::clamp(master.goal(), 0.0, 1.0);
  } while (price(master, found) && found.pricings < kPricingsMax && found.fraction < 1.0);
  take_shares(master);
  return true;
}

Result<CommonFraction> Raising::run(double reached) {
  CommonFraction found;
  std::vector<std::size_t> trees_before;
  for (const TrafficBlock& block : routing_.blocks()) trees_before.push_back(block.trees.size());
  bool raised = false;
  for (const double slack : kSlack) {
    held_ = 1.0 - slack;
    CommonFraction attempt;
    attempt.pricings = found.pricings;
    if (!raise(reached, attempt)) continue;
    found = std::move(attempt);
    raised = true;
    if (!degenerate(found)) break;
  }
  if (!raised) return fail(ErrorCode::kInternal, "Clp gave up on a common fraction");
  if (found.fraction == 1.0) std::fill(found.prices.begin(), found.prices.end(), 0.0);
  // What no mixture has wanted since before this round is forgotten.
  for (std::size_t b = 0; b < phase_.size(); ++b) {
    std::size_t at = 0;
    std::erase_if(routing_.blocks()[b].trees,
                  [&](const BlockTree& tree) { return at++ < trees_before[b] && tree.share <= 0.0 && counts(b); });
  }
  return found;
}

}  // namespace

Result<CommonFraction> raise_together(BlockRouting& routing, std::span<const BlockPhase> phase, double reached,
                                      double utilization_max) {
  return Raising{routing, phase, utilization_max}.run(reached);
}

}  // namespace wan::controller
