#include "models/features.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"
#include "tests/unit/models/synthetic_traffic.h"

namespace wan::models {
namespace {

TEST_CASE("features stay finite and bounded for silence and for a sudden burst", "[models]") {
  const PairIndex pairs{3, 2};
  LagModel model;
  model.mean_bps.assign(pairs.size(), 0.0F);
  model.weights.assign(pairs.size() * LagModel::kInputs, 0.1F);
  model.derive_floor();
  const SeasonProfile seasons{pairs.size(), std::chrono::seconds{300}};
  std::vector<TrafficMatrix> history(3, TrafficMatrix{3, 2});
  history.back().set(TrafficClass{1}, NodeId{0}, NodeId{2}, BitRate::gbps(1000));
  const auto base = forecast_base(pairs, model, history);
  std::vector<float> features(pairs.size() * kFeatureCount);
  describe(pairs, model, seasons, history, Timestamp{}, base, {}, features);
  for (const float feature : features) {
    REQUIRE(std::isfinite(feature));
    REQUIRE(feature >= -4.0F);
    REQUIRE(feature <= 6.0F);
  }
}

double median_of(LagWindow window, std::size_t count) {
  std::sort(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(count));
  return window[count / 2];
}

TEST_CASE("the signs of a spike are medians, steps and a mean of the newest values", "[models]") {
  const PairIndex pairs{5, 1};
  LagModel scales;
  scales.mean_bps.assign(pairs.size(), 5.0F);
  scales.derive_floor();
  Rng rng{3, "spikes"};
  for (int round = 0; round < 200; ++round) {
    std::vector<TrafficMatrix> history(30, TrafficMatrix{5, 1});
    for (TrafficMatrix& matrix : history) {
      // Few different values, so that many are equal.
      for (double& bps : matrix.bps()) bps = static_cast<double>(rng.below(7));
    }
    const RecentTraffic recent = recent_traffic(pairs, scales, history);
    const PairSigns signs = signs_of(pairs, recent);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      const LagWindow window = window_of(history, pairs.position(pair));
      const auto sign = [&](std::size_t i) { return signs.spikes[i * pairs.size() + pair]; };
      const double scale = scales.scale_bps(pair, window);
      REQUIRE(sign(0) == (median_of(window, 3) - window[0]) / scale);
      REQUIRE(sign(1) == (median_of(window, 5) - window[0]) / scale);
      REQUIRE(sign(2) == (median_of(window, 9) - window[0]) / scale);
      REQUIRE(signs.medians_of_five_bps[pair] == median_of(window, 5));
      REQUIRE(sign(3) == std::clamp((window[0] - window[1]) / scale, -0.15, 0.15));
      REQUIRE(sign(4) == std::clamp((window[0] - window[1]) / scale, -0.4, 0.4));
      const double six = (window[0] + window[1] + window[2] + window[3] + window[4] + window[5]) / 6.0;
      REQUIRE(sign(5) == std::clamp((window[0] - six) / scale, -0.2, 0.2));
      REQUIRE(signs.relative[7 * pairs.size() + pair] == window[7] / scale);
    }
  }
}

TEST_CASE("movements of totals are those of the pair's source, destination and network", "[models]") {
  const PairIndex pairs{3, 1};
  LagModel scales;
  scales.mean_bps.assign(pairs.size(), 1e6F);
  scales.derive_floor();
  std::vector<TrafficMatrix> history(12, TrafficMatrix{3, 1});
  for (TrafficMatrix& matrix : history) {
    for (const auto& [from, to] : {std::pair{0, 1}, std::pair{1, 2}, std::pair{2, 0}}) {
      matrix.set(NodeId{static_cast<std::size_t>(from)}, NodeId{static_cast<std::size_t>(to)}, BitRate::mbps(1));
    }
  }
  history.back().set(NodeId{0}, NodeId{1}, BitRate::mbps(13));  // of twelve: one of 13, eleven of 1, mean 2
  const RecentTraffic recent = recent_traffic(pairs, scales, history);
  const PairSigns signs = signs_of(pairs, recent);
  const auto movement = [&](std::size_t pair, std::size_t i) {
    return signs.movements[i * pairs.size() + pair] / signs.relative[pair];
  };
  REQUIRE(pairs.source(0) == 0);  // from 0 to 1
  REQUIRE(pairs.destination(0) == 1);
  for (const std::size_t end : {0U, 3U}) {  // what its source sent, what its destination received
    CHECK(movement(0, end) == Approx(13.0 / 2.0 - 1.0));
    CHECK(movement(0, end + 1) == Approx(1.0 / 2.0 - 1.0));
    CHECK(movement(0, end + 2) == Approx(1.0 / 2.0 - 1.0));
  }
  CHECK(movement(0, 6) == Approx(15.0 / 4.0 - 1.0));
  const std::size_t other = 3;  // from 1 to 2
  REQUIRE(pairs.source(other) == 1);
  REQUIRE(pairs.destination(other) == 2);
  for (std::size_t i = 0; i < 6; ++i) CHECK(movement(other, i) == Approx(0.0).margin(1e-6));
  CHECK(movement(other, 6) == Approx(15.0 / 4.0 - 1.0));
}

}  // namespace
}  // namespace wan::models
