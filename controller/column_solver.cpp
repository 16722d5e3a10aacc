#include "controller/column_solver.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "controller/column_master.h"

namespace wan::controller {
namespace {

constexpr std::size_t kMasterSizeMax = 60'000;  // blocks x links x columns up to which the master problem pays
constexpr int kSweepsBeforeMaster = 10;
constexpr int kSweepsMax = 80;
constexpr int kSweepsFromAll = 6;  // then traffic moves from a block's dearest tree alone
constexpr int kMasterRoundsMax = 300;
constexpr double kFirstSharpness = 60.0;  // eta of the soft maximum, in units of 1 / limit
constexpr double kDelayTieBreak = 1e-3;   // weight of delay while a column is being lowered
constexpr double kBlendFirst = 0.5;
constexpr std::size_t kPatientSizeMax = 12'000;  // blocks x links up to which delay is lowered patiently
constexpr int kPatientSweeps = 60;
constexpr int kShorteningSweeps = 3;
constexpr double kBarrierSharpness = 1000.0;
constexpr double kShorteningWorthwhile = 3e-4;  // a sweep that saves a smaller part of the delay is the last
constexpr double kMasterSlack = 1e-9;           // of a limit: Clp's tolerance
constexpr double kLimitTolerance = 1e-7;        // by which rounding may pass a limit

bool counts(const TrafficBlock& block, std::size_t column) { return block.active && block.column <= column; }

}  // namespace

ColumnSolver::ColumnSolver(BlockRouting& routing)
    : routing_{routing},
      columns_{routing.column_count(), routing.topology().link_count()},
      gradient_(routing.column_count(), std::vector<double>(routing.topology().link_count(), 0.0)),
      price_(routing.topology().link_count(), 0.0),
      change_(routing.topology().link_count(), 0.0) {
  add_up();
}

double ColumnSolver::delay_cost(const BlockTree& tree) const {
  double cost = 0.0;
  for (const LinkFlow& flow : tree.flows) cost += flow.bps * routing_.delay()[flow.link];
  return cost;
}

/// What a block of this column pays for a link: all columns from its own to the last that counts.
void ColumnSolver::price_block(std::size_t column, std::size_t last_column) {
  for (std::size_t l = 0; l < price_.size(); ++l) {
    double sum = 0.0;
    for (std::size_t j = column; j <= last_column; ++j) sum += gradient_[j][l];
    price_[l] = sum * routing_.inverse_capacity()[l] + delay_weight_ * routing_.delay()[l];
  }
}

void ColumnSolver::add_change(const BlockTree& tree, double amount) {
  for (const LinkFlow& flow : tree.flows) {
    change_[flow.link] += amount * flow.bps * routing_.inverse_capacity()[flow.link];
  }
}

void ColumnSolver::apply(const TrafficBlock& block, double step) {
  for (std::size_t j = block.column; j < columns_.size(); ++j) {
    std::vector<double>& u = columns_.utilization[j];
    for (std::size_t l = 0; l < u.size(); ++l) u[l] += step * change_[l];
  }
}

/// How near the columns before the goal's come to their limits: 1 is at the limit.
double ColumnSolver::strain(const ColumnGoal& goal) const {
  double worst = 0.0;
  for (std::size_t j = 0; j < goal.column; ++j) {
    if (goal.limit[j] > 0.0) worst = std::max(worst, columns_.highest(j) / goal.limit[j]);
  }
  return worst;
}

/// Sets the columns' units: limits, and for the goal's where it stands, a little off it so that the columns before end
/// up just within theirs.
void ColumnSolver::aim(const ColumnGoal& goal) {
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    columns_.scale[j] = j < goal.column && goal.limit[j] > 0.0 ? 1.0 / goal.limit[j] : 0.0;
  }
  const double highest = columns_.highest(goal.column);
  const double lean = goal.column > 0 ? std::clamp(strain(goal) / (1.0 - 0.1 * goal.gap), 0.95, 1.05) : 1.0;
  columns_.scale[goal.column] = highest > 0.0 ? 1.0 / (highest * lean) : 0.0;
}

