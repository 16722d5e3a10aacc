#include "controller/protection_planner.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "controller/displaced_routing.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
// Backups of a smaller part of a demand are not worth a path that must be stored, if leaving them out costs little.
constexpr std::array kFractionsMin{3e-2, 5e-3, 0.0};
constexpr double kPruningCost = 5e-3;  // of the utilisation

bool alive(const Topology& topology, std::span<const LinkId> path) {
  return std::all_of(path.begin(), path.end(), [&](LinkId link) { return topology.link(link).up; });
}

/// The tree of each source when it is first asked for.
class LeastDelayWays {
 public:
  explicit LeastDelayWays(const Topology& topology)
      : topology_{topology}, delay_{delay_costs(topology)}, trees_(topology.node_count()) {}

  const ShortestPathTree& from(NodeId source) {
    auto& tree = trees_[source.index()];
    if (!tree) tree = shortest_path_tree(topology_, source, delay_);
    return *tree;
  }

 private:
  const Topology& topology_;
  std::vector<double> delay_;
  std::vector<std::optional<ShortestPathTree>> trees_;
};

std::vector<LinkId> path_in(const Topology& topology, const DisplacedTree& tree, NodeId to) {
  std::vector<LinkId> links;
  for (NodeId at = to; tree.parent_link[at.index()] != ShortestPathTree::kNoLink;) {
    links.push_back(LinkId{tree.parent_link[at.index()]});
    at = topology.link(links.back()).from;
  }
  std::reverse(links.begin(), links.end());
  return links;
}

void add_load(std::vector<double>& load_bps, const WeightedPath& path, double bps) {
  for (const LinkId link : path.links) load_bps[link.index()] += bps * path.fraction;
}

}  // namespace

/// A demand that crosses what failed.
struct ProtectionPlanner::Broken {
  std::size_t demand;     ///< of the base plan
  double share;           ///< of it that crosses
  bool connected;         ///< whether any way is left
  std::size_t displaced;  ///< place of its source among the displaced ones; kNone without traffic
};

/// What a failure sets in motion.
struct ProtectionPlanner::Displacement {
  std::vector<Broken> broken;            ///< in the base plan's order
  std::vector<DisplacedSource> sources;  ///< what of them needs another way
  std::vector<double> others_bps;        ///< by link: demands that do not cross what failed
  std::vector<double> fixed_bps;         ///< by link: everything that stays where it is
  double moved_bps;
};

ProtectionPlanner::ProtectionPlanner(const Topology& topology, const TrafficMatrix& demand, PathPlan base,
                                     const ProtectionOptions& options)
    : topology_{topology},
      demand_{demand},
      base_{std::move(base)},
      options_{options},
      first_crossing_(topology.link_count() + 1, 0) {
  // Twice over the plan: count, then fill. A demand counts once a link, whatever its paths.
  std::vector<std::size_t> last(topology.link_count(), kNone);
  const auto each_crossing = [&](auto visit) {
    std::fill(last.begin(), last.end(), kNone);
    for (std::size_t d = 0; d < base_.demand_count(); ++d) {
      for (std::size_t p = 0; p < base_.path_count(d); ++p) {
        for (const LinkId link : base_.path(d, p).links) {
          if (std::exchange(last[link.index()], d) != d) visit(link.index(), d);
        }
      }
    }
  };
  each_crossing([&](std::size_t link, std::size_t) { ++first_crossing_[link + 1]; });
  for (std::size_t l = 0; l < topology.link_count(); ++l) first_crossing_[l + 1] += first_crossing_[l];
  crossing_.resize(first_crossing_.back());
  std::vector<std::size_t> next(first_crossing_.begin(), first_crossing_.end() - 1);
  each_crossing([&](std::size_t link, std::size_t d) { crossing_[next[link]++] = static_cast<std::uint32_t>(d); });
}

