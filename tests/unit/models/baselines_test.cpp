#include "models/baselines.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"
#include "models/evaluation.h"
#include "tests/unit/models/synthetic_traffic.h"

namespace wan::models {
namespace {

/// Matrices of two nodes whose only traffic, from the first to the second, takes these values in bit/s.
std::vector<TrafficMatrix> one_pair(const std::vector<double>& bps) {
  std::vector<TrafficMatrix> intervals;
  for (std::size_t row = 0; row < bps.size(); ++row) {
    TrafficMatrix matrix{2};
    matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(bps[row]));
    matrix.set_measured_at(Timestamp{std::chrono::seconds{300 * static_cast<std::int64_t>(row)}});
    intervals.push_back(matrix);
  }
  return intervals;
}

double foretold(const Forecaster& forecaster, std::span<const TrafficMatrix> history) {
  return forecaster.next(history).value().at(NodeId{0}, NodeId{1}).bps();
}

TEST_CASE("the last value is forecast one interval on", "[models]") {
  const auto history = one_pair({5, 7, 11});
  const auto forecast = make_last_value_forecaster()->next(history);
  REQUIRE(forecast);
  CHECK(forecast->at(NodeId{0}, NodeId{1}).bps() == 11.0);
  CHECK(forecast->measured_at() == Timestamp{std::chrono::seconds{900}});
}

TEST_CASE("a moving average of a constant is that constant", "[models]") {
  const auto history = one_pair(std::vector<double>(50, 42.0));
  CHECK(foretold(*make_ewma_forecaster(0.3), history) == Approx(42.0));
}

TEST_CASE("a moving average weighs values by powers of 1 - alpha", "[models]") {
  const auto history = one_pair({8, 0, 16});
  // ((8 * 0.75 + 0 * 0.25) * 0.75) + 16 * 0.25
  CHECK(foretold(*make_ewma_forecaster(0.25), history) == Approx(8.5));
}

TEST_CASE("a moving average looks back as far as it matters", "[models]") {
  std::vector<double> bps(400, 1.0);
  bps[0] = 1e6;
  for (const double alpha : {0.05, 0.5, 1.0}) {
    const auto forecaster = make_ewma_forecaster(alpha);
    const std::size_t window = forecaster->history_intervals();
    REQUIRE(window < 400);
    CHECK(std::pow(1.0 - alpha, static_cast<double>(window)) <= 1e-6);
    CHECK(foretold(*forecaster, one_pair(bps)) == Approx(1.0));
  }
}

TEST_CASE("the fitted alpha is high for a random walk and low for noise around a mean", "[models]") {
  Rng rng{7};
  std::vector<double> walk{1000.0}, noise{1000.0};
  for (int i = 0; i < 600; ++i) {
    walk.push_back(std::max(walk.back() + 10.0 * rng.normal(), 0.0));
    noise.push_back(1000.0 + 100.0 * rng.normal());
  }
  CHECK(fit_ewma_alpha(one_pair(walk)) >= 0.85);
  CHECK(fit_ewma_alpha(one_pair(noise)) <= 0.15);
  CHECK(fit_ewma_alpha(one_pair({3})) == 1.0);
}

TEST_CASE("the autoregression finds the weights of a known process", "[models]") {
  Rng rng{11};
  std::vector<double> bps{1000.0, 1000.0};
  for (int i = 0; i < 4000; ++i) {
    const std::size_t n = bps.size();
    bps.push_back(std::max(200.0 + 0.5 * bps[n - 1] + 0.3 * bps[n - 2] + 100.0 * rng.normal(), 0.0));
  }
  const auto fitted = fit_ar12(one_pair(bps));
  REQUIRE(fitted);
  const double* const weights = &fitted->weights[Ar12::kUnknowns];  // entry (0, 1)
  CHECK(weights[0] * fitted->mean_bps[1] == Approx(200.0).margin(60.0));
  CHECK(weights[1] == Approx(0.5).margin(0.05));
  CHECK(weights[2] == Approx(0.3).margin(0.05));
  for (std::size_t lag = 3; lag <= Ar12::kLags; ++lag) CHECK(weights[lag] == Approx(0.0).margin(0.06));
}

TEST_CASE("the autoregression forecasts a sine wave almost exactly", "[models]") {
  std::vector<double> bps;
  for (int i = 0; i < 500; ++i) bps.push_back(1000.0 + 500.0 * std::sin(0.3 * i));
  const auto intervals = one_pair(bps);
  const auto forecaster = fit_ar12_forecaster(std::span{intervals}.first(400));
  REQUIRE(forecaster);
  CHECK(score_forecaster(**forecaster, intervals, 400, 500)->nmae < 0.005);
  CHECK(score_forecaster(*make_last_value_forecaster(), intervals, 400, 500)->nmae > 0.05);
}

TEST_CASE("the autoregression forecasts nothing for a pair that was silent, and nothing below zero", "[models]") {
  std::vector<double> falling;
  for (int i = 0; i < 60; ++i) falling.push_back(6000.0 - 100.0 * i);
  const auto intervals = one_pair(falling);
  const auto forecaster = fit_ar12_forecaster(intervals);
  REQUIRE(forecaster);
  const auto forecast = (*forecaster)->next(one_pair({500, 400, 300, 200, 100, 0}));
  REQUIRE(forecast);
  CHECK(forecast->at(NodeId{1}, NodeId{0}).bps() == 0.0);
  CHECK(forecast->at(NodeId{0}, NodeId{1}).bps() >= 0.0);
}

TEST_CASE("forecasters do their best with a history of one interval", "[models]") {
  const auto training = test::swinging_traffic(3, 60, 0.05, 1).intervals;
  const auto one = std::span{training}.first(1);
  const auto ar12 = fit_ar12_forecaster(training);
  REQUIRE(ar12);
  CHECK(make_last_value_forecaster()->next(one)->bps()[2] == training[0].bps()[2]);
  CHECK(make_ewma_forecaster(0.4)->next(one)->bps()[2] == training[0].bps()[2]);
  CHECK((*ar12)->next(one)->bps()[2] > 0.0);
}

TEST_CASE("forecasters refuse histories that are empty or of another shape", "[models]") {
  const auto training = test::swinging_traffic(3, 60, 0.05, 1).intervals;
  const auto ar12 = fit_ar12_forecaster(training);
  REQUIRE(ar12);
  const std::vector<TrafficMatrix> mixed{TrafficMatrix{3}, TrafficMatrix{4}};
  const std::vector<TrafficMatrix> other{TrafficMatrix{4}};
  for (const auto* forecaster : {ar12->get()}) {
    CHECK(forecaster->next({}).error().code == ErrorCode::kShapeMismatch);
    CHECK(forecaster->next(mixed).error().code == ErrorCode::kShapeMismatch);
    CHECK(forecaster->next(other).error().code == ErrorCode::kShapeMismatch);
  }
  CHECK(make_ewma_forecaster(0.5)->next(mixed).error().code == ErrorCode::kShapeMismatch);
  CHECK(make_last_value_forecaster()->next({}).error().code == ErrorCode::kShapeMismatch);
}

TEST_CASE("an autoregression needs enough intervals", "[models]") {
  const auto training = test::swinging_traffic(3, 25, 0.05, 1).intervals;
  REQUIRE_FALSE(fit_ar12(training));
  CHECK(fit_ar12(training).error().code == ErrorCode::kBadInput);
}

/// Notes the newest time it was ever shown and forecasts zero.
class Witness final : public Forecaster {
 public:
  std::string_view name() const override { return "witness"; }
  std::size_t history_intervals() const override { return 5; }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    shown.push_back(history.back().measured_at());
    longest = std::max(longest, history.size());
    return TrafficMatrix{history.back().node_count()};
  }
  mutable std::vector<Timestamp> shown;
  mutable std::size_t longest = 0;
};