/// Blocks without a tree take the cheapest one, each seeing what those before filled.
void ColumnSolver::place_unrouted(const ColumnGoal& goal) {
  for (TrafficBlock& block : routing_.blocks()) {
    if (!counts(block, goal.column) || !block.trees.empty()) continue;
    aim(goal);
    columns_.eta = 20.0;
    if (columns_.scale[goal.column] > 0.0) {
      columns_.gradient(gradient_);
    } else {
      for (auto& column : gradient_) std::fill(column.begin(), column.end(), 0.0);
    }
    delay_weight_ = 0.2 / delay_unit_;
    price_block(block.column, goal.column);
    BlockTree tree;
    routing_.find_tree(block, price_, tree);
    routing_.flows_of(block, block.rate, tree, tree.flows);
    delay_unit_ += delay_cost(tree);
    std::fill(change_.begin(), change_.end(), 0.0);
    add_change(tree, 1.0);
    tree.share = 1.0;
    block.trees.push_back(std::move(tree));
    apply(block, 1.0);
  }
  add_up();
}

void ColumnSolver::improve(TrafficBlock& block, BlockTree&& tree, Move move) {
  routing_.flows_of(block, block.rate, tree, tree.flows);
  std::fill(change_.begin(), change_.end(), 0.0);
  double amount = 1.0;
  std::size_t leaving = block.trees.size();
  double delay_change = delay_cost(tree);
  const bool pairwise = move != Move::kFromAll;
  if (pairwise) {
    double highest = -1.0;
    for (std::size_t k = 0; k < block.trees.size(); ++k) {
      if (block.trees[k].share <= 0.0) continue;
      double cost = 0.0;
      for (const LinkFlow& flow : block.trees[k].flows) cost += flow.bps * price_[flow.link];
      if (cost > highest) {
        highest = cost;
        leaving = k;
      }
    }
    amount = block.trees[leaving].share;
    add_change(block.trees[leaving], -amount);
    delay_change = amount * (delay_change - delay_cost(block.trees[leaving]));
  } else {
    for (const BlockTree& held : block.trees) {
      add_change(held, -held.share);
      delay_change -= held.share * delay_cost(held);
    }
  }
  add_change(tree, amount);
  const double slope = delay_weight_ * delay_change;
  const double step = move == Move::kWithinLimits ? columns_.barrier_step(block.column, change_, slope)
                                                  : columns_.best_step(block.column, change_, slope);
  if (step <= 0.0) return;
  if (pairwise) {
    block.trees[leaving].share -= step * amount;
  } else {
    for (BlockTree& held : block.trees) held.share *= 1.0 - step;
  }
  const auto same = std::find_if(block.trees.begin(), block.trees.end(),
                                 [&](const BlockTree& held) { return held.same_paths(tree); });
  if (same != block.trees.end()) {
    same->share += step * amount;
  } else {
    tree.share = step * amount;
    block.trees.push_back(std::move(tree));
  }
  apply(block, step);
}

void ColumnSolver::sweep(std::size_t last_column, Move move) {
  ++sweeps_;
  for (TrafficBlock& block : routing_.blocks()) {
    if (!counts(block, last_column) || block.fixed()) continue;
    if (move == Move::kWithinLimits) {
      columns_.barrier_gradient(gradient_);
    } else {
      columns_.gradient(gradient_);
    }
    price_block(block.column, last_column);
    BlockTree tree;
    routing_.find_tree(block, price_, tree);
    improve(block, std::move(tree), move);
  }
  add_up();
}

/// Utilisation that a tree alone would cause, into `change_`; the links that it uses, once each, into `changed_`.
void ColumnSolver::merge_flows(const BlockTree& tree) {
  changed_.clear();
  for (const LinkFlow& flow : tree.flows) change_[flow.link] = 0.0;
  for (const LinkFlow& flow : tree.flows) {
    if (change_[flow.link] == 0.0) changed_.push_back(flow.link);
    change_[flow.link] += flow.bps * routing_.inverse_capacity()[flow.link];
  }
}

