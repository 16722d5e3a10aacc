#pragma once

#include <bit>
#include <cstdint>

// Compiled once for each kind of vector register; the right one is chosen when the program starts. Sanitizers run
// before that choice can be made, so there the plain version stands alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
#define WAN_VECTOR_CLONES
#else
#define WAN_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif

namespace wan::controller {

/// e^x to a relative 1e-8 in [-700, 700] (outside: as at the ends), written so that a loop over it becomes vector code.
/// Source: range reduction by powers of two, Taylor polynomial on [-ln 2 / 2, ln 2 / 2].
[[gnu::always_inline]] inline double vector_exp(double x) {
  x = x < -700.0 ? -700.0 : x;
  x = x > 700.0 ? 700.0 : x;
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to the nearest integer
  const double shifted = x * 1.4426950408889634 + kRound;
  const double whole = shifted - kRound;
  const double r = x - whole * 0.6931471805599453;
  const double p =
      1.0 + r * (1.0 + r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r / 5040))))));
  const std::uint64_t power = (std::bit_cast<std::uint64_t>(shifted) + 1023) << 52;
  return p * std::bit_cast<double>(power);
}

}  // namespace wan::controller
