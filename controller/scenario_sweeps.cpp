#include "controller/scenario_planner_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace wan::controller {
namespace {

constexpr double kWorthAMove = 0.1;       // part of what a sweep must gain that a move must be able to
constexpr int kRestMax = 7;               // sweeps that pass over a demand that had nothing to move, again and again
constexpr double kDelayInOverload = 0.1;  // of its weight: what is not lost may go a longer way

}  // namespace

ScenarioLoads ScenarioPlanner::Impl::make_loads(std::size_t count, std::span<const LevelLimit> limits,
                                                double blunt) const {
  ScenarioLoads loads{topology.link_count(), count, options.tail, limits.size(), blunt};
  for (std::size_t l = 0; l < loads.links; ++l) {
    const Link& link = topology.links()[l];
    loads.inverse_capacity[l] = link.up ? 1.0 / link.capacity.bps() : 0.0;
  }
  return loads;
}

void ScenarioPlanner::Impl::set_rates(std::span<const TrafficMatrix> scenarios, std::span<const LevelLimit> limits,
                                      std::size_t level) {
  scenario_count = scenarios.size();
  rate_stride = ScenarioLoads::padded(scenario_count + 1);
  rate.assign(demands.size() * rate_stride, 0.0);
  active.assign(demands.size(), false);
  for (std::size_t k = 0; k < scenarios.size(); ++k) {
    for (std::size_t c = 0; c < scenarios[k].class_count(); ++c) {
      const std::size_t first = ruled.row_of(TrafficClass{c}) * ruled.pair_count;
      for (std::size_t pair = 0; pair < ruled.pair_count; ++pair) {
        const std::size_t d = ruled.demand_of[first + pair];
        const double bps = scenarios[k].at(TrafficClass{c}, demands[d].demand.from, demands[d].demand.to).bps();
        if (bps <= 0.0 || ruled.demands[d].level > level) continue;
        rate[d * rate_stride + k] += bps;
        active[d] = true;
      }
    }
  }
  for (std::size_t d = 0; d < demands.size(); ++d) {
    const auto its = std::span{rate}.subspan(d * rate_stride, scenario_count);
    rate[d * rate_stride + scenario_count] =
        ScenarioLoads::kBluntScale * std::accumulate(its.begin(), its.end(), 0.0) / static_cast<double>(scenario_count);
  }
  groups.clear();
  for (const LevelLimit& limit : limits) groups.push_back({.level = limit.level, .scale = 1.0});
  rate_with_groups.assign(ScenarioLoads::padded(scenario_count * (groups.size() + 1) + 1), 0.0);
}

std::span<const double> ScenarioPlanner::Impl::rate_of(std::size_t d) {
  const auto its = std::span{rate}.subspan(d * rate_stride, rate_stride);
  if (groups.empty()) return its;
  double* out = std::copy_n(its.begin(), scenario_count, rate_with_groups.data());
  for (const LimitedGroup& group : groups) {
    const double scale = ruled.demands[d].level <= group.level ? group.scale : 0.0;
    out = std::transform(its.begin(), its.begin() + static_cast<std::ptrdiff_t>(scenario_count), out,
                         [scale](double bps) { return scale * bps; });
  }
  *out = its[scenario_count];
  return rate_with_groups;
}

void ScenarioPlanner::Impl::scale_limits(ScenarioLoads& loads, std::span<const LevelLimit> limits) {
  const double utilization = loads.risk_utilization();
  for (std::size_t g = 0; g < limits.size(); ++g) {
    const std::vector<double>& limit = limits[g].utilization;
    const double mean = std::accumulate(limit.begin(), limit.end(), 0.0) / static_cast<double>(limit.size());
    const double scale = mean > 0.0 ? utilization / mean : 1.0;
    groups[g].scale = scale;
    const std::size_t first = (g + 1) * loads.scenarios;
    for (std::size_t k = 0; k < limit.size(); ++k) loads.limit[first - loads.scenarios + k] = scale * limit[k];
    for (std::size_t row = 0; row < loads.links; ++row) {
      double* its = loads.utilization.data() + row * loads.stride + first;
      std::transform(its, its + loads.scenarios, its, [scale](double value) { return scale * value; });
    }
  }
}