/// The cheapest trees under these prices, by block, and the bound that they prove.
std::vector<BlockTree> ColumnSolver::offer_bound(const ColumnGoal& goal, const std::vector<std::vector<double>>& prices,
                                                 ColumnBound& best) {
  double worth = 0.0;
  double paid = 0.0;
  for (std::size_t j = 0; j <= goal.column; ++j) {
    double of_column = 0.0;
    for (std::size_t l = 0; l < price_.size(); ++l) {
      if (routing_.inverse_capacity()[l] > 0.0) of_column += prices[j][l] / routing_.inverse_capacity()[l];
    }
    if (j == goal.column) {
      worth = of_column;
    } else {
      paid -= goal.limit[j] * of_column;
    }
  }
  std::vector<BlockTree> found(routing_.blocks().size());
  std::size_t priced = goal.column + 1;
  std::vector<std::vector<double>> from_column(goal.column + 1, std::vector<double>(price_.size(), 0.0));
  while (priced-- > 0) {
    for (std::size_t l = 0; l < price_.size(); ++l) {
      from_column[priced][l] = prices[priced][l] + (priced < goal.column ? from_column[priced + 1][l] : 0.0);
    }
  }
  for (std::size_t b = 0; b < found.size(); ++b) {
    const TrafficBlock& block = routing_.blocks()[b];
    if (counts(block, goal.column)) paid += routing_.find_tree(block, from_column[block.column], found[b]);
  }
  if (worth <= 0.0 || paid / worth <= best.value) return found;
  best.value = paid / worth;
  best.duals.assign(prices.begin(), prices.begin() + static_cast<std::ptrdiff_t>(goal.column) + 1);
  for (auto& column : best.duals) {
    for (double& entry : column) entry /= worth;
  }
  return found;
}

double ColumnSolver::gap_of(const ColumnGoal& goal, const ColumnBound& bound) const {
  const double reached = columns_.highest(goal.column);
  if (reached <= goal.good_enough) return 0.0;
  return bound.value > 0.0 ? reached / bound.value - 1.0 : std::numeric_limits<double>::infinity();
}

ColumnBound ColumnSolver::minimize(const ColumnGoal& goal) {
  ColumnBound bound;
  place_unrouted(goal);
  bound.duals.assign(goal.column + 1, std::vector<double>(price_.size(), 0.0));
  if (columns_.highest(goal.column) == 0.0) return bound;

  std::size_t blocks = 0;
  for (const TrafficBlock& block : routing_.blocks()) blocks += counts(block, goal.column);
  const bool master_pays = blocks * price_.size() * (goal.column + 1) <= kMasterSizeMax;
  const int sweeps_max = master_pays ? kSweepsBeforeMaster : kSweepsMax;
  const double soft_range = std::log(static_cast<double>(price_.size() * (goal.column + 1)) + 1.0);
  double sharpness = kFirstSharpness;
  double average_weight = 0.0;
  std::vector<std::vector<double>> average(goal.column + 1, std::vector<double>(price_.size(), 0.0));

  double kept_utilization = 0.0;
  std::vector<std::vector<BlockTree>> kept;
  const auto keep = [&] {
    kept_utilization = columns_.highest(goal.column);
    kept = trees();
  };
  keep();
  for (int round = 0; round < sweeps_max; ++round) {
    aim(goal);
    columns_.eta = sharpness;
    delay_weight_ = kDelayTieBreak / delay_unit_;
    sweep(goal.column, round < kSweepsFromAll ? Move::kFromAll : Move::kFromDearest);
    aim(goal);
    columns_.gradient(gradient_);
    average_weight = 0.7 * average_weight + 1.0;
    for (std::size_t j = 0; j <= goal.column; ++j) {
      for (std::size_t l = 0; l < price_.size(); ++l) {
        average[j][l] += (gradient_[j][l] * routing_.inverse_capacity()[l] - average[j][l]) / average_weight;
      }
    }
    static_cast<void>(offer_bound(goal, average, bound));
    const bool holds = strain(goal) <= 1.0 + kLimitTolerance;
    if (holds && columns_.highest(goal.column) < kept_utilization) keep();
    if (holds && gap_of(goal, bound) <= goal.gap) break;
    const double open = std::max(gap_of(goal, bound), goal.gap);
    sharpness = std::max(sharpness, std::min(2.0 * sharpness, 3.0 * soft_range / open));
  }
  if (strain(goal) > 1.0 + kLimitTolerance || columns_.highest(goal.column) > kept_utilization) {
    for (std::size_t b = 0; b < kept.size(); ++b) routing_.blocks()[b].trees = std::move(kept[b]);
    add_up();
  }
  if (master_pays && gap_of(goal, bound) > goal.gap) finish_by_master(goal, bound);
  return bound;
}

