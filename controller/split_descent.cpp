#include "controller/split_descent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr double kWorthAPath = 1e-3;   // a new path must be cheaper by this part
constexpr double kMovable = 1e-9;      // of the utilisation: what a move must promise
constexpr double kWorthAShare = 1e-3;  // of a row: what a new path must take over
constexpr double kLower = 1.0 - 1e-9;  // a potential is lower when it is by this factor
constexpr double kTie = 1e-3;          // of the mean price: what a hop and its delay cost, half each

}  // namespace

SplitDescent::SplitDescent(const Topology& topology, SplitRows& rows, PathFinder& finder, std::size_t paths_max,
                           std::size_t level_count)
    : topology_{topology},
      rows_{rows},
      finder_{finder},
      paths_max_{paths_max},
      loads_{topology, level_count},
      last_level_{level_count - 1},
      rows_from_(rows.groups().size(), std::vector<std::vector<std::uint32_t>>(topology.node_count())),
      tie_{delay_costs(topology)},
      cost_(topology.link_count()) {
  const auto all = rows.rows();
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].rate_bps <= 0.0 || rows.group(all[r]).fixed) continue;
    rows_from_[all[r].group][all[r].from.index()].push_back(static_cast<std::uint32_t>(r));
  }
  const double total = std::accumulate(tie_.begin(), tie_.end(), 0.0);
  const double by_mean = total > 0.0 ? static_cast<double>(tie_.size()) / total : 0.0;
  for (double& tie : tie_) tie = 1.0 + tie * by_mean;
}

void SplitDescent::set_loads(double sharpness) {
  loads_.set(rows_.loads_bps(topology_.link_count(), loads_.column_count()), sharpness);
}

void SplitDescent::refresh_costs(const RowGroup& group) {
  double sum = 0.0;
  for (std::uint32_t l = 0; l < cost_.size(); ++l) {
    cost_[l] = loads_.price(group.level, l);
    sum += cost_[l];
  }
  const double tie = sum > 0.0 ? 0.5 * kTie * sum / static_cast<double>(cost_.size()) : 1.0;
  for (std::size_t l = 0; l < cost_.size(); ++l) cost_[l] += tie * tie_[l];
  for (const LinkId link : group.rule.avoid) cost_[link.index()] = std::numeric_limits<double>::infinity();
}

std::span<const double> SplitDescent::costs(const RowGroup& group) {
  refresh_costs(group);
  return cost_;
}

double SplitDescent::cost_of(const Choice& choice) const {
  double total = 0.0;
  for (const std::uint32_t link : rows_.links(choice)) total += cost_[link];
  return total;
}

std::size_t SplitDescent::dearest(const Row& row) const {
  std::size_t found = 0;
  double high = -1.0;
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double price = cost_of(row.choices[p]);
    if (price <= high) continue;
    high = price;
    found = p;
  }
  return found;
}

void SplitDescent::give_up(Row& row, std::size_t choice) {
  const Choice given = row.choices[choice];
  row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(choice));
  std::size_t best = 0;
  double least = 0.0;
  for (std::size_t p = 0; p < row.choices.size() && row.choices.size() > 1; ++p) {
    const double after = loads_.potential_after(move_of(row, given, rows_.links(row.choices[p])), rate_of(row, given));
    if (p > 0 && after >= least) continue;
    least = after;
    best = p;
  }
  loads_.move(move_of(row, given, rows_.links(row.choices[best])), rate_of(row, given));
  row.choices[best].share += given.share;
}

void SplitDescent::replace(Row& row, std::size_t choice, std::span<const std::uint32_t> path) {
  const Choice replaced = row.choices[choice];
  loads_.move(move_of(row, replaced, path), rate_of(row, replaced));
  row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(choice));
  rows_.add(row, path);
  row.choices.back().share = replaced.share;
}

/// Moves share from the dearest choice to the cheapest; one that is left with nothing is taken away.
void SplitDescent::balance(Row& row) {
  std::size_t low = 0;
  std::size_t high = 0;
  double cheapest = 0.0;
  double dear = 0.0;
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double price = loads_.price(row.level, rows_.links(row.choices[p]));
    if (p == 0 || price < cheapest) {
      cheapest = price;
      low = p;
    }
    if (p == 0 || price > dear) {
      dear = price;
      high = p;
    }
  }
  const double bps = rate_of(row, row.choices[high]);
  if (low == high || (dear - cheapest) * bps <= kMovable * loads_.max_utilization()) return;
  const LinkPotential::Move move = move_of(row, row.choices[high], rows_.links(row.choices[low]));
  const double moved = loads_.best_move(move, bps);
  if (moved <= 0.0) return;
  loads_.move(move, moved);
  row.choices[low].share += moved / row.rate_bps;
  if (moved >= bps) {
    row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(high));
  } else {
    row.choices[high].share -= moved / row.rate_bps;
  }
}

