#include "controller/fixed_path_filling.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace wan::controller {
namespace {

constexpr double kFull = 1e-12;  // of the room at the start: a link with less left is full

}  // namespace

void FixedPathFilling::add(double fraction, std::span<const LinkFlow> flows) {
  fraction_.push_back(fraction);
  flows_.insert(flows_.end(), flows.begin(), flows.end());
  first_flow_.push_back(flows_.size());
}

std::vector<double> FixedPathFilling::fill() {
  const std::vector<double> at_start = room_;
  std::vector<std::size_t> order(fraction_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return fraction_[a] < fraction_[b]; });
  std::vector<double> rise(room_.size(), 0.0);                // by link: bits per second a unit of the common fraction
  std::vector<std::vector<std::size_t>> users(room_.size());  // by link: demands that joined
  std::vector<bool> rising(fraction_.size(), false);
  std::size_t joined = 0, rising_count = 0;
  const auto leave = [&](std::size_t d, double at) {
    if (!rising[d]) return;
    rising[d] = false;
    --rising_count;
    fraction_[d] = at;
    for (std::size_t f = first_flow_[d]; f < first_flow_[d + 1]; ++f) rise[flows_[f].link] -= flows_[f].bps;
  };
  double level = order.empty() ? 1.0 : fraction_[order[0]];
  while (level < 1.0 && (rising_count > 0 || joined < order.size())) {
    if (rising_count == 0) level = std::max(level, fraction_[order[joined]]);
    for (; joined < order.size() && fraction_[order[joined]] <= level; ++joined) {
      const std::size_t d = order[joined];
      rising[d] = true;
      ++rising_count;
      for (std::size_t f = first_flow_[d]; f < first_flow_[d + 1]; ++f) {
        rise[flows_[f].link] += flows_[f].bps;
        users[flows_[f].link].push_back(d);
      }
    }
    double next = joined < order.size() ? fraction_[order[joined]] : 1.0;
    for (std::size_t l = 0; l < room_.size(); ++l) {
      if (rise[l] > 0.0) next = std::min(next, level + std::max(0.0, room_[l]) / rise[l]);
    }
    for (std::size_t l = 0; l < room_.size(); ++l) {
      if (rise[l] > 0.0) room_[l] -= rise[l] * (next - level);
    }
    level = next;
    for (std::size_t l = 0; l < room_.size(); ++l) {
      if (room_[l] > kFull * at_start[l] || users[l].empty()) continue;
      for (const std::size_t d : users[l]) leave(d, level);
      users[l].clear();
      rise[l] = 0.0;
    }
  }
  for (std::size_t d = 0; d < fraction_.size(); ++d) {
    if (rising[d]) fraction_[d] = level;
  }
  return fraction_;
}

}  // namespace wan::controller
