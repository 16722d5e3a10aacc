#include "controller/split_rows.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace wan::controller {

SplitRows::SplitRows(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand, DemandGroups groups)
    : groups_{std::move(groups)}, demands_{plan.demands().begin(), plan.demands().end()} {
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  const std::size_t n = topology.node_count();
  // By group and pair: their newest row.
  std::vector<std::uint32_t> newest(groups_.merged ? groups_.groups.size() * n * n : 0, kNone);
  row_of_.reserve(demands_.size());
  for (std::size_t d = 0; d < demands_.size(); ++d) {
    const Demand& each = demands_[d];
    const bool measured = each.cls.index() < demand.class_count();
    const double rate = measured ? demand.at(each.cls, each.from, each.to).bps() : 0.0;
    const std::uint32_t group = groups_.of_demand.empty() ? 0 : groups_.of_demand[d];
    const std::size_t place = (group * n + each.from.index()) * n + each.to.index();
    std::uint32_t row = groups_.merged ? newest[place] : kNone;
    if (row == kNone || !same_split(rows_[row], plan, d)) {
      row = static_cast<std::uint32_t>(rows_.size());
      if (groups_.merged) newest[place] = row;
      rows_.push_back({.from = each.from, .to = each.to, .group = group, .level = groups_.groups[group].level});
      rows_.back().choices.reserve(plan.path_count(d));
      for (std::size_t p = 0; p < plan.path_count(d); ++p) {
        const auto [fraction, path] = plan.path(d, p);
        rows_.back().choices.push_back({.first = static_cast<std::uint32_t>(links_.size()),
                                        .count = static_cast<std::uint32_t>(path.size()),
                                        .share = fraction});
        for (const LinkId link : path) links_.push_back(static_cast<std::uint32_t>(link.index()));
      }
    }
    rows_[row].rate_bps += rate;
    row_of_.push_back(row);
  }
}

bool SplitRows::same_split(const Row& row, const PathPlan& plan, std::size_t demand) const {
  if (row.choices.size() != plan.path_count(demand)) return false;
  for (std::size_t p = 0; p < row.choices.size(); ++p) {
    const auto [fraction, path] = plan.path(demand, p);
    const auto ours = links(row.choices[p]);
    if (fraction != row.choices[p].share || !std::equal(ours.begin(), ours.end(), path.begin(), path.end(),
                                                        [](std::uint32_t a, LinkId b) { return a == b.index(); })) {
      return false;
    }
  }
  return true;
}

void SplitRows::add(Row& row, std::span<const std::uint32_t> path) {
  row.choices.push_back({.first = static_cast<std::uint32_t>(links_.size()),
                         .count = static_cast<std::uint32_t>(path.size()),
                         .share = 0.0});
  links_.insert(links_.end(), path.begin(), path.end());
}

bool SplitRows::has(const Row& row, std::span<const std::uint32_t> path) const {
  return std::any_of(row.choices.begin(), row.choices.end(), [&](const Choice& choice) {
    const auto ours = links(choice);
    return std::equal(ours.begin(), ours.end(), path.begin(), path.end());
  });
}

const Demand& SplitRows::first_demand(std::size_t row) const {
  return demands_[static_cast<std::size_t>(std::find(row_of_.begin(), row_of_.end(), row) - row_of_.begin())];
}

std::vector<double> SplitRows::loads_bps(std::size_t link_count, std::size_t level_count) const {
  std::vector<double> load(level_count * link_count, 0.0);
  for (const Row& row : rows_) {
    if (row.rate_bps <= 0.0) continue;
    double* of_level = load.data() + row.level * link_count;
    for (const Choice& choice : row.choices) {
      for (const std::uint32_t link : links(choice)) of_level[link] += row.rate_bps * choice.share;
    }
  }
  for (std::size_t entry = link_count; entry < load.size(); ++entry) load[entry] += load[entry - link_count];
  return load;
}

PathPlan SplitRows::to_plan() const {
  PathPlanBuilder builder;
  std::vector<LinkId> path;
  for (std::size_t d = 0; d < demands_.size(); ++d) {
    builder.begin_demand(demands_[d]);
    for (const Choice& choice : rows_[row_of_[d]].choices) {
      path.clear();
      for (const std::uint32_t link : links(choice)) path.emplace_back(link);
      builder.add_path(choice.share, path);
    }
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