TEST_CASE("every row is scored on a forecast from the rows before it", "[models]") {
  const auto intervals = test::swinging_traffic(3, 40, 0.05, 1).intervals;
  const Witness witness;
  const auto score = score_forecaster(witness, intervals, 2, 40);
  REQUIRE(score);
  CHECK(score->nmae == Approx(1.0));
  CHECK(score->rrmse == Approx(1.0));
  CHECK(score->rows == 38);
  CHECK(witness.longest == 5);
  for (std::size_t i = 0; i < witness.shown.size(); ++i) CHECK(witness.shown[i] == intervals[i + 1].measured_at());
  CHECK_FALSE(score_forecaster(witness, intervals, 0, 40));
  CHECK_FALSE(score_forecaster(witness, intervals, 5, 41));
  CHECK_FALSE(score_forecaster(witness, intervals, 5, 5));
}

TEST_CASE("mean, peak and season look at their own intervals", "[models]") {
  const auto history = one_pair({1, 9, 2, 4, 6});
  CHECK(foretold(*make_moving_average_forecaster(3), history) == Approx(4.0));
  CHECK(foretold(*make_moving_average_forecaster(100), history) == Approx(4.4));
  CHECK(foretold(*make_peak_forecaster(3), history) == 6.0);
  CHECK(foretold(*make_peak_forecaster(4), history) == 9.0);
  CHECK(foretold(*make_seasonal_forecaster(4), history) == 9.0);
  CHECK(foretold(*make_seasonal_forecaster(100), history) == 1.0);
  const auto ahead = make_seasonal_forecaster(2)->ahead(history, 5);
  REQUIRE(ahead);
  for (std::size_t step = 0; step < 5; ++step) {
    CHECK((*ahead)[step].at(NodeId{0}, NodeId{1}).bps() == (step % 2 == 0 ? 4.0 : 6.0));
    CHECK((*ahead)[step].measured_at() == Timestamp{std::chrono::seconds{300 * (5 + static_cast<int>(step))}});
  }
}

