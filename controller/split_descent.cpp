#include "controller/split_descent.h"

#include <algorithm>
#include <cmath>
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

SplitDescent::SplitDescent(const Topology& topology, SplitRows& rows, PathFinder& finder, std::size_t paths_max)
    : topology_{topology},
      rows_{rows},
      finder_{finder},
      paths_max_{paths_max},
      loads_{topology},
      rows_from_(topology.node_count()),
      tie_{delay_costs(topology)},
      cost_(topology.link_count()) {
  const auto all = rows.rows();
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].rate_bps > 0.0) rows_from_[all[r].from.index()].push_back(static_cast<std::uint32_t>(r));
  }
  const double total = std::accumulate(tie_.begin(), tie_.end(), 0.0);
  const double by_mean = total > 0.0 ? static_cast<double>(tie_.size()) / total : 0.0;
  for (double& tie : tie_) tie = 1.0 + tie * by_mean;
}

void SplitDescent::set_loads(double sharpness) { loads_.set(rows_.loads_bps(topology_.link_count()), sharpness); }

void SplitDescent::refresh_costs() {
  double sum = 0.0;
  for (std::uint32_t l = 0; l < cost_.size(); ++l) {
    cost_[l] = loads_.price(l);
    sum += cost_[l];
  }
  const double tie = sum > 0.0 ? 0.5 * kTie * sum / static_cast<double>(cost_.size()) : 1.0;
  for (std::size_t l = 0; l < cost_.size(); ++l) cost_[l] += tie * tie_[l];
}

std::span<const double> SplitDescent::costs() {
  refresh_costs();
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
    const double after = loads_.potential_after(rows_.links(given), rows_.links(row.choices[p]), rate_of(row, given));
    if (p > 0 && after >= least) continue;
    least = after;
    best = p;
  }
  loads_.move(rows_.links(given), rows_.links(row.choices[best]), rate_of(row, given));
  row.choices[best].share += given.share;
}

void SplitDescent::replace(Row& row, std::size_t choice, std::span<const std::uint32_t> path) {
  const Choice replaced = row.choices[choice];
  loads_.move(rows_.links(replaced), path, rate_of(row, replaced));
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
    const double price = loads_.price(rows_.links(row.choices[p]));
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
  const auto from = rows_.links(row.choices[high]);
  const auto to = rows_.links(row.choices[low]);
  const double moved = loads_.best_move(from, to, bps);
  if (moved <= 0.0) return;
  loads_.move(from, to, moved);
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
    if (row.choices.size() > 1 && row.rate_bps > 0.0) balance(row);
  }
  const double gained = std::log(before / loads_.potential()) / (loads_.eta() * loads_.max_utilization());
  set_loads(loads_.eta() * loads_.max_utilization());
  return gained;
}

bool SplitDescent::add_beside(Row& row, std::span<const std::uint32_t> path) {
  const std::size_t from = dearest(row);
  const double bps = rate_of(row, row.choices[from]);
  const double moved = loads_.best_move(rows_.links(row.choices[from]), path, bps);
  if (moved <= kWorthAShare * row.rate_bps) return false;
  loads_.move(rows_.links(row.choices[from]), path, moved);
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
    const double after = loads_.potential_after(rows_.links(row.choices[p]), path, rate_of(row, row.choices[p]));
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
  for (const Choice& choice : row.choices) loads_.move(rows_.links(choice), {}, rate_of(row, choice));
  row.choices = old;
  for (const Choice& choice : row.choices) loads_.move({}, rows_.links(choice), rate_of(row, choice));
  return false;
}

bool SplitDescent::offer(Row& row, std::span<const std::uint32_t> path) {
  if (row.choices.size() < paths_max_) return add_beside(row, path);
  return take_place(row, path) || make_room(row, path);
}

void SplitDescent::exchange_paths(std::size_t except) {
  finder_.set_costs(costs());
  for (std::size_t s = 0; s < rows_from_.size(); ++s) {
    if (rows_from_[s].empty()) continue;
    if (!finder_.depth()) refresh_costs();  // what the sources before moved counts
    finder_.run(NodeId{s});
    for (const std::uint32_t r : rows_from_[s]) {
      Row& row = rows_.rows()[r];
      if (r == except || finder_.cost(row.to) >= (1.0 - kWorthAPath) * cost_of(row.choices[dearest(row)])) continue;
      finder_.path_to(row.to, path_);
      if (!rows_.has(row, path_)) offer(row, path_);
    }
  }
}

}  // namespace wan::controller
