#include "models/significance.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/random.h"

namespace wan::models {
namespace {

/// Differences whose neighbours go together.
std::vector<double> differences(std::size_t count, double mean, double memory, Rng& rng) {
  std::vector<double> values;
  double state = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    state = memory * state + rng.normal();
    values.push_back(mean + state);
  }
  return values;
}

TEST_CASE("Student's distribution agrees with printed tables", "[models]") {
  CHECK(two_sided_student(12.706, 1.0) == Approx(0.05).epsilon(1e-3));
  CHECK(two_sided_student(2.228, 10.0) == Approx(0.05).epsilon(1e-3));
  CHECK(two_sided_student(-2.660, 60.0) == Approx(0.01).epsilon(2e-3));
  CHECK(two_sided_student(1.959964, 1e6) == Approx(0.05).epsilon(1e-4));
  CHECK(two_sided_student(0.0, 7.0) == Approx(1.0));
  CHECK(two_sided_student(60.0, 500.0) < 1e-100);
}

TEST_CASE("the paired test finds a difference and its sign", "[models]") {
  Rng rng{1};
  const PairedTest better = diebold_mariano(differences(300, -0.5, 0.3, rng), 1);
  CHECK(better.mean_difference < 0.0);
  CHECK(better.statistic < 0.0);
  CHECK(better.p_value < 0.001);
  const PairedTest worse = diebold_mariano(differences(300, 0.5, 0.3, rng), 1);
  CHECK(worse.statistic > 0.0);
  CHECK(worse.p_value < 0.001);
}

TEST_CASE("without a difference the paired test cries wolf about as often as it says", "[models]") {
  for (const auto& [memory, horizon] : {std::pair{0.0, 1}, std::pair{0.4, 1}, std::pair{0.7, 12}}) {
    Rng rng{7};
    int alarms = 0;
    constexpr int kRounds = 1000;
    for (int round = 0; round < kRounds; ++round) {
      const auto test = diebold_mariano(differences(400, 0.0, memory, rng), static_cast<std::size_t>(horizon));
      if (test.p_value < 0.05) ++alarms;
    }
    INFO("memory " << memory << " horizon " << horizon);
    CHECK(alarms > kRounds / 50);
    CHECK(alarms < kRounds * 12 / 100);
  }
}

TEST_CASE("the paired test says nothing of equal forecasters or of a handful of rows", "[models]") {
  CHECK(diebold_mariano({}, 1).p_value == 1.0);
  CHECK(diebold_mariano(std::vector<double>(50, 0.0), 1).p_value == 1.0);
  CHECK(diebold_mariano(std::vector<double>{1, 2, 3}, 1).p_value == 1.0);
  CHECK(diebold_mariano(std::vector<double>{1, 2, 3}, 1).mean_difference == Approx(2.0));
}

}  // namespace
}  // namespace wan::models
