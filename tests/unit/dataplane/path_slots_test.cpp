#include "dataplane/path_slots.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "core/random.h"

namespace wan::dataplane {
namespace {

using Share = PathSlots::Share;

/// One to 64 paths whose ids come from a small range, so that two draws share some.
std::vector<Share> drawn_shares(Rng& rng) {
  std::vector<std::uint64_t> ids(PathSlots::kPathsMax);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = 1000 + i;
  const std::size_t known = rng.below(3) == 0 ? ids.size() : 6;
  for (std::size_t i = known; i > 1; --i) std::swap(ids[i - 1], ids[rng.below(i)]);
  std::vector<Share> shares(1 + rng.below(known));
  double sum = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] = {ids[i], rng.below(5) == 0 ? 1e-7 : rng.below(4) == 0 ? 0.25 : rng.uniform() + 1e-12};
    sum += shares[i].fraction;
  }
  if (rng.below(2) == 0) {
    for (Share& share : shares) share.fraction /= sum;
  }
  return shares;
}
std::vector<std::uint64_t> ids_of(const std::vector<Share>& shares) {
  std::vector<std::uint64_t> ids;
  for (const Share& share : shares) ids.push_back(share.path_id);
  return ids;
}
std::map<std::uint64_t, std::size_t> counts_of(const PathSlots& slots, const std::vector<Share>& shares) {
  std::map<std::uint64_t, std::size_t> counts;
  for (const std::uint8_t path : slots.slots()) ++counts[shares.at(path).path_id];
  return counts;
}

TEST_CASE("slots give each path its share to within one slot", "[path_slots]") {
  Rng rng{1, "path slots"};
  for (int i = 0; i < 3000; ++i) {
    const auto shares = drawn_shares(rng);
    const PathSlots slots{shares, nullptr, {}};
    double sum = 0.0;
    for (const Share& share : shares) sum += share.fraction;
    auto counts = counts_of(slots, shares);
    for (const Share& share : shares) {
      const double exact = share.fraction / sum * static_cast<double>(PathSlots::kSlots);
      REQUIRE(std::abs(static_cast<double>(counts[share.path_id]) - exact) < 1.0 + 1e-9);
    }
    for (std::uint32_t hash = 0; hash < 5000; hash += 7) {
      REQUIRE(slots.path_of(hash) == slots.slots()[hash % PathSlots::kSlots]);
    }
  }
}

TEST_CASE("a change of shares moves exactly as many slots as shares grow", "[path_slots]") {
  Rng rng{2, "path slots"};
  std::size_t moved_in_all = 0;
  for (int i = 0; i < 3000; ++i) {
    auto before_shares = drawn_shares(rng);
    PathSlots before{before_shares, nullptr, {}};
    for (int step = 0; step < 4; ++step) {  // slots that have been moved about before, too
      const auto shares = drawn_shares(rng);
      const PathSlots now{shares, &before, ids_of(before_shares)};
      const PathSlots fresh{shares, nullptr, {}};
      auto old_counts = counts_of(before, before_shares);
      const auto counts = counts_of(now, shares);
      REQUIRE(counts == counts_of(fresh, shares));  // the past decides where slots lie, never how many there are
      std::size_t least = 0, moved = 0;
      for (const auto& [id, count] : counts) least += count > old_counts[id] ? count - old_counts[id] : 0;
      for (std::size_t slot = 0; slot < PathSlots::kSlots; ++slot) {
        const std::uint64_t old_id = before_shares[before.slots()[slot]].path_id;
        moved += old_id != shares[now.slots()[slot]].path_id;
      }
      REQUIRE(moved == least);
      moved_in_all += moved;
      const PathSlots again{shares, &before, ids_of(before_shares)};
      REQUIRE(std::equal(again.slots().begin(), again.slots().end(), now.slots().begin()));
      before = now;
      before_shares = shares;
    }
  }
  CHECK(moved_in_all > 1'000'000);
}

TEST_CASE("the same shares again move nothing, and a path alone has all slots", "[path_slots]") {
  Rng rng{3, "path slots"};
  for (int i = 0; i < 500; ++i) {
    const auto shares = drawn_shares(rng);
    const PathSlots before{shares, nullptr, {}};
    const PathSlots now{shares, &before, ids_of(shares)};
    REQUIRE(std::equal(now.slots().begin(), now.slots().end(), before.slots().begin()));
    const std::vector<Share> one{{shares[0].path_id, 1.0}};
    const PathSlots alone{one, &before, ids_of(shares)};
    for (const std::uint8_t path : alone.slots()) REQUIRE(path == 0);
  }
}

}  // namespace
}  // namespace wan::dataplane