/// Rows of the master problem are utilisations in units of their column's limit, the goal's in units of `unit`.
std::vector<double> ColumnSolver::master_scales(const ColumnGoal& goal, double unit) const {
  std::vector<double> scale;
  for (std::size_t j = 0; j < goal.column; ++j) scale.push_back(goal.limit[j] > 0.0 ? 1.0 / goal.limit[j] : 0.0);
  scale.push_back(1.0 / unit);
  return scale;
}

std::vector<ColumnMaster::Row> ColumnSolver::master_rows(const ColumnGoal& goal) const {
  std::vector<ColumnMaster::Row> rows;
  for (std::size_t j = 0; j <= goal.column; ++j) {
    const bool of_goal = j == goal.column;
    for (std::size_t l = 0; l < price_.size(); ++l) {
      rows.push_back({.bound = of_goal ? 0.0 : 1.0 + kMasterSlack, .of_goal = of_goal});
    }
  }
  return rows;
}

/// Column generation with stabilised prices: new trees are the cheapest under a blend of the master's duals and the
/// prices of the best bound, since duals of an unfinished master jump about.
void ColumnSolver::finish_by_master(const ColumnGoal& goal, ColumnBound& bound) {
  const std::size_t links = price_.size();
  const double unit = columns_.highest(goal.column);
  const std::vector<double> scale = master_scales(goal, unit);
  std::vector<TrafficBlock>& blocks = routing_.blocks();
  std::vector<std::size_t> number(blocks.size(), 0);  // of those that count, by block
  std::size_t counted = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    number[b] = counted;
    counted += counts(blocks[b], goal.column);
  }
  const std::vector<ColumnMaster::Row> whole(counted, {.bound = 1.0, .of_goal = false});
  ColumnMaster master{master_rows(goal), whole, {}};
  std::vector<std::pair<std::size_t, std::size_t>> place;  // by the master's tree: block, tree
  std::vector<std::size_t> added(blocks.size(), 0);
  std::vector<ColumnMaster::Entry> entries;
  const auto add_new = [&] {
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (!counts(blocks[b], goal.column)) continue;
      for (; added[b] < blocks[b].trees.size(); ++added[b]) {
        entries.clear();
        merge_flows(blocks[b].trees[added[b]]);
        for (std::size_t j = blocks[b].column; j <= goal.column; ++j) {
          for (const std::uint32_t l : changed_) {
            entries.push_back({.row = static_cast<std::uint32_t>(j * links + l), .value = change_[l] * scale[j]});
          }
        }
        master.add_tree(number[b], entries);
        place.emplace_back(b, added[b]);
      }
    }
  };
  std::vector<std::vector<double>> prices(goal.column + 1, std::vector<double>(links, 0.0));
  double blend = kBlendFirst;
  bool priced_purely = false;  // by the master's own duals alone: no tree they find missing is the optimum
  for (int round = 0; round < kMasterRoundsMax; ++round) {
    const std::size_t before = place.size();
    add_new();
    if (priced_purely && place.size() == before) break;
    if (!master.solve()) break;
    for (std::size_t t = 0; t < place.size(); ++t)
      blocks[place[t].first].trees[place[t].second].share = master.shares()[t];
    routing_.mix(columns_.utilization);
    if (gap_of(goal, bound) <= goal.gap) break;
    for (std::size_t j = 0; j <= goal.column; ++j) {
      for (std::size_t l = 0; l < links; ++l) {
        const double of_master = master.duals()[j * links + l] * scale[j] * unit * routing_.inverse_capacity()[l];
        prices[j][l] = blend * bound.duals[j][l] + (1.0 - blend) * of_master;
      }
    }
    ++sweeps_;
    priced_purely = blend == 0.0;
    const double bound_before = bound.value;
    std::vector<BlockTree> found = offer_bound(goal, prices, bound);
    blend = bound.value > bound_before ? kBlendFirst : blend * 0.5;
    if (blend < 0.01) blend = 0.0;
    if (gap_of(goal, bound) <= goal.gap) break;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (!counts(blocks[b], goal.column)) continue;
      const bool held = std::any_of(blocks[b].trees.begin(), blocks[b].trees.end(),
                                    [&](const BlockTree& tree) { return tree.same_paths(found[b]); });
      if (held) continue;
      routing_.flows_of(blocks[b], blocks[b].rate, found[b], found[b].flows);
      blocks[b].trees.push_back(std::move(found[b]));
    }
  }
  add_up();
}

