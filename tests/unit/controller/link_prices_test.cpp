#include "controller/link_prices.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "controller/vector_exp.h"
#include "core/random.h"

namespace wan::controller {
namespace {

double soft_max(const std::vector<double>& utilization, double eta) {
  const double highest = *std::max_element(utilization.begin(), utilization.end());
  double sum = 0.0;
  for (const double u : utilization) sum += std::exp(eta * (u - highest));
  return highest + std::log(sum) / eta;
}

std::vector<double> moved(std::vector<double> utilization, const std::vector<double>& change, double step) {
  for (std::size_t i = 0; i < utilization.size(); ++i) utilization[i] += step * change[i];
  return utilization;
}

/// Links with random loads, and a step that empties some and fills others.
struct DrawnStep {
  DrawnStep(Rng& rng, std::size_t links) {
    for (std::size_t l = 0; l < links; ++l) {
      utilization.push_back(rng.uniform());
      change.push_back(rng.uniform() < 0.5 ? -utilization.back() * rng.uniform() : 1.5 * rng.uniform());
    }
  }
  std::vector<double> utilization, change;
};

}  // namespace

TEST_CASE("vector_exp agrees with the exponential to 1e-8 over its whole range", "[prices]") {
  double worst = 0.0;
  for (int i = -70000; i <= 70000; ++i) {
    const double x = 0.01 * i;
    worst = std::max(worst, std::abs(vector_exp(x) / std::exp(x) - 1.0));
  }
  Rng rng{7, "vector_exp"};
  for (int i = 0; i < 100000; ++i) {
    const double x = 4.0 * (rng.uniform() - 0.5);
    worst = std::max(worst, std::abs(vector_exp(x) / std::exp(x) - 1.0));
  }
  CHECK(worst < 1e-8);
  CHECK(vector_exp(0.0) == 1.0);
}

TEST_CASE("vector_exp stays finite and above zero outside its range", "[prices]") {
  CHECK(vector_exp(1e9) == vector_exp(700.0));
  CHECK(vector_exp(-1e9) == vector_exp(-700.0));
  CHECK(vector_exp(std::numeric_limits<double>::infinity()) == vector_exp(700.0));
  CHECK(vector_exp(-700.0) > 0.0);
  CHECK(std::isfinite(vector_exp(700.0)));
}

TEST_CASE("soft maximum prices times capacity sum to 1 and follow the gradient", "[prices]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "prices"};
    const std::size_t links = 1 + rng.below(40);
    const double eta = std::pow(10.0, 3.0 * rng.uniform());
    std::vector<double> utilization, inverse_capacity, price(links);
    for (std::size_t l = 0; l < links; ++l) {
      utilization.push_back(rng.uniform());
      inverse_capacity.push_back(std::pow(10.0, -12.0 * rng.uniform()));
    }
    soft_max_prices(utilization, inverse_capacity, eta, price);
    double sum = 0.0;
    for (std::size_t l = 0; l < links; ++l) sum += price[l] / inverse_capacity[l];
    CHECK(sum == Approx(1.0).epsilon(1e-12));

    const std::size_t l = rng.below(links);
    const double nudge = 1e-4 / eta;
    std::vector<double> up = utilization, down = utilization;
    up[l] += nudge;
    down[l] -= nudge;
    const double gradient = (soft_max(up, eta) - soft_max(down, eta)) / (2.0 * nudge) * inverse_capacity[l];
    CHECK(price[l] == Approx(gradient).epsilon(1e-5).margin(1e-9 * inverse_capacity[l]));
  }
}

