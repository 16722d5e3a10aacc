#include "controller/plan_outlook.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/scenario_loads.h"

namespace wan::controller {
namespace {

// By which more important traffic may differ between equally good plans: a part, and a utilisation.
constexpr double kMuchTheSame = 0.03;
constexpr double kMuchTheSameLow = 0.005;
constexpr double kWorthRelieving = 0.005;  // of all traffic
constexpr double kAsGood = 1e-4;           // part of the risk

/// What a plan puts on every link in every scenario, one level of traffic after the other.
class LoadTable {
 public:
  LoadTable(const Topology& topology, const PathPlan& plan, std::span<const TrafficMatrix> scenarios)
      : topology_{topology}, plan_{plan}, scenarios_{scenarios}, load_(topology.link_count() * scenarios.size(), 0.0) {}

  template <typename Belongs>
  void add(const Belongs& belongs) {
    const std::size_t count = scenarios_.size();
    const std::size_t n = topology_.node_count();
    std::vector<double> rate(count);
    for (std::size_t d = 0; d < plan_.demand_count(); ++d) {
      const Demand& demand = plan_.demands()[d];
      if (demand.cls.index() >= scenarios_.front().class_count() || !belongs(demand.cls)) continue;
      const std::size_t entry = (demand.cls.index() * n + demand.from.index()) * n + demand.to.index();
      for (std::size_t k = 0; k < count; ++k) rate[k] = scenarios_[k].bps()[entry];
      for (std::size_t p = 0; p < plan_.path_count(d); ++p) {
        const auto [fraction, links] = plan_.path(d, p);
        for (const LinkId link : links) {
          double* row = load_.data() + link.index() * count;
          for (std::size_t k = 0; k < count; ++k) row[k] += fraction * rate[k];
        }
      }
    }
  }
  /// By scenario.
  [[nodiscard]] std::vector<double> largest_utilizations() const {
    const std::size_t count = scenarios_.size();
    std::vector<double> largest(count, 0.0);
    for (std::size_t l = 0; l < topology_.link_count(); ++l) {
      const Link& link = topology_.links()[l];
      if (!link.up) continue;
      for (std::size_t k = 0; k < count; ++k) {
        largest[k] = std::max(largest[k], load_[l * count + k] / link.capacity.bps());
      }
    }
    return largest;
  }
  /// By scenario: the traffic above the links' capacities, as a part of all.
  [[nodiscard]] std::vector<double> overflows() const {
    const std::size_t count = scenarios_.size();
    std::vector<double> above(count, 0.0);
    for (std::size_t l = 0; l < topology_.link_count(); ++l) {
      const Link& link = topology_.links()[l];
      if (!link.up) continue;
      const double capacity = link.capacity.bps();
      for (std::size_t k = 0; k < count; ++k) above[k] += std::max(0.0, load_[l * count + k] - capacity);
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (above[k] == 0.0) continue;
      const auto bps = scenarios_[k].bps();
      above[k] /= std::accumulate(bps.begin(), bps.end(), 0.0);
    }
    return above;
  }

 private:
  const Topology& topology_;
  const PathPlan& plan_;
  std::span<const TrafficMatrix> scenarios_;
  std::vector<double> load_;  // [link][scenario], bits per second
};

}  // namespace

PlanOutlook outlook_of_plan(const Topology& topology, const PathPlan& plan, std::span<const TrafficMatrix> scenarios,
                            double tail, std::span<const PriorityLevel> levels) {
  if (scenarios.empty()) return {};
  PlanOutlook outlook;
  LoadTable loads{topology, plan, scenarios};
  const auto is_of = [](const PriorityLevel& level, TrafficClass cls) {
    return std::find(level.classes.begin(), level.classes.end(), cls) != level.classes.end();
  };
  const auto above = levels.empty() ? levels : levels.first(levels.size() - 1);
  for (const PriorityLevel& level : above) {
    loads.add([&](TrafficClass cls) { return is_of(level, cls); });
    const double reached = tail_mean(loads.largest_utilizations(), tail);
    outlook.important.push_back(std::max(reached, level.utilization_target.value_or(0.0)));
  }
  loads.add([&](TrafficClass cls) {
    return std::none_of(above.begin(), above.end(), [&](const PriorityLevel& level) { return is_of(level, cls); });
  });
  std::vector<double> largest = loads.largest_utilizations();
  outlook.mean = tail_mean(largest, 1.0);
  outlook.risk = tail_mean(largest, tail);
  outlook.overflow = tail_mean(loads.overflows(), tail);
  std::sort(largest.begin(), largest.end());
  outlook.p95 = largest[static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(largest.size()))) - 1];
  return outlook;
}

bool better_by(double part, const PlanOutlook& one, const PlanOutlook& other) {
  for (std::size_t i = 0; i < std::min(one.important.size(), other.important.size()); ++i) {
    const double worth = std::max(kMuchTheSameLow, kMuchTheSame * std::max(one.important[i], other.important[i]));
    if (one.important[i] < other.important[i] - worth) return true;
    if (other.important[i] < one.important[i] - worth) return false;
  }
  return one.risk < other.risk * (1.0 - part);
}

bool relieves(const PlanOutlook& one, const PlanOutlook& other) {
  return one.overflow < other.overflow - kWorthRelieving && !better_by(kAsGood, other, one);
}

}  // namespace wan::controller