std::vector<std::vector<BlockTree>> ColumnSolver::trees() const {
  std::vector<std::vector<BlockTree>> all;
  for (const TrafficBlock& block : routing_.blocks()) all.push_back(block.trees);
  return all;
}

double ColumnSolver::total_delay() const {
  double total = 0.0;
  for (const TrafficBlock& block : routing_.blocks()) {
    for (const BlockTree& tree : block.trees) total += tree.share * delay_cost(tree);
  }
  return total;
}

/// Limits become exponential penalties that harden from sweep to sweep.
void ColumnSolver::shorten(const std::vector<double>& limit) {
  const std::size_t last = columns_.size() - 1;
  double delay = total_delay();
  if (delay <= 0.0) return;
  const std::vector<std::vector<double>> utilization_before = columns_.utilization;
  const std::vector<std::vector<BlockTree>> trees_before = trees();
  for (std::size_t j = 0; j < columns_.size(); ++j) columns_.scale[j] = limit[j] > 0.0 ? 1.0 / limit[j] : 0.0;
  delay_weight_ = 1.0 / delay;
  const bool patient = routing_.blocks().size() * price_.size() <= kPatientSizeMax;
  const int sweeps_max = patient ? kPatientSweeps : kShorteningSweeps;
  for (int round = 0; round < sweeps_max; ++round) {
    columns_.eta = patient ? std::min(kBarrierSharpness, 20.0 * std::pow(1.2, round))
                           : kBarrierSharpness * static_cast<double>(round + 1) / kShorteningSweeps;
    sweep(last, Move::kWithinLimits);
    const double before = std::exchange(delay, total_delay());
    if (columns_.eta >= kBarrierSharpness && delay > before * (1.0 - kShorteningWorthwhile)) break;
  }
  keep_within(limit, utilization_before, trees_before);
}

/// Goes back towards where all limits held, as far as it takes for them to hold again.
void ColumnSolver::keep_within(const std::vector<double>& limit,
                               const std::vector<std::vector<double>>& utilization_before,
                               const std::vector<std::vector<BlockTree>>& trees_before) {
  double part = 1.0;  // of the way from there to here
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    for (std::size_t l = 0; l < price_.size(); ++l) {
      const double here = columns_.utilization[j][l];
      const double there = utilization_before[j][l];
      if (here > limit[j] && here > there) part = std::min(part, std::max(0.0, (limit[j] - there) / (here - there)));
    }
  }
  if (part >= 1.0) return;
  for (std::size_t b = 0; b < trees_before.size(); ++b) {
    std::vector<BlockTree>& held = routing_.blocks()[b].trees;
    for (BlockTree& tree : held) tree.share *= part;
    for (const BlockTree& old : trees_before[b]) {
      const auto same =
          std::find_if(held.begin(), held.end(), [&](const BlockTree& tree) { return tree.same_paths(old); });
      if (same != held.end()) {
        same->share += (1.0 - part) * old.share;
      } else {
        held.push_back(old);
        held.back().share = (1.0 - part) * old.share;
      }
    }
  }
  add_up();
}

}  // namespace wan::controller
