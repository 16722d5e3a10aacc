#include "models/panel_regression.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "core/random.h"
#include "models/panel_training.h"
#include "tests/unit/models/synthetic_traffic.h"

namespace wan::models {
namespace {

constexpr std::size_t kUsed = 6;

/// Rows whose targets are a pair's own weights times random inputs, with noise. The first pair is silent.
RegressionRows random_rows(std::size_t pairs, std::size_t rows, double noise, std::uint64_t seed,
                           const std::function<double(std::size_t pair, std::size_t input)>& weight) {
  Rng rng{seed};
  RegressionRows made{.pairs = pairs,
                      .rows = rows,
                      .inputs = std::vector<float>(pairs * rows * kRegressionInputs, 0.0F),
                      .targets = std::vector<float>(pairs * rows, 0.0F),
                      .scales = std::vector<float>(pairs * rows, 1.0F),
                      .alive = std::vector<bool>(pairs, true)};
  made.alive[0] = false;
  for (std::size_t i = rows; i < pairs * rows; ++i) {
    double target = noise * rng.normal();
    for (std::size_t input = 0; input < kUsed; ++input) {
      const double value = 1.0 + 0.3 * rng.normal();
      made.inputs[i * kRegressionInputs + input] = static_cast<float>(value);
      target += weight(i / rows, input) * value;
    }
    made.targets[i] = static_cast<float>(target);
    made.scales[i] = static_cast<float>(1e6 * static_cast<double>(1 + i / rows));
  }
  return made;
}

/// How far the pairs' weights of an input lie from what they were made from, on average.
double mean_miss(const PanelRegression& fit, std::size_t pairs, std::size_t input,
                 const std::function<double(std::size_t, std::size_t)>& weight) {
  double sum = 0.0;
  for (std::size_t pair = 1; pair < pairs; ++pair) {
    sum += std::abs(static_cast<double>(fit.weights[pair * kRegressionInputs + input]) - weight(pair, input));
  }
  return sum / static_cast<double>(pairs - 1);
}

TEST_CASE("a panel regression tells in which inputs pairs differ and in which they are alike", "[models]") {
  constexpr std::size_t kPairs = 60, kRows = 120;
  const auto weight = [](std::size_t pair, std::size_t input) {
    return 0.2 + (input == 0 ? 0.3 * std::sin(static_cast<double>(pair)) : 0.0);
  };
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  INFO("seed " << seed);
  const auto fit = fit_panel_regression(random_rows(kPairs, kRows, 0.1, seed, weight), kUsed);
  CHECK(mean_miss(fit, kPairs, 0, weight) < 0.06);  // a shared weight would be off by 0.19
  // Alone, a pair would be off by about 0.1 / 0.3 / sqrt(120) = 0.03.
  for (std::size_t input = 1; input < kUsed; ++input) CHECK(mean_miss(fit, kPairs, input, weight) < 0.028);
}

TEST_CASE("a panel regression uses the inputs it is told to and no others", "[models]") {
  const auto rows = random_rows(5, 80, 0.1, 1, [](std::size_t, std::size_t) { return 0.2; });
  const auto fit = fit_panel_regression(rows, kUsed - 2);
  for (std::size_t i = 0; i < fit.weights.size(); ++i) {
    REQUIRE(std::isfinite(fit.weights[i]));
    if (i % kRegressionInputs >= kUsed - 2) REQUIRE(fit.weights[i] == 0.0F);
  }
  CHECK(fit_panel_regression(rows, kUsed - 2).weights == fit.weights);
}

TEST_CASE("outliers hardly move a panel regression", "[models]") {
  const auto weight = [](std::size_t, std::size_t) { return 0.2; };
  auto rows = random_rows(20, 200, 0.02, 1, weight);
  for (std::size_t i = 7; i < rows.targets.size(); i += 23) rows.targets[i] += 30.0F;
  const auto fit = fit_panel_regression(rows, kUsed);
  for (std::size_t input = 0; input < kUsed; ++input) CHECK(mean_miss(fit, 20, input, weight) < 0.02);
}

TEST_CASE("a forecast of a panel regression is not below zero", "[models]") {
  PanelRegression fit{.weights = std::vector<float>(2 * kRegressionInputs, -1.0F)};
  fit.weights[kRegressionInputs] = 1.5F;
  std::vector<float> inputs(2 * kRegressionInputs, 0.0F);
  inputs[0] = inputs[1] = 2.0F;
  std::vector<double> units(2);
  RegressionPredictor{fit}.predict(inputs, units);
  CHECK(units[0] == 0.0);
  CHECK(units[1] == Approx(3.0));
}

TEST_CASE("what a linear forecast sees stays finite and bounded for silence and for a sudden burst", "[models]") {
  const PairIndex pairs{3, 2};
  LagModel scales;
  scales.mean_bps.assign(pairs.size(), 0.0F);
  scales.derive_floor();
  const DailySteps daily{pairs.size(), std::chrono::seconds{300}};
  std::vector<TrafficMatrix> history(3, TrafficMatrix{3, 2});
  history.back().set(TrafficClass{1}, NodeId{0}, NodeId{2}, BitRate::gbps(1000));
  std::vector<float> inputs(pairs.size() * kRegressionInputs);
  const RecentTraffic recent = recent_traffic(pairs, scales, history);
  describe_linear(scales, daily, recent, signs_of(pairs, recent), Timestamp{}, {}, inputs);
  for (const float input : inputs) {
    REQUIRE(std::isfinite(input));
    REQUIRE(input >= -4.0F);
    REQUIRE(input <= 6.0F);
  }
}

TEST_CASE("regressions on traffic foresee a swing, and nothing of a pair that is silent", "[models]") {
  const auto series = test::swinging_traffic(4, 400, 0.0, 1);
  const PairIndex pairs{4, 1};
  const auto rows = training_rows(pairs, std::span{series.intervals}.first(300), std::chrono::seconds{300});
  const LagModel scales = fit_panel_lags(rows).front();
  const Regressions fitted = fit_regressions(rows, scales);
  REQUIRE(fitted.fits.size() == ExpertPanel::kRegressions);
  std::vector<float> inputs(pairs.size() * kRegressionInputs);
  std::vector<double> units(pairs.size());
  for (std::size_t row = 300; row < 400; ++row) {
    const auto history = lag_history(series.intervals, row);
    const TrafficMatrix& truth = series.intervals[row];
    const RecentTraffic recent = recent_traffic(pairs, scales, history);
    describe_linear(scales, fitted.daily, recent, signs_of(pairs, recent), truth.measured_at(), {}, inputs);
    for (const PanelRegression& fit : fitted.fits) {
      RegressionPredictor{fit}.predict(inputs, units);
      for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
        const double bps = truth.bps()[pairs.position(pair)];
        REQUIRE(units[pair] * recent.scale_bps[pair] == Approx(bps).epsilon(0.05).margin(1e4));
      }
    }
  }
}

}  // namespace
}  // namespace wan::models
