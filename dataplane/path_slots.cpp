#include "dataplane/path_slots.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace wan::dataplane {
namespace {

/// Whole slots for each share by largest remainders: sums to all slots, each within one of its exact share.
std::vector<std::size_t> quotas(std::span<const PathSlots::Share> shares) {
  double total = 0.0;
  for (const auto& share : shares) total += share.fraction;
  std::vector<std::size_t> quota(shares.size());
  std::vector<double> remainder(shares.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double exact = shares[i].fraction / total * static_cast<double>(PathSlots::kSlots);
    quota[i] = static_cast<std::size_t>(std::floor(exact));
    remainder[i] = exact - std::floor(exact);
    given += quota[i];
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (std::size_t i = 0; given < PathSlots::kSlots; i = (i + 1) % order.size(), ++given) ++quota[order[i]];
  return quota;
}

}  // namespace

PathSlots::PathSlots(std::span<const Share> shares, const PathSlots* before,
                     std::span<const std::uint64_t> ids_before) {
  constexpr std::uint8_t kFree = 0xff;
  std::vector<std::size_t> left = quotas(shares);
  path_of_slot_.fill(kFree);
  if (before != nullptr) {
    std::vector<std::uint8_t> now(ids_before.size(), kFree);  // position before -> position now
    for (std::size_t old = 0; old < ids_before.size(); ++old) {
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (shares[i].path_id == ids_before[old]) now[old] = static_cast<std::uint8_t>(i);
      }
    }
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      const std::uint8_t path = now[before->path_of_slot_[slot]];
      if (path == kFree || left[path] == 0) continue;
      path_of_slot_[slot] = path;
      --left[path];
    }
  }
  std::size_t next = 0;
  for (std::uint8_t& path : path_of_slot_) {
    if (path != kFree) continue;
    while (left[next] == 0) ++next;
    path = static_cast<std::uint8_t>(next);
    --left[next];
  }
}

}  // namespace wan::dataplane