TEST_CASE("a link that is down has no price", "[prices]") {
  std::vector<double> price(3, -1.0);
  soft_max_prices(std::vector{0.0, 0.5, 0.4}, std::vector{0.0, 1e-9, 1e-9}, 10.0, price);
  CHECK(price[0] == 0.0);
  CHECK(price[1] > price[2]);
  CHECK((price[1] + price[2]) / 1e-9 == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("prices stay finite where one link is loaded a million times more than the others", "[prices]") {
  std::vector<double> price(3);
  soft_max_prices(std::vector{1e6, 1.0, 0.0}, std::vector{1.0, 1e-12, 1e-6}, 1e3, price);
  CHECK(price[0] == Approx(1.0).epsilon(1e-12));
  CHECK(std::isfinite(price[1]));
  CHECK(std::isfinite(price[2]));
}

TEST_CASE("the soft maximum's step is as good as the best of a fine grid", "[prices]") {
  double worst = 0.0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "step"};
    const DrawnStep drawn{rng, 2 + rng.below(30)};
    const double eta = std::pow(10.0, 0.5 + 2.5 * rng.uniform());
    const double slope = 0.2 * (rng.uniform() - 0.5);
    const auto value = [&](double step) {
      return soft_max(moved(drawn.utilization, drawn.change, step), eta) + step * slope;
    };
    double best = value(0.0);
    for (int i = 1; i <= 2000; ++i) best = std::min(best, value(i / 2000.0));
    const double step = soft_max_step(drawn.utilization, drawn.change, eta, slope);
    REQUIRE(step >= 0.0);
    REQUIRE(step <= 1.0);
    const double gain = value(0.0) - best;
    CHECK(value(step) <= value(0.0) + 1e-12);
    if (gain > 1e-6) worst = std::max(worst, (value(step) - best) / gain);
  }
  CHECK(worst < 0.05);
}

TEST_CASE("the soft maximum's step is nothing uphill and everything downhill", "[prices]") {
  const std::vector<double> utilization{0.9, 0.1};
  CHECK(soft_max_step(utilization, std::vector{0.05, -0.05}, 100.0, 0.0) == 0.0);
  CHECK(soft_max_step(utilization, std::vector{-0.5, 0.1}, 100.0, 0.0) == 1.0);
  CHECK(soft_max_step(utilization, std::vector{-0.5, 0.1}, 100.0, 10.0) == 0.0);  // the slope outweighs what is won
}

TEST_CASE("the barrier's step is as good as the best of a fine grid", "[prices]") {
  double worst = 0.0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "barrier"};
    const DrawnStep drawn{rng, 2 + rng.below(30)};
    const double eta = std::pow(10.0, 1.0 + 2.0 * rng.uniform());
    const double slope = -0.5 * rng.uniform();
    const auto value = [&](double step) {
      double sum = 0.0;
      for (const double u : moved(drawn.utilization, drawn.change, step)) sum += std::exp(eta * (u - 1.0));
      return sum / eta + step * slope;
    };
    double best = value(0.0);
    for (int i = 1; i <= 2000; ++i) best = std::min(best, value(i / 2000.0));
    const double step = barrier_step(drawn.utilization, drawn.change, eta, 1.0, slope);
    REQUIRE(step >= 0.0);
    REQUIRE(step <= 1.0);
    CHECK(value(step) <= value(0.0) + 1e-12);
    const double gain = value(0.0) - best;
    if (gain > 1e-6) worst = std::max(worst, (value(step) - best) / gain);
  }
  CHECK(worst < 0.05);
}

TEST_CASE("the barrier finds a step although the far end of the move overloads a link beyond all numbers", "[prices]") {
  // Step 1 would load the second link a million times over; what fits is a millionth of the move.
  const double step = barrier_step(std::vector{0.5, 0.0}, std::vector{-0.5, 1e6}, 1000.0, 1.0, -1.0);
  CHECK(step > 0.5e-6);
  CHECK(step < 1.01e-6);
  const double beyond = barrier_step(std::vector{0.5, 0.0}, std::vector{-0.5, 1e12}, 1000.0, 1.0, -1.0);
  CHECK(beyond > 0.5e-12);
  CHECK(beyond < 1.01e-12);
}

TEST_CASE("barrier prices are the barrier's gradient", "[prices]") {
  std::vector<double> price(3);
  barrier_prices(std::vector{1.0, 0.5, 0.0}, std::vector{1e-9, 2e-9, 0.0}, 10.0, 3.0, price);
  CHECK(price[0] == Approx(3e-9).epsilon(1e-8));
  CHECK(price[1] == Approx(6e-9 * std::exp(-5.0)).epsilon(1e-8));
  CHECK(price[2] == 0.0);
}

}  // namespace wan::controller