TEST_CASE("what has no opinion of its own further ahead goes on from its own forecasts", "[models]") {
  std::vector<double> bps;
  for (int i = 0; i < 60; ++i) bps.push_back(i % 2 == 0 ? 10.0 : 20.0);
  const auto history = one_pair(bps);
  const auto ar12 = fit_ar12_forecaster(history);
  REQUIRE(ar12);
  const auto ahead = (*ar12)->ahead(history, 4);
  REQUIRE(ahead);
  REQUIRE(ahead->size() == 4);
  for (std::size_t step = 0; step < 4; ++step) {
    CHECK((*ahead)[step].at(NodeId{0}, NodeId{1}).bps() == Approx(step % 2 == 0 ? 10.0 : 20.0).epsilon(0.02));
    CHECK((*ahead)[step].measured_at() == Timestamp{std::chrono::seconds{300 * (60 + static_cast<int>(step))}});
  }
  CHECK((*ahead)[0] == (*ar12)->next(history).value());
}

TEST_CASE("a vector autoregression sees one pair's past in another's future, fitted by rows or by unknowns",
          "[models]") {
  for (const std::size_t rows : {12U + 4U, 300U}) {  // fewer rows than unknowns (18), and more
    Rng rng{11};
    std::vector<TrafficMatrix> intervals;
    double leader = 100.0;
    for (std::size_t row = 0; row < rows; ++row) {
      TrafficMatrix matrix{3};
      matrix.set(NodeId{1}, NodeId{0}, BitRate::bps(leader));  // repeats what the leader sent the interval before
      leader = 100.0 + 50.0 * rng.uniform();
      matrix.set(NodeId{0}, NodeId{1}, BitRate::bps(leader));
      matrix.set_measured_at(Timestamp{std::chrono::seconds{300 * static_cast<std::int64_t>(row)}});
      intervals.push_back(matrix);
    }
    const auto fitted = fit_vector_ar3_forecaster(intervals);
    REQUIRE(fitted);
    const auto forecast = (*fitted)->next(intervals);
    REQUIRE(forecast);
    CHECK(forecast->at(NodeId{1}, NodeId{0}).bps() == Approx(leader).epsilon(0.03));
    CHECK(forecast->at(NodeId{2}, NodeId{0}).bps() == Approx(0.0).margin(1e-6));
  }
  CHECK(fit_vector_ar3_forecaster(one_pair({1, 2, 3})).error().code == ErrorCode::kBadInput);
}

TEST_CASE("scores several intervals ahead are of forecasts made that long before", "[models]") {
  const auto intervals = one_pair({1, 2, 4, 8, 16, 32});
  const auto scores = score_horizons(*make_last_value_forecaster(), intervals, 3, 6, std::vector<std::size_t>{3, 1});
  REQUIRE(scores);
  CHECK((*scores)[0].nmae == Approx((8 - 1 + 16 - 2 + 32 - 4) / 56.0));
  CHECK((*scores)[1].nmae == Approx((8 - 4 + 16 - 8 + 32 - 16) / 56.0));
  CHECK((*scores)[0].row_errors[2] == Approx(28.0 / (56.0 / 3.0)));
  CHECK_FALSE(score_horizons(*make_last_value_forecaster(), intervals, 2, 6, std::vector<std::size_t>{3}));
  CHECK(quantile({3.0, 1.0, 2.0}, 0.5) == 2.0);
  CHECK(quantile({0.0, 10.0}, 0.99) == Approx(9.9));
  CHECK(quantile({}, 0.5) == 0.0);
}

}  // namespace
}  // namespace wan::models