void ScenarioPlanner::Impl::load_links(ScenarioLoads& loads) {
  std::fill(loads.utilization.begin(), loads.utilization.end(), 0.0);
  const std::size_t stride = loads.stride;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    const CandidatePaths& candidates = demands[d];
    const auto bps = rate_of(d);
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      if (candidates.share[p] == 0.0) continue;
      for (const std::uint32_t link : candidates.path(p)) {
        const double factor = candidates.share[p] * loads.inverse_capacity[link];
        double* row = loads.utilization.data() + link * stride;
        for (std::size_t k = 0; k < stride; ++k) row[k] += factor * bps[k];
      }
    }
  }
}

/// A path's delay costs its mean rate x delay, in units in which all demands on their shortest paths cost
/// `delay_weight` x utilisation; a demand's change costs its part of all traffic x `change_price`.
void ScenarioPlanner::Impl::price_paths(double utilization, double change_price) {
  std::vector<double> mean(demands.size(), 0.0);
  double shortest = 0.0;
  double total = 0.0;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    for (std::size_t k = 0; k < scenario_count; ++k) mean[d] += rate[d * rate_stride + k];
    shortest += mean[d] * shortest_delay[d];
    total += mean[d];
  }
  const double delay_weight = options.delay_weight * (utilization > 1.0 ? kDelayInOverload : 1.0);
  const double delay_unit = shortest > 0.0 ? delay_weight * utilization / shortest : 0.0;
  const double change_unit = total > 0.0 ? change_price / total : 0.0;
  for (std::size_t d = 0; d < demands.size(); ++d) {
    CandidatePaths& candidates = demands[d];
    candidates.change_price = change_unit * mean[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      candidates.delay_price[p] = delay_unit * mean[d] * candidates.delay[p];
    }
  }
}

double ScenarioPlanner::Impl::cost(const ScenarioLoads& loads) const {
  double value = loads.soft_utilization();
  for (std::size_t d = 0; d < demands.size(); ++d) {
    if (!active[d]) continue;
    const CandidatePaths& candidates = demands[d];
    for (std::size_t p = 0; p < candidates.size(); ++p) value += candidates.share[p] * candidates.delay_price[p];
  }
  return value;
}

double ScenarioPlanner::Impl::cost_of_change() const {
  double value = 0.0;
  for (const CandidatePaths& candidates : demands) {
    double moved = 0.0;
    for (std::size_t p = 0; p < candidates.size(); ++p) {
      moved += 0.5 * std::abs(candidates.share[p] - candidates.anchor[p]);
    }
    value += moved * candidates.change_price;
  }
  return value;
}

/// Nine of ten visits find nothing to move: a demand rests after such a visit, twice as long each time. Only a sweep
/// over all demands may find that nothing is left to win.
int ScenarioPlanner::Impl::sweep_until_settled(ScenarioLoads& loads, int sweeps_max) {
  double before = cost(loads) + cost_of_change();
  const double gain_min = kWorthAMove * options.tolerance * before;
  rests.assign(demands.size(), {});
  bool whole = true;
  for (int sweep = 1; sweep <= sweeps_max; ++sweep) {
    bool skipped = false;
    for (std::size_t d = 0; d < demands.size(); ++d) {
      if (!active[d] || ruled.demands[d].fixed) continue;
      Rest& rest = rests[d];
      if (!whole && rest.left > 0) {
        --rest.left;
        skipped = true;
        continue;
      }
      CandidatePaths& candidates = demands[d];
      const SplitView view{.rate = rate_of(d),
                           .first = candidates.first,
                           .links = candidates.links,
                           .delay_price = candidates.delay_price,
                           .share = candidates.share,
                           .anchor = candidates.anchor,
                           .change_price = candidates.change_price,
                           .gain_min = gain_min};
      const bool moved = improve_split(loads, view, scratch) > 0.0;
      rest.length = moved ? 0 : std::min(kRestMax, 2 * rest.length + 1);
      rest.left = rest.length;
    }
    loads.refresh();
    const double after = cost(loads) + cost_of_change();
    const bool settled = before - after < options.tolerance * after;
    if (settled && !skipped) return sweep;
    whole = settled;
    before = after;
  }
  return sweeps_max;
}

}  // namespace wan::controller
