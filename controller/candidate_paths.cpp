#include "controller/candidate_paths.h"

#include <algorithm>
#include <numeric>

namespace wan::controller {

std::size_t CandidatePaths::find(std::span<const std::uint32_t> wanted) const {
  for (std::size_t p = 0; p < size(); ++p) {
    const auto held = path(p);
    if (std::equal(held.begin(), held.end(), wanted.begin(), wanted.end())) return p;
  }
  return size();
}

void CandidatePaths::add(std::span<const std::uint32_t> path_links, double path_delay) {
  links.insert(links.end(), path_links.begin(), path_links.end());
  first.push_back(static_cast<std::uint32_t>(links.size()));
  delay.push_back(path_delay);
  delay_price.push_back(0.0);
  share.push_back(0.0);
  anchor.push_back(0.0);
  free.push_back(0.0);
  for (auto& shares : alone) shares.push_back(0.0);
  idle.push_back(0);
}

void CandidatePaths::remove(std::size_t p) {
  const std::uint32_t removed = first[p + 1] - first[p];
  links.erase(links.begin() + first[p], links.begin() + first[p + 1]);
  first.erase(first.begin() + static_cast<std::ptrdiff_t>(p));
  for (std::size_t i = p; i < first.size(); ++i) first[i] -= removed;
  const auto at = static_cast<std::ptrdiff_t>(p);
  delay.erase(delay.begin() + at);
  delay_price.erase(delay_price.begin() + at);
  share.erase(share.begin() + at);
  anchor.erase(anchor.begin() + at);
  free.erase(free.begin() + at);
  for (auto& shares : alone) shares.erase(shares.begin() + at);
  idle.erase(idle.begin() + at);
}

bool CandidatePaths::start_from(std::span<const double> earlier) {
  constexpr double kKept = 0.5;
  const double sum = std::accumulate(earlier.begin(), earlier.end(), 0.0);
  if (sum < kKept) return false;
  std::transform(earlier.begin(), earlier.end(), share.begin(), [sum](double part) { return part / sum; });
  return true;
}

}  // namespace wan::controller
