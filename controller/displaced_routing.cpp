#include "controller/displaced_routing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "controller/tree_search.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr int kBoundEvery = 3;          // sweeps between two bounds
constexpr double kFirstSharpness = 12;  // eta x utilisation in the first sweep
constexpr double kSharpening = 1.35;    // of eta, once a sweep gains little at the last one
constexpr int kMovesMax = 4;            // of one source in one sweep
constexpr int kNewtonSteps = 10;
constexpr double kStepTolerance = 1e-3;
constexpr double kPriceTolerance = 1e-6;
constexpr double kShareMin = 1e-7;

/// All displaced traffic of a source along one tree, as utilisation of the links that it takes.
struct Column {
  double share = 0.0;
  std::vector<std::uint32_t> links;
  std::vector<double> utilization;
  std::vector<std::uint32_t> parent_link;
};

class DisplacedSolver {
 public:
  DisplacedSolver(const Topology& topology, std::span<const DisplacedSource> displaced,
                  std::span<const double> fixed_bps, const DisplacedOptions& options)
      : topology_{topology}, displaced_{displaced}, options_{options}, graph_{topology}, search_{graph_} {
    const std::size_t links = topology.link_count();
    fixed_.assign(links, 0.0);
    inverse_capacity_.assign(links, 0.0);
    for (std::size_t l = 0; l < links; ++l) {
      if (!topology.links()[l].up) continue;
      inverse_capacity_[l] = 1.0 / topology.links()[l].capacity.bps();
      fixed_[l] = fixed_bps[l] * inverse_capacity_[l];
    }
    load_ = fixed_;
    weight_.assign(links, 0.0);
    cost_.assign(links, 0.0);
    averaged_.assign(links, 0.0);
    change_.assign(links, 0.0);
    columns_.resize(displaced.size());
  }

  DisplacedRouting solve() {
    double bound = highest(fixed_);
    route_by_capacity();
    int sweep = 0;
    double sharpness = kFirstSharpness;
    const double sharpest = 4.0 * std::log(static_cast<double>(load_.size()) + 2.0) / std::max(options_.gap, 1e-5);
    while (!good_enough(bound) && sweep < options_.sweeps_max) {
      peak_ = highest(load_);
      eta_ = sharpness / peak_;
      const double before = soft_maximum();
      for (std::size_t s = 0; s < displaced_.size(); ++s) {
        for (int i = 0; i < kMovesMax && improve(s); ++i) {
        }
      }
      reload();
      price_links();
      average_prices();
      if (++sweep % kBoundEvery == 0) bound = std::max({bound, bound_of(averaged_), bound_of(weight_)});
      if (before - soft_maximum() <= 0.1 * options_.gap * peak_)
        sharpness = std::min(sharpness * kSharpening, sharpest);
    }
    return result(bound, sweep);
  }

 private:
  static double highest(std::span<const double> values) {
    return values.empty() ? 0.0 : *std::max_element(values.begin(), values.end());
  }
  [[nodiscard]] bool good_enough(double bound) const { return highest(load_) <= bound * (1.0 + options_.gap); }

  /// To begin with: the ways that cost least when idle links are cheap and busy ones dear.
  void route_by_capacity() {
    const double busiest = std::max(highest(fixed_), 1e-300);
    for (std::size_t l = 0; l < load_.size(); ++l) {
      cost_[l] = inverse_capacity_[l] * std::exp(std::min(4.0 * fixed_[l] / busiest, 4.0));
    }
    for (std::size_t s = 0; s < displaced_.size(); ++s) {
      columns_[s].push_back(cheapest_column(s));
      columns_[s].front().share = 1.0;
      add(columns_[s].front(), 1.0);
    }
  }

