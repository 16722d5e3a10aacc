#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controller/plan_constraints.h"
#include "controller/policy.h"
#include "controller/priority_levels.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "tests/unit/controller/class_lp.h"

namespace wan::test {

/// A small random network with two or three classes of traffic, their priorities and, if wanted, their rules.
struct ClassWishes {
  ClassWishes(std::uint64_t seed, bool with_rules);

  std::size_t class_count = 2;
  Topology topology;
  controller::PolicySet policies;
  TrafficMatrix traffic;

  [[nodiscard]] std::vector<controller::PriorityLevel> levels() const;
};

/// What a demand may take, by looking at every simple path.
struct AllowedPaths {
  std::vector<std::vector<LinkId>> paths;
  std::optional<controller::BrokenRule::What> broken;
};
[[nodiscard]] AllowedPaths allowed_paths(const ClassWishes& wishes, const Demand& demand);

/// Every demand above zero, each on its own; of the fastest paths that a broken rule leaves, the first.
struct NamedCommodities {
  std::vector<Demand> demands;
  std::vector<LevelCommodity> commodities;
};
[[nodiscard]] NamedCommodities commodities_of(const ClassWishes& wishes);

}  // namespace wan::test
