#include "controller/depth_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

using Row = SplitRows::Row;

/// What a path of the fastest kind costs under a rule: its delay; infinite over links that are avoided.
std::vector<double> delays_of(const Topology& topology, const PathRule& rule) {
  std::vector<double> cost = delay_costs(topology);
  for (const LinkId link : rule.avoid) cost[link.index()] = std::numeric_limits<double>::infinity();
  return cost;
}

/// The fastest path from the last run's source, under costs that are delays. False: none is within the bound.
bool fastest_path(PathFinder& finder, NodeId to, std::vector<std::uint32_t>& path) {
  return std::isfinite(finder.cost(to)) && finder.path_to(to, path);
}

class DepthFit {
 public:
  DepthFit(const Topology& topology, SplitRows& rows, PathFinder& finder, SplitDescent& descent,
           const std::vector<std::string>& class_names)
      : topology_{topology}, rows_{rows}, finder_{finder}, descent_{descent}, class_names_{class_names} {}

  Result<void> run() {
    for (std::uint32_t g = 0; g < rows_.groups().size(); ++g) {
      if (auto fitted = fit(g); !fitted) return fitted;
    }
    return {};
  }

 private:
  Result<void> fit(std::uint32_t number);
  bool find_path(const RowGroup& group, const Row& row);
  [[nodiscard]] bool exists_within(std::size_t depth, std::uint32_t number) const;
  [[nodiscard]] std::size_t depth_needed() const;
  [[nodiscard]] tl::unexpected<Error> refuse(std::size_t row) const;

  const Topology& topology_;
  SplitRows& rows_;
  PathFinder& finder_;
  SplitDescent& descent_;
  const std::vector<std::string>& class_names_;
  std::vector<std::uint32_t> path_;
};

Result<void> DepthFit::fit(std::uint32_t number) {
  const RowGroup& group = rows_.groups()[number];
  finder_.set_latency_max(group.rule.latency_max);
  finder_.set_costs(descent_.costs(group));
  for (std::size_t r = 0; r < rows_.rows().size(); ++r) {
    Row& row = rows_.rows()[r];
    if (row.group != number) continue;
    std::vector<bool> kept;
    for (const SplitRows::Choice& choice : row.choices) kept.push_back(finder_.within_depth(rows_.links(choice)));
    if (std::find(kept.begin(), kept.end(), true) == kept.end()) {
      if (group.fixed || !find_path(group, row)) return refuse(r);
      rows_.add(row, path_);
      kept.push_back(true);
    }
    // In the end those that fit hold all of the demand, whichever a share goes to on the way.
    for (std::size_t p = kept.size(); p-- > 0;) {
      if (!kept[p]) descent_.give_up(row, p);
    }
  }
  return {};
}

bool DepthFit::find_path(const RowGroup& group, const Row& row) {
  finder_.run(row.from);
  if (!std::isfinite(finder_.cost(row.to))) return false;
  if (finder_.path_to(row.to, path_)) return true;
  const std::vector<double> delays = delays_of(topology_, group.rule);
  finder_.set_costs(delays);
  finder_.run(row.from);
  const bool found = fastest_path(finder_, row.to, path_);
  finder_.set_costs(descent_.costs(group));
  return found;
}

/// Whether every row of a group has a path that so many segments describe.
bool DepthFit::exists_within(std::size_t depth, std::uint32_t number) const {
  const RowGroup& group = rows_.groups()[number];
  PathFinder finder{topology_, depth};
  finder.set_latency_max(group.rule.latency_max);
  const std::vector<double> delays = delays_of(topology_, group.rule);
  finder.set_costs(delays);
  std::vector<std::uint32_t> path;
  return std::ranges::all_of(rows_.rows(), [&](const Row& row) {
    if (row.group != number) return true;
    if (group.fixed) return finder.within_depth(rows_.links(row.choices.front()));
    finder.run(row.from);
    return fastest_path(finder, row.to, path);
  });
}

/// Of all demands; a bound on what a network of so many nodes can need stops it.
std::size_t DepthFit::depth_needed() const {
  std::size_t depth = *finder_.depth();
  for (std::uint32_t g = 0; g < rows_.groups().size(); ++g) {
    while (depth < topology_.node_count() && !exists_within(depth, g)) ++depth;
  }
  return depth;
}

tl::unexpected<Error> DepthFit::refuse(std::size_t row) const {
  const auto segments = [](std::size_t count) {
    return std::to_string(count) + (count == 1 ? " segment" : " segments");
  };
  const Demand& demand = rows_.first_demand(row);
  const RowGroup& group = rows_.group(rows_.rows()[row]);
  std::string who = topology_.node(demand.from).name + " to " + topology_.node(demand.to).name;
  if (demand.cls.index() < class_names_.size()) who += " (" + class_names_[demand.cls.index()] + ")";
  if (!group.fixed && !group.rule.empty()) who += " within its class's rule";
  if (rows_.rows()[row].rate_bps <= 0.0) who += ", which has no traffic now,";
  const std::string what = group.fixed ? "the one path that pins and rules leave from " : "no path from ";
  return fail(ErrorCode::kUnsupported,
              what + who + (group.fixed ? " cannot be described by " : " can be described by ") +
                  segments(*finder_.depth()) + "; all demands can by " + segments(depth_needed()));
}

}  // namespace

Result<void> fit_to_depth(const Topology& topology, SplitRows& rows, PathFinder& finder, SplitDescent& descent,
                          const std::vector<std::string>& class_names) {
  return DepthFit{topology, rows, finder, descent, class_names}.run();
}

}  // namespace wan::controller
