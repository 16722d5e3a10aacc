#include "core/path_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace wan {

WeightedPath PathPlan::path(std::size_t demand, std::size_t nth) const {
  const std::size_t path = first_path_[demand] + nth;
  return {.fraction = fractions_[path],
          .links = std::span{links_}.subspan(first_link_[path], first_link_[path + 1] - first_link_[path])};
}

std::optional<std::size_t> PathPlan::find(const Demand& demand) const {
  const auto at = std::lower_bound(demands_.begin(), demands_.end(), demand);
  if (at == demands_.end() || *at != demand) return std::nullopt;
  return static_cast<std::size_t>(at - demands_.begin());
}

Result<void> PathPlan::check(const Topology& topology) const {
  std::vector<std::size_t> visited(topology.node_count(), 0);  // stamp of the last path that met the node
  std::size_t stamp = 0;
  for (std::size_t d = 0; d < demands_.size(); ++d) {
    const Demand& demand = demands_[d];
    if (demand.from.index() >= topology.node_count() || demand.to.index() >= topology.node_count()) {
      return fail(ErrorCode::kBadInput, "plan routes a demand of a node that the topology does not have");
    }
    const std::string which =
        "plan for " + topology.node(demand.from).name + " > " + topology.node(demand.to).name + ": ";
    if (demand.from == demand.to) return fail(ErrorCode::kBadInput, which + "source and destination are the same");
    if (d > 0 && demand <= demands_[d - 1]) return fail(ErrorCode::kBadInput, which + "demands are not in order");

    double sum = 0.0;
    for (std::size_t p = 0; p < path_count(d); ++p) {
      const auto [fraction, links] = path(d, p);
      if (!std::isfinite(fraction) || fraction <= 0.0)
        return fail(ErrorCode::kBadInput, which + "fraction not above zero");
      sum += fraction;
      ++stamp;
      NodeId at = demand.from;
      visited[at.index()] = stamp;
      for (const LinkId id : links) {
        if (id.index() >= topology.link_count()) return fail(ErrorCode::kBadInput, which + "a link does not exist");
        const Link& link = topology.link(id);
        if (!link.up) return fail(ErrorCode::kBadInput, which + "link " + link.name + " is down");
        if (link.from != at)
          return fail(ErrorCode::kBadInput, which + "link " + link.name + " does not continue the path");
        at = link.to;
        if (visited[at.index()] == stamp) return fail(ErrorCode::kBadInput, which + "a path meets a node twice");
        visited[at.index()] = stamp;
      }
      if (at != demand.to) return fail(ErrorCode::kBadInput, which + "a path ends before the destination");
    }
    if (std::abs(sum - 1.0) > 1e-9) return fail(ErrorCode::kBadInput, which + "fractions do not sum to 1");
  }
  return {};
}

PathPlanBuilder PathPlanBuilder::keeping_fractions() {
  PathPlanBuilder builder;
  builder.keeps_fractions_ = true;
  return builder;
}

void PathPlanBuilder::reserve(std::size_t demands, std::size_t paths, std::size_t links) {
  plan_.demands_.reserve(demands);
  plan_.first_path_.reserve(demands + 1);
  plan_.fractions_.reserve(paths);
  plan_.first_link_.reserve(paths + 1);
  plan_.links_.reserve(links);
}

void PathPlanBuilder::begin_demand(const Demand& demand) {
  close_demand();
  plan_.demands_.push_back(demand);
}

bool PathPlanBuilder::merge_into_equal_path(double fraction, std::span<const LinkId> links) {
  for (std::size_t path = plan_.first_path_.back(); path < plan_.fractions_.size(); ++path) {
    const auto begin = plan_.links_.begin() + plan_.first_link_[path];
    const auto end = plan_.links_.begin() + plan_.first_link_[path + 1];
    if (std::equal(begin, end, links.begin(), links.end())) {
      plan_.fractions_[path] += fraction;
      return true;
    }
  }
  return false;
}

void PathPlanBuilder::add_path(double fraction, std::span<const LinkId> links) {
  if (!(fraction > 0.0)) return;
  if (!keeps_fractions_ && merge_into_equal_path(fraction, links)) return;
  plan_.fractions_.push_back(fraction);
  plan_.links_.insert(plan_.links_.end(), links.begin(), links.end());
  plan_.first_link_.push_back(static_cast<std::uint32_t>(plan_.links_.size()));
}

void PathPlanBuilder::close_demand() {
  if (plan_.demands_.size() + 1 == plan_.first_path_.size()) return;  // nothing open
  const std::size_t first = plan_.first_path_.back();
  if (first == plan_.fractions_.size()) {
    plan_.demands_.pop_back();
    return;
  }
  if (!keeps_fractions_) {
    double sum = 0.0;
    for (std::size_t path = first; path < plan_.fractions_.size(); ++path) sum += plan_.fractions_[path];
    for (std::size_t path = first; path < plan_.fractions_.size(); ++path) plan_.fractions_[path] /= sum;
  }
  plan_.first_path_.push_back(static_cast<std::uint32_t>(plan_.fractions_.size()));
}

PathPlan PathPlanBuilder::build() && {
  close_demand();
  return std::move(plan_);
}

double Certificate::gap() const {
  if (lower_bound > 0.0) return (utilization - lower_bound) / lower_bound;
  return utilization > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
}

}  // namespace wan
