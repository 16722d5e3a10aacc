#include "models/season_profile.h"

#include <catch2/catch.hpp>

namespace wan::models {
namespace {

constexpr std::chrono::seconds kInterval{300};
constexpr std::size_t kHour = 0, kDay = 2;

Timestamp at(int day, int hour, int minute) {
  return Timestamp{std::chrono::days{12'000 + day} + std::chrono::hours{hour} + std::chrono::minutes{minute}};
}

TEST_CASE("a surprise at one time of day is expected again at that time and not at another", "[models]") {
  SeasonProfile profile{2, kInterval};
  for (int day = 0; day < 64; ++day) {
    profile.add(at(day, 3, 0), std::vector<float>{0.5F, 0.0F});
    profile.add(at(day, 4, 5), std::vector<float>{0.0F, 0.0F});
  }
  // 64 rows of 0.5 among 32 that the profile adds of 0.
  CHECK(profile.expected(kDay, at(99, 3, 0), 0) == Approx(0.5 * 64 / 96));
  CHECK(profile.expected(kDay, at(99, 3, 4), 0) == Approx(0.5 * 64 / 96));
  CHECK(profile.expected(kDay, at(99, 3, 5), 0) == 0.0F);
  CHECK(profile.expected(kDay, at(99, 3, 0), 1) == 0.0F);
  CHECK(profile.expected(kHour, at(99, 17, 0), 0) == Approx(0.5 * 64 / 96));
}

TEST_CASE("a row does not foretell itself", "[models]") {
  SeasonProfile profile{1, kInterval};
  profile.add(at(0, 3, 0), std::vector<float>{1.5F});
  CHECK(profile.expected(kDay, at(0, 3, 0), 0) > 0.0F);
  CHECK(profile.expected_without(kDay, at(0, 3, 0), 0, 1.5F) == 0.0F);
}

TEST_CASE("one outlier counts for little", "[models]") {
  SeasonProfile profile{1, kInterval};
  profile.add(at(0, 3, 0), std::vector<float>{1e9F});
  CHECK(profile.expected(kDay, at(1, 3, 0), 0) == Approx(2.0 / 33));
  CHECK(profile.expected_without(kDay, at(0, 3, 0), 0, 1e9F) == 0.0F);
}

TEST_CASE("a profile is restored from its numbers, and from no others", "[models]") {
  SeasonProfile profile{1, kInterval};
  profile.add(at(0, 3, 0), std::vector<float>{1.0F});
  SeasonProfile other{1, kInterval};
  REQUIRE(other.restore({profile.counts().begin(), profile.counts().end()},
                        {profile.sums().begin(), profile.sums().end()}));
  CHECK(other.expected(kDay, at(5, 3, 0), 0) == profile.expected(kDay, at(5, 3, 0), 0));
  CHECK_FALSE(other.restore({1.0F}, {1.0F}));
}

TEST_CASE("intervals of a second, of a day and times before 1970 have their slots", "[models]") {
  for (const std::chrono::seconds interval :
       {std::chrono::seconds{1}, std::chrono::seconds{86'400 * 3}, std::chrono::seconds{420}}) {
    SeasonProfile profile{1, interval};
    for (const std::int64_t second : {-86'401, -1, 0, 86'399, 86'400, 1'000'000'007}) {
      const Timestamp time{std::chrono::seconds{second}};
      profile.add(time, std::vector<float>{1.0F});
      CHECK(profile.expected(kDay, time, 0) > 0.0F);
    }
  }
}

TEST_CASE("seasons foretell all pairs at once what they foretell one by one", "[models]") {
  SeasonProfile profile{3, std::chrono::seconds{300}};
  profile.add(at(0, 3, 0), std::vector<float>{0.5F, -0.25F, 1.0F});
  for (std::size_t cycle = 0; cycle < SeasonProfile::kCycles; ++cycle) {
    std::vector<float> all(3);
    profile.expected(cycle, at(1, 3, 0), all);
    for (std::size_t pair = 0; pair < 3; ++pair) CHECK(all[pair] == profile.expected(cycle, at(1, 3, 0), pair));
    CHECK(all[0] > 0.0F);
  }
}

}  // namespace
}  // namespace wan::models
