#include "controller/path_simplex.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr double kPivotLeast = 1e-7;      // smaller ones would magnify rounding
constexpr double kZero = 1e-11;           // of the largest capacity: flows below are rounding
constexpr double kPriceZero = 1e-9;       // of the sum of prices
constexpr std::size_t kStandingMax = 30;  // pivots that change nothing before Bland's rule, which is slow
constexpr std::size_t kFirstStride = 64;

/// Takes the pivot row, times each row's entry in the pivot column, from all other rows.
WAN_VECTOR_CLONES void eliminate(double* tableau, double* value, std::size_t stride, std::size_t rows,
                                 std::size_t columns, std::size_t r, std::size_t c) {
  const double* pivot_row = tableau + r * stride;
  for (std::size_t i = 0; i < rows; ++i) {
    double* changed = tableau + i * stride;
    const double factor = changed[c];
    if (i == r || factor == 0.0) continue;
    changed[c] = 0.0;
    for (std::size_t j = 0; j < columns; ++j) changed[j] -= factor * pivot_row[j];
    value[i] -= factor * value[r];
  }
}

}  // namespace

PathSimplex::PathSimplex(std::span<const double> capacity, std::size_t demand_count)
    : link_count_{capacity.size()},
      unit_{*std::max_element(capacity.begin(), capacity.end())},
      home_(demand_count, kNone),
      others_(demand_count, 0),
      demand_(demand_count, 0.0),
      prices_(capacity.size(), 0.0) {
  for (const double bps : capacity) weight_.push_back(unit_ / bps);
  open();
}

/// The tableau of slacks alone: every link's row is
///   slack - utilisation + sum over paths beside homes (its weight on the path less that on home) x flow = -home load.
void PathSimplex::open() {
  row_of_.assign(1 + link_count_ + paths_.size(), kNone);
  column_of_.assign(row_of_.size(), kNone);
  right_side_.assign(row_of_.size(), 0.0);
  basis_.clear();
  nonbasic_.clear();
  value_.clear();
  reserve(link_count_, 1);
  for (std::size_t l = 0; l < link_count_; ++l) add_row(static_cast<std::uint32_t>(1 + l), 0.0);
  nonbasic_.push_back(kUtilization);
  column_of_[kUtilization] = 0;
  for (std::size_t r = 0; r < link_count_; ++r) row(r)[0] = -1.0;
}

void PathSimplex::reserve(std::size_t rows, std::size_t columns) {
  if (columns > stride_) {
    const std::size_t wider = std::max({columns, 2 * stride_, kFirstStride});
    std::vector<double> moved(std::max(rows, basis_.size()) * wider, 0.0);
    for (std::size_t r = 0; r < basis_.size(); ++r) std::copy_n(row(r), nonbasic_.size(), moved.data() + r * wider);
    tableau_ = std::move(moved);
    stride_ = wider;
  }
  if (rows * stride_ > tableau_.size()) tableau_.resize(rows * stride_, 0.0);
}

void PathSimplex::add_row(std::uint32_t basic, double value) {
  const std::size_t r = basis_.size();
  reserve(r + 1, nonbasic_.size());
  std::fill_n(row(r), stride_, 0.0);
  basis_.push_back(basic);
  value_.push_back(value);
  row_of_[basic] = static_cast<std::uint32_t>(r);
}

std::uint32_t PathSimplex::hold(std::size_t demand, std::span<const std::uint32_t> links) {
  paths_.push_back({.demand = static_cast<std::uint32_t>(demand),
                    .first = static_cast<std::uint32_t>(path_links_.size()),
                    .count = static_cast<std::uint32_t>(links.size())});
  path_links_.insert(path_links_.end(), links.begin(), links.end());
  row_of_.push_back(kNone);
  column_of_.push_back(kNone);
  right_side_.push_back(0.0);
  return static_cast<std::uint32_t>(paths_.size() - 1);
}

void PathSimplex::set_home(std::size_t demand, std::span<const std::uint32_t> links) {
  assert(home_[demand] == kNone);
  home_[demand] = hold(demand, links);
}