  /// Along the tree that `search_` finds under `cost_`.
  Column cheapest_column(std::size_t s) {
    search_.run(displaced_[s].source.index(), cost_);
    Column column;
    column.parent_link = search_.parent_link();
    by_node_ = displaced_[s].bps_to;
    for (std::size_t n = 0; n < by_node_.size(); ++n) {
      if (!std::isfinite(search_.cost()[n])) by_node_[n] = 0.0;
    }
    search_.accumulate(by_node_);
    for (std::size_t n = 0; n < by_node_.size(); ++n) {
      // What enters a node: its own traffic and what goes on from there, both summed up by `accumulate`.
      if (column.parent_link[n] == ShortestPathTree::kNoLink || by_node_[n] <= 0.0) continue;
      column.links.push_back(column.parent_link[n]);
      column.utilization.push_back(by_node_[n] * inverse_capacity_[column.parent_link[n]]);
    }
    return column;
  }

  void add(const Column& column, double share) {
    for (std::size_t i = 0; i < column.links.size(); ++i) load_[column.links[i]] += share * column.utilization[i];
  }

  /// Without what rounding left behind.
  void reload() {
    load_ = fixed_;
    for (auto& of_source : columns_) {
      std::erase_if(of_source, [](const Column& column) { return column.share <= 0.0; });
      for (const Column& column : of_source) add(column, column.share);
    }
  }

  [[nodiscard]] double soft_maximum() const {
    const double top = highest(load_);
    double sum = 0.0;
    for (const double u : load_) sum += std::exp(eta_ * (u - top));
    return top + std::log(sum) / eta_;
  }

  /// weight: exp(eta (u - highest u)); cost: by unit of traffic.
  void price_links() {
    const double top = highest(load_);
    for (std::size_t l = 0; l < load_.size(); ++l) {
      weight_[l] = inverse_capacity_[l] > 0.0 ? std::exp(eta_ * (load_[l] - top)) : 0.0;
      cost_[l] = weight_[l] * inverse_capacity_[l];
    }
  }

  void average_prices() {
    double sum = 0.0;
    for (const double w : weight_) sum += w;
    for (std::size_t l = 0; l < weight_.size(); ++l) averaged_[l] = 0.8 * averaged_[l] + 0.2 * weight_[l] / sum;
  }

  [[nodiscard]] double price_of(const Column& column) const {
    double price = 0.0;
    for (std::size_t i = 0; i < column.links.size(); ++i) price += weight_[column.links[i]] * column.utilization[i];
    return price;
  }

