#include "controller/plan_step.h"

#include <algorithm>
#include <optional>

namespace wan::controller {
namespace {

constexpr double kLeftover = 0.005;  // of a demand: an old path below it is given up

std::optional<double> fraction_of(const PathPlan& plan, std::size_t demand, std::span<const LinkId> links) {
  for (std::size_t p = 0; p < plan.path_count(demand); ++p) {
    const WeightedPath path = plan.path(demand, p);
    if (std::equal(path.links.begin(), path.links.end(), links.begin(), links.end())) return path.fraction;
  }
  return std::nullopt;
}

/// The share of one demand that changes its path.
double moved_of_demand(const PathPlan& before, std::size_t old, const PathPlan& after, std::size_t now) {
  double stays = 0.0;
  for (std::size_t p = 0; p < after.path_count(now); ++p) {
    const WeightedPath path = after.path(now, p);
    if (const auto fraction = fraction_of(before, old, path.links)) stays += std::min(*fraction, path.fraction);
  }
  return std::max(0.0, 1.0 - stays);
}

void add_blend(PathPlanBuilder& builder, const PathPlan& before, std::size_t old, const PathPlan& after,
               std::size_t now, double share) {
  for (std::size_t p = 0; p < before.path_count(old); ++p) {
    const WeightedPath path = before.path(old, p);
    const double kept = (1.0 - share) * path.fraction;
    if (kept >= kLeftover || fraction_of(after, now, path.links)) builder.add_path(kept, path.links);
  }
  for (std::size_t p = 0; p < after.path_count(now); ++p) {
    const WeightedPath path = after.path(now, p);
    builder.add_path(share * path.fraction, path.links);
  }
}

double rate_of(const TrafficMatrix& demand, const Demand& of) {
  return of.cls.index() < demand.class_count() ? demand.at(of.cls, of.from, of.to).bps() : 0.0;
}

void add_split(PathPlanBuilder& builder, const PathPlan& plan, std::size_t demand) {
  for (std::size_t p = 0; p < plan.path_count(demand); ++p) {
    const WeightedPath path = plan.path(demand, p);
    builder.add_path(path.fraction, path.links);
  }
}

/// Paths that a blend of two splits has.
std::size_t blend_size(const PathPlan& before, std::size_t old, const PathPlan& after, std::size_t now, double share) {
  std::size_t count = after.path_count(now);
  for (std::size_t p = 0; p < before.path_count(old); ++p) {
    const WeightedPath path = before.path(old, p);
    const bool leftover = (1.0 - share) * path.fraction < kLeftover;
    if (!leftover && !fraction_of(after, now, path.links)) ++count;
  }
  return count;
}

}  // namespace

double moved_share(const PathPlan& before, const PathPlan& after, const TrafficMatrix& demand) {
  const double total = demand.total().bps();
  if (total <= 0.0) return 0.0;
  const auto rate = [&demand](const Demand& of) { return rate_of(demand, of); };
  double moved = 0.0;
  for (std::size_t d = 0; d < after.demand_count(); ++d) {
    const auto old = before.find(after.demands()[d]);
    moved += rate(after.demands()[d]) * (old ? moved_of_demand(before, *old, after, d) : 1.0);
  }
  for (const Demand& gone : before.demands()) {
    if (!after.find(gone)) moved += rate(gone);
  }
  return std::min(1.0, moved / total);
}

PathPlan blended(const PathPlan& before, const PathPlan& after, double share) {
  PathPlanBuilder builder;
  for (std::size_t d = 0; d < after.demand_count(); ++d) {
    builder.begin_demand(after.demands()[d]);
    const auto old = before.find(after.demands()[d]);
    if (old) {
      add_blend(builder, before, *old, after, d, share);
      continue;
    }
    add_split(builder, after, d);
  }
  return std::move(builder).build();
}

PathPlan blended(const PathPlan& before, const PathPlan& after, double share, const TrafficMatrix& demand,
                 std::size_t paths_max) {
  PathPlanBuilder builder;
  double saved_bps = 0.0;
  for (std::size_t d = 0; d < after.demand_count(); ++d) {
    builder.begin_demand(after.demands()[d]);
    const auto old = before.find(after.demands()[d]);
    if (!old) {
      add_split(builder, after, d);
    } else if (blend_size(before, *old, after, d, share) <= paths_max) {
      add_blend(builder, before, *old, after, d, share);
    } else {
      const double moved_bps = rate_of(demand, after.demands()[d]) * moved_of_demand(before, *old, after, d);
      saved_bps += share * moved_bps;
      const bool switches = moved_bps <= saved_bps;
      if (switches) saved_bps -= moved_bps;
      add_split(builder, switches ? after : before, switches ? d : *old);
    }
  }
  return std::move(builder).build();
}

}  // namespace wan::controller
