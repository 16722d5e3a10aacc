#include "controller/priority_levels.h"

#include <algorithm>

namespace wan::controller {

std::vector<PriorityLevel> priority_levels(const PolicySet& policies, std::size_t class_count) {
  std::vector<PriorityLevel> levels;
  for (std::size_t c = 0; c < class_count; ++c) {
    const bool known = c < policies.classes.size();
    const int priority = known ? policies.classes[c].priority : 0;
    const std::optional<double> target = known ? policies.classes[c].utilization_target : std::nullopt;
    const auto at = std::find_if(levels.begin(), levels.end(),
                                 [&](const PriorityLevel& level) { return level.priority <= priority; });
    if (at == levels.end() || at->priority != priority) {
      levels.insert(at, {.priority = priority, .classes = {TrafficClass{c}}, .utilization_target = target});
      continue;
    }
    at->classes.emplace_back(c);
    // A class without a target wants all that can be had.
    if (!target || !at->utilization_target) {
      at->utilization_target.reset();
    } else {
      at->utilization_target = std::min(*target, *at->utilization_target);
    }
  }
  return levels;
}

std::vector<std::size_t> level_of_class(const std::vector<PriorityLevel>& levels, std::size_t class_count) {
  std::vector<std::size_t> level(class_count, 0);
  for (std::size_t k = 0; k < levels.size(); ++k) {
    for (const TrafficClass cls : levels[k].classes) level[cls.index()] = k;
  }
  return level;
}

}  // namespace wan::controller