/// Adds `factor` times the column that a slack has in the present basis.
void PathSimplex::add_unit(std::uint32_t slack, double factor, std::size_t column) {
  if (row_of_[slack] != kNone) {
    row(row_of_[slack])[column] += factor;
    return;
  }
  const std::size_t from = column_of_[slack];
  for (std::size_t r = 0; r < basis_.size(); ++r) row(r)[column] += factor * row(r)[from];
}

void PathSimplex::add_column(std::uint32_t path) {
  const Path& added = paths_[path];
  const std::uint32_t home = home_[added.demand];
  const std::size_t c = nonbasic_.size();
  reserve(basis_.size(), c + 1);
  for (std::size_t r = 0; r < basis_.size(); ++r) row(r)[c] = 0.0;
  for (const std::uint32_t l : links_of(added)) add_unit(1 + l, weight_[l], c);
  for (const std::uint32_t l : links_of(paths_[home])) add_unit(1 + l, -weight_[l], c);
  add_unit(variable(home), 1.0, c);
  nonbasic_.push_back(variable(path));
  column_of_[variable(path)] = static_cast<std::uint32_t>(c);
}

double PathSimplex::cost(std::span<const std::uint32_t> links) const {
  double sum = 0.0;
  for (const std::uint32_t l : links) sum += prices_[l] * weight_[l];
  return sum;
}

double PathSimplex::saving(std::size_t demand, std::span<const std::uint32_t> links) const {
  const std::uint32_t home = home_[demand];
  const std::uint32_t home_column = column_of_[variable(home)];
  const double above_used = home_column == kNone ? 0.0 : -row(row_of_[kUtilization])[home_column];
  const double a_unit = cost(links_of(paths_[home])) - above_used - cost(links);
  return a_unit > kPriceZero ? a_unit * demand_[demand] / utilization() : 0.0;
}

void PathSimplex::add_path(std::size_t demand, std::span<const std::uint32_t> links) {
  const std::uint32_t home = home_[demand];
  const std::uint32_t path = hold(demand, links);
  if (others_[demand]++ == 0) {
    right_side_[variable(home)] = demand_[demand];
    add_row(variable(home), demand_[demand]);
  }
  add_column(path);
  priced_out_ = false;
}

/// Of the basic variables, from the right sides: each stands in the tableau with the columns of the first slacks.
void PathSimplex::find_values() {
  std::fill_n(right_side_.begin(), 1 + link_count_, 0.0);
  for (std::size_t demand = 0; demand < home_.size(); ++demand) {
    if (home_[demand] == kNone || !(demand_[demand] > 0.0)) continue;
    for (const std::uint32_t l : links_of(paths_[home_[demand]])) {
      right_side_[1 + l] -= demand_[demand] * weight_[l];
    }
  }
  for (std::size_t demand = 0; demand < home_.size(); ++demand) {
    if (others_[demand] > 0) right_side_[variable(home_[demand])] = demand_[demand];
  }
  std::vector<double>& by_column = work_;
  by_column.resize(nonbasic_.size());
  for (std::size_t c = 0; c < nonbasic_.size(); ++c) by_column[c] = right_side_[nonbasic_[c]];
  for (std::size_t r = 0; r < basis_.size(); ++r) {
    double sum = right_side_[basis_[r]];
    const double* at = row(r);
    for (std::size_t c = 0; c < nonbasic_.size(); ++c) sum += at[c] * by_column[c];
    value_[r] = sum;
  }
}

void PathSimplex::pivot(std::size_t r, std::size_t c) {
  const std::size_t columns = nonbasic_.size();
  double* pivot_row = row(r);
  const double inverse = 1.0 / pivot_row[c];
  for (std::size_t j = 0; j < columns; ++j) pivot_row[j] *= inverse;
  pivot_row[c] = inverse;
  value_[r] *= inverse;
  eliminate(tableau_.data(), value_.data(), stride_, basis_.size(), columns, r, c);
  std::swap(basis_[r], nonbasic_[c]);
  row_of_[basis_[r]] = static_cast<std::uint32_t>(r);
  column_of_[basis_[r]] = kNone;
  row_of_[nonbasic_[c]] = kNone;
  column_of_[nonbasic_[c]] = static_cast<std::uint32_t>(c);
}

