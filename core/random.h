#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wan {

/// A seeded stream of random numbers, the same on every platform (xoshiro256++).
///
/// One stream a component: `Rng{seed, "traffic"}` and `Rng{seed, "bursts"}` do not disturb each other.
/// Threads: one owner. Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", TOMS 2021.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::string_view stream = {});

  [[nodiscard]] std::uint64_t next();
  /// Uniform in [0, 1).
  [[nodiscard]] double uniform();
  /// Uniform in [0, bound); bound must be above zero.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// Mean 0, standard deviation 1.
  [[nodiscard]] double normal();
  /// Mean 1.
  [[nodiscard]] double exponential();

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace wan
