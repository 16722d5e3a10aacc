#include "models/prediction_bands.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"

namespace wan::models {
namespace {

constexpr std::size_t kEntries = 20;
constexpr std::size_t kShares = PredictionBands::kShares.size();

/// Rows of a forecast and what came: misses of a share of the forecast, by entry, with heavy tails.
struct Misses {
  Rng rng;
  double share = 0.1;

  std::vector<double> forecast() {
    std::vector<double> row;
    for (std::size_t i = 0; i < kEntries; ++i)
      row.push_back(i == 0 ? 0.0 : 1e6 * static_cast<double>(i) * (1.0 + rng.uniform()));
    return row;
  }
  std::vector<double> truth(const std::vector<double>& forecast) {
    std::vector<double> row;
    for (std::size_t i = 0; i < kEntries; ++i) {
      const double heavy = rng.uniform() < 0.1 ? 4.0 : 1.0;
      row.push_back(std::max(forecast[i] * (1.0 + share * heavy * static_cast<double>(1 + i % 3) * rng.normal()), 0.0));
    }
    return row;
  }
};

/// Part of the entries that carried something and lay within the outer bands, over some rows.
double coverage(PredictionBands& bands, Misses& misses, std::size_t horizon, int rows) {
  std::size_t held = 0, all = 0;
  for (int row = 0; row < rows; ++row) {
    const auto forecast = misses.forecast();
    const auto truth = misses.truth(forecast);
    const auto around = bands.around(horizon, forecast);
    for (std::size_t i = 1; i < kEntries; ++i) {
      ++all;
      if (truth[i] >= around[i] && truth[i] <= around[(kShares - 1) * kEntries + i]) ++held;
    }
    bands.record(horizon, forecast, truth);
  }
  return static_cast<double>(held) / static_cast<double>(all);
}

TEST_CASE("bands that know nothing come to hold what they promise", "[models]") {
  PredictionBands bands{kEntries};
  Misses misses{Rng{1}};
  coverage(bands, misses, 1, 300);
  CHECK(coverage(bands, misses, 1, 400) == Approx(0.9).margin(0.02));
}

TEST_CASE("bands learned from some tens of rows hold at once", "[models]") {
  PredictionBands bands{kEntries};
  Misses misses{Rng{2}};
  std::vector<std::vector<double>> forecasts, measured;
  for (int row = 0; row < 80; ++row) {
    forecasts.push_back(misses.forecast());
    measured.push_back(misses.truth(forecasts.back()));
  }
  bands.learn(1, forecasts, measured);
  CHECK(coverage(bands, misses, 1, 60) == Approx(0.9).margin(0.03));
}

TEST_CASE("bands widen when forecasts become worse, and narrow again", "[models]") {
  PredictionBands bands{kEntries};
  Misses misses{Rng{3}};
  coverage(bands, misses, 1, 300);
  misses.share = 0.3;
  coverage(bands, misses, 1, 60);
  CHECK(coverage(bands, misses, 1, 200) == Approx(0.9).margin(0.03));
  misses.share = 0.05;
  coverage(bands, misses, 1, 150);
  CHECK(coverage(bands, misses, 1, 200) == Approx(0.9).margin(0.04));
}

TEST_CASE("bands rise with their share, are never below zero and are nothing for what never sent", "[models]") {
  PredictionBands bands{kEntries};
  Misses misses{Rng{4}, 0.8};
  coverage(bands, misses, 1, 50);
  coverage(bands, misses, 5, 50);
  for (const std::size_t horizon : {1U, 5U, 12U}) {
    const auto forecast = misses.forecast();
    const auto around = bands.around(horizon, forecast);
    for (std::size_t i = 0; i < kEntries; ++i) {
      CHECK(around[i] >= 0.0);
      for (std::size_t share = 1; share < kShares; ++share) {
        CHECK(around[share * kEntries + i] >= around[(share - 1) * kEntries + i]);
      }
    }
    CHECK(around[(kShares - 1) * kEntries] == 0.0);
  }
}

TEST_CASE("bands go on the same after they were kept", "[models]") {
  PredictionBands bands{kEntries};
  Misses misses{Rng{5}};
  coverage(bands, misses, 1, 40);
  PredictionBands kept{kEntries};
  REQUIRE(kept.restore(bands.to_numbers()));
  const auto forecast = misses.forecast();
  CHECK(kept.around(1, forecast) == bands.around(1, forecast));
  std::vector<float> cut = bands.to_numbers();
  cut.pop_back();
  CHECK_FALSE(kept.restore(cut));
}

}  // namespace
}  // namespace wan::models