/// A step taken counts against the budget; one that changes nothing, against how long that may go on.
void PathSimplex::step(std::size_t r, std::size_t c, bool moves) {
  --pivots_left_;
  standing_ = moves ? 0 : standing_ + 1;
  pivot(r, c);
}

/// The dual simplex method: links above the utilisation and flows below zero leave the basis. Prices stay as good as
/// they are; where they were left unfinished it is a guess that mostly works. Once it stands still, by Bland's rule,
/// which cannot go round in circles.
PathSimplex::Outcome PathSimplex::restore() {
  for (;;) {
    const bool by_index = standing_ > kStandingMax;
    const std::size_t top = row_of_[kUtilization];
    const double link_least = -tolerance_ * value_[top];
    std::size_t leaving = kNone;
    for (std::size_t r = 0; r < basis_.size(); ++r) {
      if (r == top || value_[r] >= (basis_[r] <= link_count_ ? link_least : -kZero)) continue;
      const bool better = leaving == kNone || (by_index ? basis_[r] < basis_[leaving] : value_[r] < value_[leaving]);
      if (better) leaving = r;
    }
    if (leaving == kNone) return Outcome::kOptimal;
    const double* at = row(leaving);
    const double* reduced = row(top);
    std::size_t entering = kNone;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < nonbasic_.size(); ++c) {
      if (!(at[c] < -kPivotLeast)) continue;
      const double ratio = std::max(0.0, -reduced[c]) / -at[c];
      const bool tied = std::abs(ratio - least) <= kPriceZero;
      const bool first = tied && (by_index ? nonbasic_[c] < nonbasic_[entering] : at[c] < at[entering]);
      if ((!tied && ratio < least) || first) entering = c;
      least = std::min(least, ratio);
    }
    if (entering == kNone) return Outcome::kBroken;
    if (pivots_left_ == 0) return Outcome::kOutOfPivots;
    if (by_index && !priced_out_) return begin();
    step(leaving, entering, least > kPriceZero);
  }
}

/// The primal simplex method: paths that save something, the steepest first, or by Bland's rule as above.
PathSimplex::Outcome PathSimplex::improve() {
  for (;;) {
    const bool by_index = standing_ > kStandingMax;
    const std::size_t top = row_of_[kUtilization];
    const double* reduced = row(top);
    std::size_t entering = kNone;
    for (std::size_t c = 0; c < nonbasic_.size(); ++c) {
      if (!(reduced[c] > kPriceZero)) continue;
      const bool better =
          entering == kNone || (by_index ? nonbasic_[c] < nonbasic_[entering] : reduced[c] > reduced[entering]);
      if (better) entering = c;
    }
    if (entering == kNone) {
      note_prices();
      priced_out_ = true;
      return Outcome::kOptimal;
    }
    std::size_t leaving = kNone;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t r = 0; r < basis_.size(); ++r) {
      const double at = row(r)[entering];
      if (r == top || !(at > kPivotLeast)) continue;
      const double ratio = std::max(0.0, value_[r]) / at;
      const bool tied = std::abs(ratio - least) <= kZero;
      const bool first = tied && (by_index ? basis_[r] < basis_[leaving] : at > row(leaving)[entering]);
      if ((!tied && ratio < least) || first) leaving = r;
      least = std::min(least, ratio);
    }
    if (leaving == kNone) return Outcome::kBroken;
    if (pivots_left_ == 0) return Outcome::kOutOfPivots;
    value_[leaving] = std::max(0.0, value_[leaving]);  // what the tolerance left: no flow may come out below zero
    step(leaving, entering, least > kZero);
  }
}

