#include "core/random.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace wan;

namespace {

std::vector<std::uint64_t> draw(Rng rng, std::size_t count) {
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(rng.next());
  return values;
}

double correlation(Rng a, Rng b, std::size_t count) {
  double product = 0.0;
  for (std::size_t i = 0; i < count; ++i) product += (a.uniform() - 0.5) * (b.uniform() - 0.5);
  return product / static_cast<double>(count) * 12.0;
}

}  // namespace

TEST_CASE("equal seeds and streams give equal numbers, others differ", "[random]") {
  CHECK(draw(Rng{7, "traffic"}, 100) == draw(Rng{7, "traffic"}, 100));
  CHECK(draw(Rng{7, "traffic"}, 4) != draw(Rng{8, "traffic"}, 4));
  CHECK(draw(Rng{7, "traffic"}, 4) != draw(Rng{7, "bursts"}, 4));
  CHECK(draw(Rng{7}, 4) != draw(Rng{7, "a"}, 4));
}

TEST_CASE("the sequence is xoshiro256++ seeded by splitmix64", "[random]") {
  // Computed by an independent program from the algorithms as published, seed 42, no stream.
  const std::array<std::uint64_t, 3> expected{0xd0764d4f4476689fULL, 0x519e4174576f3791ULL, 0xfbe07cfb0c24ed8cULL};
  Rng rng{42};
  for (const std::uint64_t value : expected) CHECK(rng.next() == value);
}

TEST_CASE("streams of one seed, and neighbouring seeds, are uncorrelated", "[random]") {
  constexpr std::size_t kDraws = 100'000;
  const double three_sigma = 3.0 / std::sqrt(static_cast<double>(kDraws));
  CHECK(std::abs(correlation(Rng{1, "a"}, Rng{1, "b"}, kDraws)) < three_sigma);
  CHECK(std::abs(correlation(Rng{1, "a"}, Rng{2, "a"}, kDraws)) < three_sigma);
  CHECK(std::abs(correlation(Rng{0}, Rng{1}, kDraws)) < three_sigma);
}

TEST_CASE("distributions have the moments they promise", "[random]") {
  Rng rng{3, "moments"};
  constexpr int kDraws = 200'000;
  double uniform = 0.0, normal = 0.0, normal_square = 0.0, exponential = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    REQUIRE((u >= 0.0 && u < 1.0));
    uniform += u / kDraws;
    const double z = rng.normal();
    REQUIRE(std::isfinite(z));
    normal += z / kDraws;
    normal_square += z * z / kDraws;
    const double e = rng.exponential();
    REQUIRE((e >= 0.0 && std::isfinite(e)));
    exponential += e / kDraws;
  }
  CHECK(uniform == Approx(0.5).margin(0.003));
  CHECK(normal == Approx(0.0).margin(0.01));
  CHECK(normal_square == Approx(1.0).margin(0.02));
  CHECK(exponential == Approx(1.0).margin(0.01));
}

TEST_CASE("below a bound every value is equally likely", "[random]") {
  Rng rng{5, "below"};
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts.at(rng.below(6));
  for (const int count : counts) CHECK(count == Approx(10'000).margin(400));
  for (int i = 0; i < 100; ++i) CHECK(rng.below(1) == 0);
}
