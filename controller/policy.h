#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/path_plan.h"
#include "core/time.h"
#include "core/units.h"

namespace wan::controller {

/// How one class of traffic is to be treated.
struct ClassPolicy {
  std::string name;
  std::vector<std::uint8_t> dscps{};  ///< 0..63; empty for class 0
  int priority = 0;                   ///< higher first
  std::optional<Duration> latency_max{};
  std::optional<double> utilization_target{};
  std::vector<LinkId> avoid{};  ///< sorted, no repeats; SRLGs already resolved
  bool operator==(const ClassPolicy&) const = default;
};

/// Demands of one pair that stay on one path; `cls` none: all classes.
struct Pin {
  NodeId from;
  NodeId to;
  std::optional<TrafficClass> cls;
  std::vector<LinkId> links;  ///< in travel order
  bool operator==(const Pin&) const = default;
};

struct MaintenanceWindow {
  std::string target;  ///< as the operator wrote it
  std::vector<LinkId> links;
  Timestamp from;
  Timestamp to;
  bool operator==(const MaintenanceWindow&) const = default;
};

/// What the operator wants, resolved against one network. Class ids are positions in `classes`.
struct PolicySet {
  std::vector<ClassPolicy> classes{ClassPolicy{.name = "default"}};  ///< at least the default class
  std::optional<double> utilization_target;
  std::optional<double> max_moved_share;
  std::optional<std::size_t> paths_max;  ///< a demand, at least 1; none: nothing is asked
  std::vector<Pin> pins;
  std::vector<std::string> drain;     ///< as the operator wrote them
  std::vector<LinkId> drained_links;  ///< what they stand for; sorted, no repeats
  std::vector<MaintenanceWindow> maintenance;
  struct Guard {
    std::optional<double> level_factor, jump_factor, wild_jump_factor;
    std::optional<std::size_t> holds_max;
    bool operator==(const Guard&) const = default;
  } guard;
  bool operator==(const PolicySet&) const = default;

  /// Of plans that are installed, which have a limit whether one is asked for or not.
  [[nodiscard]] std::size_t installed_paths_max() const { return paths_max.value_or(4); }
  /// Links that must carry no traffic at this time: drained ones and those in a maintenance window; sorted.
  [[nodiscard]] std::vector<LinkId> links_kept_empty(Timestamp now) const;
};

}  // namespace wan::controller
