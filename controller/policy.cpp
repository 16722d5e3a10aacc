#include "controller/policy.h"

#include <algorithm>

namespace wan::controller {

std::vector<LinkId> PolicySet::links_kept_empty(Timestamp now) const {
  std::vector<LinkId> links = drained_links;
  for (const MaintenanceWindow& window : maintenance) {
    if (window.from <= now && now < window.to) links.insert(links.end(), window.links.begin(), window.links.end());
  }
  std::sort(links.begin(), links.end());
  links.erase(std::unique(links.begin(), links.end()), links.end());
  return links;
}

}  // namespace wan::controller