double ProtectionPlanner::rate(std::size_t demand) const {
  const Demand& key = base_.demands()[demand];
  return key.cls.index() < demand_.class_count() ? demand_.at(key.cls, key.from, key.to).bps() : 0.0;
}

std::vector<ProtectionPlanner::Broken> ProtectionPlanner::broken_demands(const Topology& failed,
                                                                         const Failure& failure) const {
  std::vector<std::uint32_t> crossing;
  for (const LinkId link : failure.down) {
    crossing.insert(crossing.end(), crossing_.begin() + static_cast<std::ptrdiff_t>(first_crossing_[link.index()]),
                    crossing_.begin() + static_cast<std::ptrdiff_t>(first_crossing_[link.index() + 1]));
  }
  std::sort(crossing.begin(), crossing.end());
  crossing.erase(std::unique(crossing.begin(), crossing.end()), crossing.end());
  LeastDelayWays ways{failed};
  std::vector<Broken> broken;
  for (const std::size_t d : crossing) {
    double share = 0.0;
    for (std::size_t p = 0; p < base_.path_count(d); ++p) {
      if (!alive(failed, base_.path(d, p).links)) share += base_.path(d, p).fraction;
    }
    const Demand& key = base_.demands()[d];
    broken.push_back(
        {.demand = d, .share = share, .connected = ways.from(key.from).reaches(key.to), .displaced = kNone});
  }
  return broken;
}

ProtectionPlanner::Displacement ProtectionPlanner::displace(const Topology& failed, const Failure& failure) const {
  Displacement displacement{
      .broken = broken_demands(failed, failure), .sources = {}, .others_bps = {}, .fixed_bps = {}, .moved_bps = 0.0};
  displacement.others_bps = load_of_others(displacement.broken);
  displacement.fixed_bps = displacement.others_bps;
  std::vector<std::size_t> place(topology_.node_count(), kNone);  // of each source among the displaced ones
  for (Broken& of : displacement.broken) {
    const Demand& key = base_.demands()[of.demand];
    const double bps = rate(of.demand);
    if (bps == 0.0 || !of.connected) continue;
    for (std::size_t p = 0; p < base_.path_count(of.demand); ++p) {
      const WeightedPath path = base_.path(of.demand, p);
      if (alive(failed, path.links)) add_load(displacement.fixed_bps, path, bps);
    }
    displacement.moved_bps += bps * of.share;
    std::size_t& source = place[key.from.index()];
    if (source == kNone) {
      source = displacement.sources.size();
      displacement.sources.push_back({.source = key.from, .bps_to = std::vector<double>(topology_.node_count(), 0.0)});
    }
    displacement.sources[source].bps_to[key.to.index()] += bps * of.share;
    of.displaced = source;
  }
  return displacement;
}

/// Summed up, not subtracted from the whole: what fails may be a million times what stays.
std::vector<double> ProtectionPlanner::load_of_others(std::span<const Broken> broken) const {
  std::vector<double> load(topology_.link_count(), 0.0);
  for (std::size_t d = 0; d < base_.demand_count(); ++d) {
    if (!broken.empty() && broken.front().demand == d) {
      broken = broken.subspan(1);
      continue;
    }
    const double bps = rate(d);
    if (bps == 0.0) continue;
    for (std::size_t p = 0; p < base_.path_count(d); ++p) add_load(load, base_.path(d, p), bps);
  }
  return load;
}