PathSimplex::Outcome PathSimplex::follow(std::span<const double> bps, double tolerance, std::size_t pivots_max) {
  assert(bps.size() == demand_.size());
  tolerance_ = tolerance;
  pivots_left_ = pivots_max;
  standing_ = 0;
  for (std::size_t demand = 0; demand < bps.size(); ++demand) demand_[demand] = bps[demand] / unit_;
  find_values();
  if (row_of_[kUtilization] == kNone) return begin();
  const Outcome restored = restore();
  return restored == Outcome::kOptimal ? improve() : restored;
}

/// With all demands on their homes, from where the primal method can always start.
PathSimplex::Outcome PathSimplex::begin() {
  standing_ = 0;
  open();
  for (std::uint32_t path = 0; path < paths_.size(); ++path) {
    const std::uint32_t home = home_[paths_[path].demand];
    if (path == home) continue;
    if (row_of_[variable(home)] == kNone) add_row(variable(home), 0.0);
    add_column(path);
  }
  find_values();
  const auto fullest = std::min_element(value_.begin(), value_.begin() + static_cast<std::ptrdiff_t>(link_count_));
  pivot(static_cast<std::size_t>(fullest - value_.begin()), column_of_[kUtilization]);
  return improve();
}

bool PathSimplex::tidy() {
  std::vector<std::vector<std::uint32_t>> kept(home_.size());  // paths by demand, the fullest first
  std::vector<std::size_t> tight;                              // links
  for (std::size_t r = 0; r < basis_.size(); ++r) {
    if (basis_[r] <= link_count_) continue;
    const std::uint32_t path = basis_[r] - variable(0);
    auto& of_demand = kept[paths_[path].demand];
    of_demand.push_back(path);
    if (value_[r] > value_[row_of_[variable(of_demand.front())]]) std::swap(of_demand.front(), of_demand.back());
  }
  for (std::size_t l = 0; l < link_count_; ++l) {
    if (column_of_[1 + l] != kNone) tight.push_back(l);
  }

  PathSimplex fresh = *this;
  fresh.paths_.clear();
  fresh.path_links_.clear();
  std::fill(fresh.home_.begin(), fresh.home_.end(), kNone);
  std::fill(fresh.others_.begin(), fresh.others_.end(), 0);
  fresh.open();
  for (std::size_t demand = 0; demand < home_.size(); ++demand) {
    if (home_[demand] == kNone) continue;
    if (kept[demand].empty()) kept[demand].push_back(home_[demand]);
    fresh.set_home(demand, links_of(paths_[kept[demand].front()]));
    for (std::size_t i = 1; i < kept[demand].size(); ++i) {
      if (fresh.others_[demand]++ == 0) fresh.add_row(fresh.variable(fresh.home_[demand]), 0.0);
      fresh.add_column(fresh.hold(demand, links_of(paths_[kept[demand][i]])));
    }
  }
  if (tight.size() != fresh.nonbasic_.size()) return false;
  for (std::size_t left = tight.size(); left > 0; --left) {
    double largest = kPivotLeast;
    std::size_t row_index = 0, column = 0, place = kNone;
    for (std::size_t i = 0; i < left; ++i) {
      const std::size_t r = fresh.row_of_[1 + tight[i]];
      for (std::size_t c = 0; c < fresh.nonbasic_.size(); ++c) {
        const bool slack = fresh.nonbasic_[c] != kUtilization && fresh.nonbasic_[c] <= link_count_;
        if (slack || !(std::abs(fresh.row(r)[c]) > largest)) continue;
        largest = std::abs(fresh.row(r)[c]);
        row_index = r;
        column = c;
        place = i;
      }
    }
    if (place == kNone) return false;
    fresh.pivot(row_index, column);
    std::swap(tight[place], tight[left - 1]);
  }
  fresh.find_values();
  fresh.note_prices();
  *this = std::move(fresh);
  return true;
}

double PathSimplex::utilization() const { return value_[row_of_[kUtilization]]; }

void PathSimplex::note_prices() {
  const double* reduced = row(row_of_[kUtilization]);
  for (std::size_t l = 0; l < link_count_; ++l) {
    const std::uint32_t c = column_of_[1 + l];
    prices_[l] = c == kNone ? 0.0 : std::max(0.0, -reduced[c]);
  }
}

}  // namespace wan::controller
