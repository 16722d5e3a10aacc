#include "models/daily_steps.h"

#include <catch2/catch.hpp>

namespace wan::models {
namespace {

constexpr std::chrono::seconds kInterval{300};

Timestamp at(int day, int hour, int minute) {
  return Timestamp{std::chrono::days{12'000 + day} + std::chrono::hours{hour} + std::chrono::minutes{minute}};
}

TEST_CASE("what happens every day at one time is usual then, and half as usual in the intervals beside it",
          "[models]") {
  DailySteps daily{2, kInterval};
  for (int day = 0; day < 3; ++day) daily.add(at(day, 3, 0), std::vector<float>{0.4F, 0.0F});
  // Three days of 0.4 and one more of nothing.
  CHECK(daily.usual(at(9, 3, 0), 0).step == Approx(0.3));
  CHECK(daily.usual(at(9, 3, 4), 0).step == Approx(0.3));
  CHECK(daily.usual(at(9, 3, 0), 0).around == Approx(0.3));
  for (const Timestamp beside : {at(9, 2, 55), at(9, 3, 5)}) {
    CHECK(daily.usual(beside, 0).step == 0.0F);
    CHECK(daily.usual(beside, 0).around == Approx(0.15));
  }
  CHECK(daily.usual(at(9, 3, 10), 0).around == 0.0F);
  CHECK(daily.usual(at(9, 3, 0), 1).around == 0.0F);
}

TEST_CASE("a row's own day foretells nothing of it", "[models]") {
  DailySteps daily{1, kInterval};
  const std::vector<float> before{0.3F}, own{-0.2F}, after{1e9F};  // the last one counts as 0.5
  daily.add(at(0, 3, 0), before);
  daily.add(at(0, 3, 5), own);
  daily.add(at(0, 3, 10), after);
  const auto usual = daily.usual_without(at(0, 3, 5), 0, {before, own, after});
  CHECK(usual.step == 0.0F);
  CHECK(usual.around == 0.0F);
  daily.add(at(1, 3, 5), std::vector<float>{0.4F});
  CHECK(daily.usual_without(at(0, 3, 5), 0, {before, own, after}).around == Approx(0.2));
}

TEST_CASE("one outlier makes no habit", "[models]") {
  DailySteps daily{1, kInterval};
  daily.add(at(0, 3, 0), std::vector<float>{-1e9F});
  CHECK(daily.usual(at(1, 3, 0), 0).step == Approx(-0.25));
}

TEST_CASE("midnight joins two days, and times before 1970 and intervals of any length have their slots", "[models]") {
  for (const std::chrono::seconds interval :
       {std::chrono::seconds{1}, std::chrono::seconds{420}, std::chrono::seconds{86'400 * 3}}) {
    DailySteps daily{1, interval};
    for (const std::int64_t second : {-86'401, -1, 0, 86'399, 86'400, 1'000'000'007}) {
      const Timestamp time{std::chrono::seconds{second}};
      daily.add(time, std::vector<float>{0.5F});
      CHECK(daily.usual(time, 0).step > 0.0F);
    }
  }
  DailySteps daily{1, kInterval};
  daily.add(at(0, 0, 0), std::vector<float>{0.4F});
  CHECK(daily.usual(at(3, 23, 55), 0).around == Approx(0.1));
}

TEST_CASE("usual steps of all pairs at once are those of one by one", "[models]") {
  DailySteps daily{3, kInterval};
  for (int day = 0; day < 2; ++day) {
    for (const int minute : {0, 5, 10}) {
      const auto step = static_cast<float>(day + minute) * 0.01F;
      daily.add(at(day, 3, minute), std::vector<float>{step, -step, 0.3F});
    }
  }
  const std::vector<float> own{0.1F, 0.2F, 0.3F};
  std::vector<float> step(3), around(3);
  daily.usual_without(at(1, 3, 5), {own, own, {}}, step, around);
  for (std::size_t pair = 0; pair < 3; ++pair) {
    const auto usual = daily.usual_without(at(1, 3, 5), pair, {own, own, {}});
    CHECK(step[pair] == usual.step);
    CHECK(around[pair] == usual.around);
  }
}

TEST_CASE("usual steps are restored from their numbers, and from no others", "[models]") {
  DailySteps daily{1, kInterval};
  daily.add(at(0, 3, 0), std::vector<float>{0.5F});
  DailySteps other{1, kInterval};
  REQUIRE(other.restore({daily.counts().begin(), daily.counts().end()}, {daily.sums().begin(), daily.sums().end()}));
  CHECK(other.usual(at(5, 3, 0), 0).step == daily.usual(at(5, 3, 0), 0).step);
  CHECK_FALSE(other.restore({1.0F}, {1.0F}));
}

}  // namespace
}  // namespace wan::models