PathPlan ProtectionPlanner::backups(const Topology& failed, const Displacement& displacement,
                                    const DisplacedRouting& routing, double fraction_min) const {
  LeastDelayWays ways{failed};
  PathPlanBuilder builder;
  for (const Broken& of : displacement.broken) {
    if (!of.connected) continue;
    const Demand& key = base_.demands()[of.demand];
    builder.begin_demand(key);
    for (std::size_t p = 0; p < base_.path_count(of.demand); ++p) {
      const WeightedPath path = base_.path(of.demand, p);
      if (alive(failed, path.links)) builder.add_path(path.fraction, path.links);
    }
    if (of.displaced == kNone) {  // nothing is sent today; a way must exist all the same
      builder.add_path(of.share, ways.from(key.from).path_to(failed, key.to));
      continue;
    }
    const auto& trees = routing.trees[of.displaced];
    double largest = 0.0;
    for (const DisplacedTree& tree : trees) largest = std::max(largest, tree.share);
    for (const DisplacedTree& tree : trees) {
      if (tree.share < largest && tree.share * of.share < fraction_min) continue;
      builder.add_path(tree.share * of.share, path_in(failed, tree, key.to));
    }
  }
  return std::move(builder).build();
}

/// The largest utilisation once the backups are in force.
double ProtectionPlanner::protected_utilization(const Topology& failed, const Displacement& displacement,
                                                const PathPlan& backups) const {
  std::vector<double> load = displacement.others_bps;
  std::size_t at = 0;
  for (const Broken& of : displacement.broken) {
    if (!of.connected) continue;
    const double bps = rate(of.demand);
    for (std::size_t p = 0; p < backups.path_count(at); ++p) add_load(load, backups.path(at, p), bps);
    ++at;
  }
  return max_utilization(failed, load);
}

Protection ProtectionPlanner::protect(const Failure& failure) const {
  const Topology failed = after_failure(topology_, failure);
  const Displacement displacement = displace(failed, failure);
  const DisplacedRouting routing =
      route_displaced(failed, displacement.sources, displacement.fixed_bps, {.gap = options_.gap});

  Protection protection;
  const double total = demand_.total().bps();
  protection.moved_share = total > 0.0 ? displacement.moved_bps / total : 0.0;
  for (const Broken& of : displacement.broken) {
    if (!of.connected && rate(of.demand) > 0.0) protection.lost.push_back(base_.demands()[of.demand]);
  }
  for (const double fraction_min : kFractionsMin) {
    protection.backups = backups(failed, displacement, routing, fraction_min);
    protection.utilization = protected_utilization(failed, displacement, protection.backups);
    if (protection.utilization <= routing.utilization * (1.0 + kPruningCost)) break;
  }
  protection.lower_bound = std::min(routing.lower_bound, protection.utilization);
  return protection;
}

PathPlan with_backups(const Topology& failed, const PathPlan& base, const PathPlan& backups) {
  auto builder = PathPlanBuilder::keeping_fractions();
  std::size_t next = 0;
  for (std::size_t d = 0; d < base.demand_count(); ++d) {
    const Demand& key = base.demands()[d];
    const bool replaced = next < backups.demand_count() && backups.demands()[next] == key;
    const PathPlan& from = replaced ? backups : base;
    const std::size_t at = replaced ? next++ : d;
    bool works = true;
    for (std::size_t p = 0; p < from.path_count(at); ++p) works = works && alive(failed, from.path(at, p).links);
    if (!works) continue;
    builder.begin_demand(key);
    for (std::size_t p = 0; p < from.path_count(at); ++p) {
      builder.add_path(from.path(at, p).fraction, from.path(at, p).links);
    }
  }
  return std::move(builder).build();
}

PathPlan rescaled(const Topology& failed, const PathPlan& base) {
  PathPlanBuilder builder;
  LeastDelayWays ways{failed};
  for (std::size_t d = 0; d < base.demand_count(); ++d) {
    const Demand& key = base.demands()[d];
    builder.begin_demand(key);
    bool any = false;
    for (std::size_t p = 0; p < base.path_count(d); ++p) {
      const WeightedPath path = base.path(d, p);
      if (!alive(failed, path.links)) continue;
      builder.add_path(path.fraction, path.links);
      any = true;
    }
    if (!any && ways.from(key.from).reaches(key.to)) {
      builder.add_path(1.0, ways.from(key.from).path_to(failed, key.to));
    }
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
