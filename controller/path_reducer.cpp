#include "controller/path_reducer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "controller/depth_fit.h"

namespace wan::controller {
namespace {

using Choice = SplitRows::Choice;
using Row = SplitRows::Row;

constexpr int kRoundsMax = 60;
constexpr int kStallsMax = 6;       // rounds without progress, each twice as sharp as the one before
constexpr int kSweepsMax = 12;      // a round
constexpr double kProgress = 2e-5;  // of the utilisation, that a round must gain
constexpr double kSharpnessMin = 60.0;
constexpr double kSharpnessMax = 2e5;
constexpr double kShareMin = 2e-3;  // smaller shares are given up where the gap allows
constexpr double kKickWork = 5e5;   // rows looked at in all kicks together, before giving up
constexpr int kKicksMax = 400;
constexpr int kRoundsAfterKick = 3;

}  // namespace

PathReducer::PathReducer(const Topology& topology, const PathReduction& what, const FewPathsOptions& options)
    : topology_{topology},
      what_{what},
      options_{options},
      rows_{topology, what.plan, what.demand, what.groups},
      finder_{topology, options.sid_depth},
      descent_{topology, rows_, finder_, options.paths_max, what.levels.size()},
      target_{what.levels.size() == 1 ? what.levels.front().target : 1.0} {
  for (const LevelGoal& level : what.levels) limit_.push_back(level.limit);
}

/// How near the levels above come to their limits: 1 is at the limit.
double PathReducer::strain() const {
  double worst = 0.0;
  for (std::size_t j = 0; j < level_; ++j) {
    if (limit_[j] > 0.0) worst = std::max(worst, descent_.column_utilization(j) / limit_[j]);
  }
  return worst;
}

/// What is to come down to the target, as loads were last set; infinite where a level above is over its limit.
double PathReducer::height() const {
  if (level_ == kTogether) return descent_.max_utilization();
  for (std::size_t j = 0; j < level_; ++j) {
    if (descent_.column_utilization(j) > limit_[j]) return std::numeric_limits<double>::infinity();
  }
  return descent_.column_utilization(level_);
}

/// Sets the columns' units: targets where all are lowered together, else the limits above and for the level where it
/// stands, a little off it so that those above end up just within theirs.
void PathReducer::aim() {
  const std::size_t levels = what_.levels.size();
  if (levels == 1) return;
  std::vector<double> scale(levels, 0.0);
  if (level_ == kTogether) {
    for (std::size_t j = 0; j < levels; ++j)
      scale[j] = what_.levels[j].target > 0.0 ? 1.0 / what_.levels[j].target : 1.0;
  } else {
    for (std::size_t j = 0; j < level_ && !frozen_; ++j) scale[j] = limit_[j] > 0.0 ? 1.0 / limit_[j] : 0.0;
    const double lean = frozen_ ? 1.0 : std::clamp(strain() / (1.0 - 0.1 * options_.gap), 0.95, 1.05);
    const double stands = descent_.column_utilization(level_);
    scale[level_] = stands > 0.0 ? 1.0 / (stands * lean) : 1.0;
  }
  descent_.set_scale(scale);
}

bool PathReducer::keep_if_best() {
  if (height() >= lowest_) return false;
  lowest_ = height();
  best_.resize(rows_.rows().size());
  for (std::size_t r = 0; r < best_.size(); ++r) best_[r] = rows_.rows()[r].choices;
  return true;
}

void PathReducer::back_to_best() {
  for (std::size_t r = 0; r < best_.size(); ++r) rows_.rows()[r].choices = best_[r];
}

/// Largest demands first: the small ones fill what room these leave.
void PathReducer::keep_few() {
  std::vector<std::size_t> order;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    if (rows_.rows()[r].choices.size() > options_.paths_max) order.push_back(r);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows_.rows()[a].rate_bps > rows_.rows()[b].rate_bps; });
  for (const std::size_t r : order) {
    Row& row = rows_.rows()[r];
    while (row.choices.size() > options_.paths_max) {
      const auto smallest = std::min_element(row.choices.begin(), row.choices.end(),
                                             [](const Choice& a, const Choice& b) { return a.share < b.share; });
      descent_.give_up(row, static_cast<std::size_t>(smallest - row.choices.begin()));
    }
  }
}