  /// False when nothing is to be gained.
  bool improve(std::size_t s) {
    price_links();
    auto& columns = columns_[s];
    Column candidate = cheapest_column(s);
    std::size_t cheapest = 0, dearest = 0;
    double low = std::numeric_limits<double>::infinity(), high = -1.0;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const double price = price_of(columns[k]);
      if (price < low) low = price, cheapest = k;
      if (columns[k].share > 0.0 && price > high) high = price, dearest = k;
    }
    const double best = price_of(candidate);
    if (high - std::min(best, low) <= kPriceTolerance * high) return false;
    if (best < low * (1.0 - kPriceTolerance)) {
      cheapest = columns.size();
      columns.push_back(std::move(candidate));
    }
    move(columns[dearest], columns[cheapest]);
    return true;
  }

  void move(Column& from, Column& to) {
    touched_.clear();
    const auto touch = [&](const Column& column, double sign) {
      for (std::size_t i = 0; i < column.links.size(); ++i) {
        if (change_[column.links[i]] == 0.0) touched_.push_back(column.links[i]);
        change_[column.links[i]] += sign * column.utilization[i];
      }
    };
    touch(to, 1.0);
    touch(from, -1.0);
    const double step = best_step(from.share);
    for (const std::uint32_t link : touched_) {
      load_[link] += step * change_[link];
      change_[link] = 0.0;
    }
    to.share += step;
    from.share -= step;
    if (from.share < kShareMin) {  // a rest too small to keep
      to.share += from.share;
      from.share = 0.0;
    }
  }

  /// The step in [0, most] that minimises the soft maximum: where what the move adds is worth what it relieves.
  ///
  /// Newton's method on the logarithm of their ratio, which is nearly linear however sharp the maximum is.
  [[nodiscard]] double best_step(double most) const {
    double least = 0.0, step = most;
    for (int i = 0; i < kNewtonSteps; ++i) {
      const auto [value, slope] = balance_at(step);
      if (value <= 0.0) {
        if (step >= most) return step;
        least = step;
      } else {
        most = step;
      }
      const double newton = step - value / slope;
      const double next = newton > least && newton < most ? newton : 0.5 * (least + most);
      if (std::abs(next - step) <= kStepTolerance * most) return next;
      step = next;
    }
    return least;
  }

  struct Balance {
    double value;  ///< ln(price of what is added / price of what is relieved): below 0 it pays to go on
    double slope;
  };
  [[nodiscard]] Balance balance_at(double step) const {
    double top = -std::numeric_limits<double>::infinity();
    for (const std::uint32_t link : touched_) top = std::max(top, load_[link] + step * change_[link]);
    double added = 1e-300, added_slope = 0.0, relieved = 1e-300, relieved_slope = 0.0;
    for (const std::uint32_t link : touched_) {
      const double change = change_[link];
      const double price = std::exp(std::max(-600.0, eta_ * (load_[link] + step * change - top))) * change;
      (change > 0.0 ? added : relieved) += std::abs(price);
      (change > 0.0 ? added_slope : relieved_slope) += std::abs(price * change);
    }
    return {std::log(added / relieved), eta_ * (added_slope / added + relieved_slope / relieved) + 1e-300};
  }

  /// @param price  by link, of utilisation
  [[nodiscard]] double bound_of(std::span<const double> price) {
    double worth = 0.0, paid = 0.0;
    for (std::size_t l = 0; l < price.size(); ++l) {
      worth += price[l];
      paid += price[l] * fixed_[l];
      cost_[l] = price[l] * inverse_capacity_[l];
    }
    if (worth <= 0.0) return 0.0;
    for (const DisplacedSource& of : displaced_) {
      search_.run(of.source.index(), cost_);
      for (std::size_t n = 0; n < of.bps_to.size(); ++n) {
        if (of.bps_to[n] > 0.0 && std::isfinite(search_.cost()[n])) paid += of.bps_to[n] * search_.cost()[n];
      }
    }
    return paid / worth;
  }

  DisplacedRouting result(double bound, int sweeps) {
    reload();
    DisplacedRouting routing;
    for (auto& of_source : columns_) {
      auto& trees = routing.trees.emplace_back();
      for (Column& column : of_source) trees.push_back({column.share, std::move(column.parent_link)});
    }
    routing.utilization = highest(load_);
    routing.lower_bound = std::min(bound, routing.utilization);
    routing.sweeps = sweeps;
    return routing;
  }

  const Topology& topology_;
  std::span<const DisplacedSource> displaced_;
  DisplacedOptions options_;
  TreeSearchGraph graph_;
  TreeSearch search_;
  double eta_ = 1.0, peak_ = 0.0;
  std::vector<double> fixed_, load_, inverse_capacity_;  // by link; the first two are utilisations
  std::vector<double> weight_, cost_, averaged_;         // by link
  std::vector<double> change_;                           // by link; zero between moves
  std::vector<std::uint32_t> touched_;
  std::vector<double> by_node_;
  std::vector<std::vector<Column>> columns_;  // by source
};

}  // namespace

DisplacedRouting route_displaced(const Topology& topology, std::span<const DisplacedSource> displaced,
                                 std::span<const double> fixed_bps, const DisplacedOptions& options) {
  assert(fixed_bps.size() == topology.link_count());
  return DisplacedSolver{topology, displaced, fixed_bps, options}.solve();
}

}  // namespace wan::controller
