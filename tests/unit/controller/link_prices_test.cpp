#include "controller/link_prices.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "controller/vector_exp.h"
#include "core/random.h"

namespace wan::controller {

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

TEST_CASE("prices are the gradient of the soft maximum, up to one factor", "[prices]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "prices"};
    const std::size_t links = 2 + rng.below(40);
    const double sharpness = std::pow(10.0, 2.0 * rng.uniform());
    std::vector<double> utilization, inverse_capacity, price(links);
    for (std::size_t l = 0; l < links; ++l) {
      utilization.push_back(rng.uniform());
      inverse_capacity.push_back(std::pow(10.0, -9.0 - rng.uniform()));
    }
    const double highest = *std::max_element(utilization.begin(), utilization.end());
    link_prices(utilization, inverse_capacity, sharpness, highest, price);
    const auto soft_maximum = [&](std::size_t l, double nudge) {
      double sum = 0.0;
      for (std::size_t i = 0; i < links; ++i) {
        sum += std::exp(sharpness * (utilization[i] + (i == l ? nudge : 0.0) - highest));
      }
      return std::log(sum) / sharpness;
    };
    double sum = 0.0;
    for (std::size_t l = 0; l < links; ++l) sum += price[l] / inverse_capacity[l];
    for (std::size_t l = 0; l < links; ++l) {
      const double gradient = (soft_maximum(l, 1e-5) - soft_maximum(l, -1e-5)) / 2e-5 * inverse_capacity[l];
      CHECK(price[l] / sum == Approx(gradient).epsilon(1e-3).margin(1e-16));
    }
  }
}

TEST_CASE("prices stay finite however far a link is from the reference", "[prices]") {
  std::vector<double> price(3);
  link_prices(std::vector{1e9, 1.0, 0.0}, std::vector{1e-9, 1e-9, 1e-9}, 1e3, 1.0, price);
  for (const double p : price) {
    CHECK(std::isfinite(p));
    CHECK(p > 0.0);
  }
}

}  // namespace wan::controller