/// As sharp as what is left to gain asks for, and sharper while nothing is gained.
void PathReducer::descend() {
  const std::size_t columns = level_ == kTogether ? what_.levels.size() : frozen_ ? 1 : level_ + 1;
  const double several = 2.0 * std::log(static_cast<double>(columns * topology_.link_count()) + 1.0);
  double factor = 1.0;
  descent_.set_loads(kSharpnessMin);
  aim();
  descent_.set_loads(kSharpnessMin);
  for (int round = 0, stalls = 0; round < kRoundsMax; ++round, ++rounds_) {
    const bool progress = height() < lowest_ * (1.0 - kProgress);
    keep_if_best();
    if (lowest_ <= target_ || lowest_ <= 0.0) break;
    stalls = progress ? 0 : stalls + 1;
    if (stalls > kStallsMax) break;
    if (!progress) factor *= 2.0;
    const double excess = target_ > 0.0 ? lowest_ / target_ - 1.0 : 1.0;
    const double wanted = factor * several / std::max(excess, 0.1 * options_.gap);
    aim();
    descent_.set_loads(std::clamp(wanted, kSharpnessMin, kSharpnessMax));
    if (options_.new_paths) descent_.exchange_paths();
    descent_.set_loads(descent_.sharpness());
    for (int i = 0; i < kSweepsMax && descent_.sweep() > 0.1 * kProgress; ++i) {
    }
  }
  back_to_best();
}

/// A choice of a row that crosses the busiest link of the level that is being lowered.
std::vector<PathReducer::Crossing> PathReducer::crossing(std::uint32_t busiest) const {
  std::vector<Crossing> found;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    const Row& row = rows_.rows()[r];
    if (!descent_.works_on(row) || rows_.group(row).fixed) continue;
    for (std::size_t p = 0; p < row.choices.size(); ++p) {
      const auto links = rows_.links(row.choices[p]);
      if (std::find(links.begin(), links.end(), busiest) != links.end()) found.push_back({r, p});
    }
  }
  return found;
}

/// A path around a link, the cheapest under prices that are shaken. Empty: none is found.
std::vector<std::uint32_t> PathReducer::way_around(const Row& row, std::uint32_t busiest, Rng& rng) {
  const RowGroup& group = rows_.group(row);
  const auto prices = descent_.costs(group);
  std::vector<double> cost{prices.begin(), prices.end()};
  double beyond = 1.0;
  for (double& entry : cost) {
    entry *= 0.2 + rng.uniform();
    if (std::isfinite(entry)) beyond += entry;
  }
  cost[busiest] = beyond;
  finder_.set_latency_max(group.rule.latency_max);
  finder_.set_costs(cost);
  finder_.run(row.from);
  std::vector<std::uint32_t> path;
  if (finder_.cost(row.to) >= beyond || !finder_.path_to(row.to, path)) return {};
  if (std::find(path.begin(), path.end(), busiest) != path.end()) return {};
  return path;
}

/// Forces a demand off the busiest link and lets the others answer. Whether the best state got better.
bool PathReducer::kick(Rng& rng) {
  const LinkPotential& loads = descent_.loads();
  const std::size_t column = level_ == kTogether ? 0 : level_;
  std::uint32_t busiest = 0;
  for (std::uint32_t l = 1; l < topology_.link_count(); ++l) {
    if (loads.utilization(column, l) > loads.utilization(column, busiest)) busiest = l;
  }
  const std::vector<Crossing> candidates = crossing(busiest);
  if (candidates.empty()) return false;
  const auto [r, choice] = candidates[rng.below(candidates.size())];
  Row& row = rows_.rows()[r];
  const std::vector<std::uint32_t> path = way_around(row, busiest, rng);
  if (path.empty()) return false;
  if (rows_.has(row, path)) {
    descent_.give_up(row, choice);
  } else {
    descent_.replace(row, choice, path);
  }
  for (int round = 0; round < kRoundsAfterKick; ++round) {
    descent_.exchange_paths(round == 0 ? r : SIZE_MAX);
    for (int i = 0; i < kSweepsMax && descent_.sweep() > kProgress; ++i) {
    }
    if (keep_if_best()) return true;
  }
  return false;
}

