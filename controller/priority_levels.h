#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "controller/policy.h"
#include "core/ids.h"

namespace wan::controller {

/// Classes of one priority: what is planned together, before all that is less important.
struct PriorityLevel {
  int priority = 0;
  std::vector<TrafficClass> classes;  ///< rising
  /// Utilisation that the traffic of this level and of those above need not go below: the least of its classes', where
  /// all of them have one.
  std::optional<double> utilization_target{};
  bool operator==(const PriorityLevel&) const = default;
};

/// The levels of a matrix with so many classes, most important first. Classes that the policies do not know have
/// priority 0, as has the default class unless told otherwise.
[[nodiscard]] std::vector<PriorityLevel> priority_levels(const PolicySet& policies, std::size_t class_count);

/// By class: the position of its level.
[[nodiscard]] std::vector<std::size_t> level_of_class(const std::vector<PriorityLevel>& levels,
                                                      std::size_t class_count);

}  // namespace wan::controller
