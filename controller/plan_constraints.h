#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "controller/policy.h"
#include "controller/priority_levels.h"
#include "core/ids.h"
#include "core/topology.h"
#include "core/units.h"

namespace wan::controller {

/// Which paths the demands of a class may take.
struct PathRule {
  std::vector<LinkId> avoid{};  ///< sorted, no repeats
  std::optional<Duration> latency_max{};

  [[nodiscard]] bool empty() const { return avoid.empty() && !latency_max; }
  [[nodiscard]] bool allows(const Topology& topology, std::span<const LinkId> links) const;
  bool operator==(const PathRule&) const = default;
};

/// What binds a plan beside the topology. Rules give way where no path follows them; pins hold while their path is up.
struct PlanConstraints {
  std::vector<PathRule> classes{};  ///< by class; classes beyond have none
  std::vector<Pin> pins{};
  /// Most important first: each is planned as well as it can be before the next. Fewer than two: all classes count
  /// alike. A class that is in none belongs to the last.
  std::vector<PriorityLevel> levels{};

  [[nodiscard]] bool empty() const;
  bool operator==(const PlanConstraints&) const = default;
};

[[nodiscard]] PlanConstraints constraints_of(const PolicySet& policies);

/// A demand whose class's rule no path follows, and what had to be given up for it.
struct BrokenRule {
  enum class What : std::uint8_t { kLatency, kAvoidedLink };
  Demand demand;
  What what = What::kLatency;
  bool operator==(const BrokenRule&) const = default;
};

/// Demands of one pair that are planned as one: those of classes with equal rules and one priority.
struct RuledDemand {
  NodeId from;
  NodeId to;
  std::vector<std::size_t> rows;  ///< see RuledDemands::row_count; rising
  std::size_t level = 0;          ///< position in PlanConstraints::levels
  PathRule rule{};                ///< empty: any path
  bool fixed = false;             ///< stays on `path`: pinned, or no path follows the rule
  std::vector<LinkId> path{};     ///< of a rule or a pin: the path of least delay that may be taken
  std::optional<BrokenRule::What> broken{};

  [[nodiscard]] bool allows(const Topology& topology, std::span<const LinkId> links) const {
    return !fixed && rule.allows(topology, links);
  }
};

/// Every connected pair's demands under constraints, in order of source, destination and first row.
struct RuledDemands {
  std::vector<RuledDemand> demands;
  std::size_t row_count = 1;  ///< a row for each class that the constraints know, and a last one for all others
  std::size_t pair_count = 0;
  std::vector<std::size_t> demand_of;  ///< [row][pair] position in `demands`

  [[nodiscard]] std::size_t row_of(TrafficClass cls) const {
    return cls.index() < row_count ? cls.index() : row_count - 1;
  }
};

/// Where a rule can be followed by no path, the demand is fixed to the path of least delay without the links avoided;
/// where these cannot be avoided, to the path of least delay of all. `follow_policies` chooses alike.
[[nodiscard]] RuledDemands ruled_demands(const Topology& topology, const PlanConstraints& constraints);

}  // namespace wan::controller