/// Where paths are so few that whole demands must change places, descent alone sticks.
void PathReducer::kick_on() {
  Rng rng{1, "few paths"};
  const double a_kick = kRoundsAfterKick * 4.0 * static_cast<double>(rows_.rows().size() + topology_.node_count());
  const int kicks = static_cast<int>(std::min<double>(kKicksMax, kKickWork / a_kick));
  constexpr std::array kSharpnesses{30.0, 100.0, 300.0, 1000.0};
  descent_.set_loads(kSharpnessMin);
  aim();
  for (int i = 0; i < kicks && lowest_ > target_; ++i) {
    descent_.set_loads(kSharpnesses[rng.below(kSharpnesses.size())]);
    if (!kick(rng)) back_to_best();
  }
  back_to_best();
}

bool PathReducer::within_limits() const {
  for (std::size_t j = 0; j < limit_.size(); ++j) {
    if (descent_.column_utilization(j) > limit_[j]) return false;
  }
  return true;
}

/// Small shares are not worth a path, as long as all levels stay within their limits without them.
void PathReducer::drop_small_shares() {
  descent_.set_loads(kSharpnessMax);
  std::vector<std::pair<std::size_t, std::vector<Choice>>> before;
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    Row& row = rows_.rows()[r];
    for (std::size_t p = row.choices.size(); p-- > 0 && row.choices.size() > 1;) {
      if (row.choices[p].share >= kShareMin) continue;
      if (before.empty() || before.back().first != r) before.emplace_back(r, row.choices);
      descent_.give_up(row, p);
    }
  }
  descent_.set_loads(kSharpnessMax);
  if (within_limits()) return;
  for (auto& [r, choices] : before) rows_.rows()[r].choices = std::move(choices);
}

double PathReducer::target_of(std::size_t level) const {
  const LevelGoal& goal = what_.levels[level];
  double target = goal.target;
  for (std::size_t j = 0; j < goal.worth_of_limits.size(); ++j) {
    target -= goal.worth_of_limits[j] * (limit_[j] - what_.levels[j].limit);
  }
  return std::max(target, goal.target_min);
}

/// Lowers one level, with none of those above over its limit.
void PathReducer::lower(std::size_t level, double target) {
  level_ = level;
  target_ = target;
  lowest_ = std::numeric_limits<double>::infinity();
  frozen_ = true;
  descent_.set_levels(level, level);
  descend();
  frozen_ = false;
  descent_.set_levels(0, level);
  if (lowest_ > target_ && level > 0) descend();
  if (lowest_ > target_ && options_.new_paths) kick_on();
}

/// Each level to its target, if that can be had, and its limit up to where it has come.
void PathReducer::lower_in_order() {
  for (std::size_t level = 0; level < limit_.size(); ++level) {
    descent_.set_loads(kSharpnessMin);
    const double target = target_of(level);
    if (limit_.size() > 1 && descent_.column_utilization(level) > target) {
      lower(level, target);
      descent_.set_loads(kSharpnessMin);
    }
    limit_[level] = std::max(limit_[level], descent_.column_utilization(level));
  }
  level_ = kTogether;
  descent_.set_levels(0, limit_.size() - 1);
  aim();
}

Result<void> PathReducer::run() {
  aim();
  descent_.set_loads(std::clamp(1.0 / options_.gap, kSharpnessMin, kSharpnessMax));
  if (options_.sid_depth) {
    if (auto fitted = fit_to_depth(topology_, rows_, finder_, descent_, what_.class_names); !fitted) return fitted;
  }
  keep_few();
  descend();
  if (lowest_ > target_ && options_.new_paths && limit_.size() == 1) kick_on();
  lower_in_order();
  drop_small_shares();
  return {};
}

}  // namespace wan::controller
