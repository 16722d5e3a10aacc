#include "models/expert_mix.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"

namespace wan::models {
namespace {

/// Two pairs, three experts: the first is right about pair 0, the second about pair 1, the third never.
ExpertRecord divided_skill(std::size_t rows, std::uint64_t seed) {
  Rng rng{seed};
  ExpertRecord record;
  record.rows = rows;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t pair = 0; pair < 2; ++pair) {
      const double truth = 100.0 + 10.0 * rng.normal();
      for (std::size_t expert = 0; expert < 3; ++expert) {
        const double error = expert == pair ? rng.normal() : 20.0 * rng.normal();
        record.forecasts.push_back(static_cast<float>(truth + error));
      }
      record.truth.push_back(truth);
    }
  }
  return record;
}

TEST_CASE("each pair comes to listen to the expert that knows it", "[models]") {
  const ExpertMix mix = fit_expert_mix(3, {10.0F, 10.0F}, divided_skill(200, 1));
  const std::vector<float> said{1.0F, 2.0F, 50.0F}, nothing(3, 0.0F);
  CHECK(mix.mix(0, said, nothing) == Approx(1.0).margin(0.05));
  CHECK(mix.mix(1, said, nothing) == Approx(2.0).margin(0.05));
}

TEST_CASE("a mixture lies within what its experts say", "[models]") {
  const ExpertMix mix = fit_expert_mix(3, {10.0F, 10.0F}, divided_skill(20, 2));
  Rng rng{3};
  for (int round = 0; round < 500; ++round) {
    std::vector<float> said, recent;
    for (int e = 0; e < 3; ++e) {
      said.push_back(static_cast<float>(1e9 * rng.uniform()));
      recent.push_back(static_cast<float>(1000.0 * rng.normal()));  // weights far apart: nothing may overflow
    }
    const double mixed = mix.mix(static_cast<std::size_t>(round % 2), said, recent);
    CHECK(mixed >= static_cast<double>(*std::min_element(said.begin(), said.end())) * (1.0 - 1e-6));
    CHECK(mixed <= static_cast<double>(*std::max_element(said.begin(), said.end())) * (1.0 + 1e-6));
  }
}

TEST_CASE("recent losses turn a pair from one expert to another and back", "[models]") {
  const ExpertMix mix = fit_expert_mix(3, {10.0F, 10.0F}, divided_skill(40, 4));
  const std::vector<float> said{1.0F, 2.0F, 50.0F};
  std::vector<float> recent(3, 0.0F);
  // From now on the first expert is far off and the second right.
  for (int row = 0; row < 400; ++row) mix.add_losses(0, std::vector<float>{160.0F, 100.0F, 160.0F}, 100.0, recent);
  CHECK(mix.mix(0, said, recent) == Approx(2.0).margin(0.05));
  for (int row = 0; row < 800; ++row) mix.add_losses(0, std::vector<float>{100.0F, 160.0F, 160.0F}, 100.0, recent);
  CHECK(mix.mix(0, said, recent) == Approx(1.0).margin(0.05));
}

TEST_CASE("one jump that all experts missed changes no weight", "[models]") {
  const ExpertMix mix = fit_expert_mix(3, {10.0F, 10.0F}, divided_skill(40, 5));
  std::vector<float> losses(3, 0.0F);
  mix.add_losses(0, std::vector<float>{100.0F, 100.0F, 100.0F}, 1e6, losses);
  for (const float loss : losses) CHECK(loss == Approx(0.0).margin(1e-3));
  mix.add_losses(0, std::vector<float>{100.0F, 1e6F, 100.0F}, 1e6, losses);
  for (const float loss : losses) CHECK(std::abs(loss) <= ExpertMix::kLossMax);
}

}  // namespace
}  // namespace wan::models