/// What it gained, as a part of the utilisation.
double SplitDescent::sweep() {
  const double before = loads_.potential();
  for (Row& row : rows_.rows()) {
    if (row.choices.size() > 1 && works_on(row)) balance(row);
  }
  const double gained = std::log(before / loads_.potential()) / (loads_.eta() * loads_.max_utilization());
  set_loads(loads_.eta() * loads_.max_utilization());
  return gained;
}

bool SplitDescent::add_beside(Row& row, std::span<const std::uint32_t> path) {
  const std::size_t from = dearest(row);
  const double bps = rate_of(row, row.choices[from]);
  const LinkPotential::Move move = move_of(row, row.choices[from], path);
  const double moved = loads_.best_move(move, bps);
  if (moved <= kWorthAShare * row.rate_bps) return false;
  loads_.move(move, moved);
  row.choices[from].share -= moved / row.rate_bps;
  rows_.add(row, path);
  row.choices.back().share = moved / row.rate_bps;
  if (moved >= bps) row.choices.erase(row.choices.begin() + static_cast<std::ptrdiff_t>(from));
  return true;
}

/// The path replaces one of the row's, share and all, where that helps.
bool SplitDescent::take_place(Row& row, std::span<const std::uint32_t> path) {
  double least = loads_.potential() * kLower;
  std::size_t best = row.choices.size();
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const double after = loads_.potential_after(move_of(row, row.choices[p], path), rate_of(row, row.choices[p]));
    if (after >= least) continue;
    least = after;
    best = p;
  }
  if (best == row.choices.size()) return false;
  replace(row, best, path);
  return true;
}

/// The smallest share joins another one, and the path takes what it can of the dearest, where both together help.
bool SplitDescent::make_room(Row& row, std::span<const std::uint32_t> path) {
  if (row.choices.size() < 2) return false;
  const double before = loads_.potential();
  const std::vector<Choice> old = row.choices;
  const auto smallest = std::min_element(row.choices.begin(), row.choices.end(),
                                         [](const Choice& a, const Choice& b) { return a.share < b.share; });
  give_up(row, static_cast<std::size_t>(smallest - row.choices.begin()));
  if (add_beside(row, path) && loads_.potential() < before * kLower) return true;
  // Back as it was: every choice's load is taken off and put on again.
  for (const Choice& choice : row.choices) loads_.move(move_of(row, choice, {}), rate_of(row, choice));
  row.choices = old;
  for (const Choice& choice : row.choices) {
    loads_.move({.level = row.level, .from = {}, .to = rows_.links(choice)}, rate_of(row, choice));
  }
  return false;
}

bool SplitDescent::offer(Row& row, std::span<const std::uint32_t> path) {
  if (row.choices.size() < paths_max_) return add_beside(row, path);
  return take_place(row, path) || make_room(row, path);
}

/// Whether a path that costs nothing would be worth a search that is dear.
bool SplitDescent::may_gain(const Row& row) const {
  const Choice& choice = row.choices[dearest(row)];
  return loads_.price(row.level, rows_.links(choice)) * rate_of(row, choice) > kMovable * loads_.max_utilization();
}

void SplitDescent::exchange_paths_of(std::uint32_t number, std::size_t except) {
  const RowGroup& group = rows_.groups()[number];
  const auto& rows_from = rows_from_[number];
  finder_.set_latency_max(group.rule.latency_max);
  finder_.set_costs(costs(group));
  for (std::size_t s = 0; s < rows_from.size(); ++s) {
    if (rows_from[s].empty()) continue;
    if (!finder_.depth()) refresh_costs(group);  // what the sources before moved counts
    finder_.run(NodeId{s});
    for (const std::uint32_t r : rows_from[s]) {
      Row& row = rows_.rows()[r];
      if (r == except || finder_.cost(row.to) >= (1.0 - kWorthAPath) * cost_of(row.choices[dearest(row)])) continue;
      if (group.rule.latency_max && !may_gain(row)) continue;
      if (finder_.path_to(row.to, path_) && !rows_.has(row, path_)) offer(row, path_);
    }
  }
}

void SplitDescent::exchange_paths(std::size_t except) {
  for (std::uint32_t g = 0; g < rows_from_.size(); ++g) {
    const RowGroup& group = rows_.groups()[g];
    if (!group.fixed && group.level >= first_level_ && group.level <= last_level_) exchange_paths_of(g, except);
  }
}

}  // namespace wan::controller
