#include "models/lag_model.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "models/cholesky.h"
#include "models/features.h"
#include "tests/unit/models/synthetic_traffic.h"

namespace wan::models {
namespace {

std::vector<std::uint32_t> rows_from(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count - first);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  return rows;
}

TEST_CASE("a positive definite system is solved and a singular one refused", "[models]") {
  std::vector<double> matrix{4, 0, 0, 2, 5, 0, 1, 3, 6};  // lower triangle of a symmetric one
  std::vector<double> rhs{4 * 1 + 2 * 2 + 1 * 3, 2 * 1 + 5 * 2 + 3 * 3, 1 * 1 + 3 * 2 + 6 * 3};
  REQUIRE(solve_positive_definite(matrix, rhs));
  CHECK(rhs[0] == Approx(1.0));
  CHECK(rhs[1] == Approx(2.0));
  CHECK(rhs[2] == Approx(3.0));

  std::vector<double> singular{1, 0, 1, 1};
  std::vector<double> any{1, 1};
  CHECK_FALSE(solve_positive_definite(singular, any));
}

TEST_CASE("normal equations fit a weighted line", "[models]") {
  NormalEquations line{2};
  for (int x = 0; x < 5; ++x) line.add(std::vector<double>{1.0, static_cast<double>(x)}, 3.0 + 2.0 * x, 1.0 + x);
  const auto solved = line.solve();
  REQUIRE(solved.size() == 2);
  CHECK(solved[0] == Approx(3.0));
  CHECK(solved[1] == Approx(2.0));
  CHECK(NormalEquations{2}.solve().empty());
}

TEST_CASE("the lag model follows a swing that it has seen, whatever the size of the pair", "[models]") {
  const auto series = test::swinging_traffic(4, 400, 0.0, 1);
  const PairIndex pairs{4, 1};
  const std::vector<double> ridge{0.003};
  const LagModel model = fit_lag_models(to_columns(pairs, series.intervals), rows_from(24, 300), ridge).front();
  for (std::size_t row = 300; row < 400; ++row) {
    const auto base = forecast_base(pairs, model, std::span{series.intervals}.subspan(row - 24, 24));
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = series.intervals[row].bps()[pairs.position(pair)];
      const double forecast = static_cast<double>(base.forecast[pair]) * base.scale_bps[pair];
      REQUIRE(forecast == Approx(truth).epsilon(0.05).margin(1.0));
    }
  }
}

TEST_CASE("outliers hardly move the lag model", "[models]") {
  Rng rng{3};
  PairColumns columns{.rows = 600, .bps = {}};
  for (std::size_t row = 0; row < columns.rows; ++row) columns.bps.push_back(1e6 * (1.0 + 0.01 * rng.normal()));
  for (std::size_t row = 50; row < columns.rows; row += 60) columns.bps[row] *= 8.0;
  const std::vector<double> ridge{0.01};
  const LagModel model = fit_lag_models(columns, rows_from(24, 600), ridge).front();
  const std::vector<double> calm(LagModel::kLags, 1e6);
  const double scale = model.scale_bps(0, calm);
  CHECK(model.predict(0, calm, scale) * scale == Approx(1e6).epsilon(0.03));
}

TEST_CASE("a strong ridge makes all pairs share their weights", "[models]") {
  const auto series = test::swinging_traffic(4, 300, 0.2, 1);
  const PairIndex pairs{4, 1};
  const std::vector<double> ridges{0.01, 1e9};
  const auto models = fit_lag_models(to_columns(pairs, series.intervals), rows_from(24, 300), ridges);
  const auto spread = [](const LagModel& model) {
    double largest = 0.0;
    for (std::size_t i = LagModel::kInputs; i < model.weights.size(); ++i) {
      largest =
          std::max(largest, std::abs(static_cast<double>(model.weights[i] - model.weights[i % LagModel::kInputs])));
    }
    return largest;
  };
  CHECK(spread(models[1]) < 1e-5);
  CHECK(spread(models[0]) > 1e-2);
}

TEST_CASE("a lag model for several intervals ahead follows the swing that far", "[models]") {
  const auto series = test::swinging_traffic(4, 400, 0.0, 1);
  const PairIndex pairs{4, 1};
  constexpr std::size_t kAhead = 6;
  const LagModel model = fit_lag_models(to_columns(pairs, series.intervals), rows_from(24 + kAhead - 1, 300),
                                        std::vector<double>{0.003}, {.horizon = kAhead, .level = true})
                             .front();
  for (std::size_t row = 300; row < 400; ++row) {
    const auto base = forecast_base(pairs, model, std::span{series.intervals}.subspan(row - kAhead - 23, 24));
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const double truth = series.intervals[row].bps()[pairs.position(pair)];
      REQUIRE(static_cast<double>(base.forecast[pair]) * base.scale_bps[pair] ==
              Approx(truth).epsilon(0.1).margin(1.0));
    }
  }
}

TEST_CASE("with its level inputs a lag model lets a pair return to its mean, without them it has none", "[models]") {
  Rng rng{5};
  PairColumns columns{.rows = 500, .bps = {}};
  for (std::size_t row = 0; row < columns.rows; ++row) columns.bps.push_back(1e6 * (1.0 + 0.3 * rng.normal()));
  for (double& bps : columns.bps) bps = std::max(bps, 0.0);
  const std::vector<double> ridge{0.01};
  const auto plain = fit_lag_models(columns, rows_from(24, 500), ridge).front();
  const auto level = fit_lag_models(columns, rows_from(24, 500), ridge, {.level = true}).front();
  CHECK(plain.weights[LagModel::kLags] == Approx(0.0).margin(1e-6));
  CHECK(plain.weights[LagModel::kLags + 1] == Approx(0.0).margin(1e-6));
  CHECK(level.weights[LagModel::kLags] + level.weights[LagModel::kLags + 1] > 0.3F);
}

TEST_CASE("a lag predictor says of all pairs at once, to the last bit, what its model says one by one", "[models]") {
  const PairIndex pairs{4, 2};
  Rng rng{5, "lag predictor"};
  LagModel model;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    model.mean_bps.push_back(static_cast<float>(1e7 * rng.uniform()));
    for (std::size_t i = 0; i < LagModel::kInputs; ++i) {
      model.weights.push_back(static_cast<float>(rng.uniform() - 0.45));  // some forecasts would be below zero
    }
  }
  model.derive_floor();
  const auto series = test::swinging_traffic(4, 60, 0.5, 1, 2);
  std::size_t zeros = 0;
  for (std::size_t row = 1; row < 60; ++row) {  // short histories too
    const auto history = std::span{series.intervals}.first(row);
    const RecentTraffic recent = recent_traffic(pairs, model, history);
    std::vector<double> units(pairs.size());
    LagPredictor{model}.predict(recent.bps, recent.scale_bps, units);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const LagWindow window = window_of(history, pairs.position(pair));
      REQUIRE(recent.scale_bps[pair] == model.scale_bps(pair, window));
      REQUIRE(units[pair] == model.predict(pair, window, recent.scale_bps[pair]));
      if (units[pair] == 0.0) ++zeros;
    }
  }
  CHECK(zeros > 0);
}

}  // namespace
}  // namespace wan::models
