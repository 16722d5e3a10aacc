#include "controller/policy_paths.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

struct Path {
  double fraction = 0.0;
  std::vector<LinkId> links;
};

Duration delay_of(const Topology& topology, std::span<const LinkId> links) {
  Duration total{0};
  for (const LinkId link : links) total += topology.link(link).delay;
  return total;
}

bool all_up(const Topology& topology, std::span<const LinkId> links) {
  return std::all_of(links.begin(), links.end(), [&](LinkId link) { return topology.link(link).up; });
}

bool crosses(std::span<const LinkId> links, std::span<const LinkId> avoided) {
  return std::any_of(links.begin(), links.end(),
                     [&](LinkId link) { return std::binary_search(avoided.begin(), avoided.end(), link); });
}

const Pin* pin_of(const PolicySet& policies, const Demand& demand, const Topology& topology) {
  for (const Pin& pin : policies.pins) {
    if (pin.from == demand.from && pin.to == demand.to && (!pin.cls || *pin.cls == demand.cls) &&
        all_up(topology, pin.links)) {
      return &pin;
    }
  }
  return nullptr;
}

std::optional<std::vector<LinkId>> least_delay_path(const Topology& topology, const Demand& demand,
                                                    std::span<const LinkId> avoided) {
  constexpr double kHop = 1e-9;  // among equal delays, fewer hops
  std::vector<double> cost = delay_costs(topology);
  for (double& entry : cost) entry += kHop;
  Topology without = topology;
  if (!avoided.empty()) {
    std::vector<LinkId> down{avoided.begin(), avoided.end()};
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      if (!topology.links()[l].up) down.push_back(LinkId{l});
    }
    without = topology.with_links_down(down);
  }
  const ShortestPathTree tree = shortest_path_tree(without, demand.from, cost);
  if (!tree.reaches(demand.to)) return std::nullopt;
  return tree.path_to(without, demand.to);
}

std::vector<Path> paths_of(const PathPlan& plan, std::size_t demand) {
  std::vector<Path> paths;
  for (std::size_t p = 0; p < plan.path_count(demand); ++p) {
    const WeightedPath path = plan.path(demand, p);
    paths.push_back({.fraction = path.fraction, .links = {path.links.begin(), path.links.end()}});
  }
  return paths;
}

/// The paths that a class may use out of these; a single other one where none may be.
std::vector<Path> wanted_paths(const Topology& topology, const ClassPolicy& cls, const Demand& demand,
                               const std::vector<Path>& paths) {
  const auto too_long = [&](const std::vector<LinkId>& links) {
    return cls.latency_max && delay_of(topology, links) > *cls.latency_max;
  };
  std::vector<Path> kept;
  for (const Path& path : paths) {
    if (!crosses(path.links, cls.avoid) && !too_long(path.links)) kept.push_back(path);
  }
  if (!kept.empty()) return kept;
  auto other = least_delay_path(topology, demand, cls.avoid);
  if (!other) other = least_delay_path(topology, demand, {});
  if (!other) return paths;
  return {{.fraction = 1.0, .links = *std::move(other)}};
}

bool same_paths(const std::vector<Path>& a, const std::vector<Path>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const Path& x, const Path& y) { return x.links == y.links; });
}

}  // namespace

PathPlan follow_policies(const Topology& topology, const PolicySet& policies, const PathPlan& plan) {
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    std::vector<Path> paths = paths_of(plan, d);
    std::vector<Path> wanted = paths;
    if (const Pin* pin = pin_of(policies, demand, topology)) {
      wanted = {{.fraction = 1.0, .links = pin->links}};
    } else if (demand.cls.index() < policies.classes.size()) {
      const ClassPolicy& cls = policies.classes[demand.cls.index()];
      if (cls.latency_max || !cls.avoid.empty()) wanted = wanted_paths(topology, cls, demand, paths);
    }
    if (!same_paths(wanted, paths)) {
      double sum = 0.0;
      for (const Path& path : wanted) sum += path.fraction;
      for (Path& path : wanted) path.fraction /= sum;
      paths = std::move(wanted);
    }
    builder.begin_demand(demand);
    for (const Path& path : paths) builder.add_path(path.fraction, path.links);
  }
  return std::move(builder).build();
}

PathPlan with_class_count(const PathPlan& plan, std::size_t class_count) {
  PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
  const auto copy = [&](const Demand& as, std::size_t from) {
    builder.begin_demand(as);
    for (const Path& path : paths_of(plan, from)) builder.add_path(path.fraction, path.links);
  };
  std::size_t classes_there = 0;
  for (const Demand& demand : plan.demands()) classes_there = std::max(classes_there, demand.cls.index() + 1);
  for (std::size_t cls = 0; cls < class_count; ++cls) {
    const std::size_t source = cls < classes_there ? cls : 0;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      const Demand& demand = plan.demands()[d];
      if (demand.cls.index() == source) copy({.cls = TrafficClass{cls}, .from = demand.from, .to = demand.to}, d);
    }
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
