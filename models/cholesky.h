#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wan::models {

/// Solves A x = b for a small symmetric positive definite A.
///
/// @param matrix  n x n, row by row; only the lower triangle is read; overwritten by its factor
/// @param rhs     n numbers; overwritten by the solution
/// @return        false when A is not positive definite (to rounding): `rhs` is then worthless
/// Cost: n^3 / 6 multiplications; meant for tens of unknowns. Threads: reentrant.
[[nodiscard]] bool solve_positive_definite(std::span<double> matrix, std::span<double> rhs);

/// The two halves of the above, for several right-hand sides.
[[nodiscard]] bool factor_positive_definite(std::span<double> matrix, std::size_t unknowns);
/// @param factor  n x n, as the function above leaves it
void solve_factored(std::span<const double> factor, std::span<double> rhs);

/// The sums of a weighted least-squares fit: add observations, then solve.
class NormalEquations {
 public:
  explicit NormalEquations(std::size_t unknowns) : matrix_(unknowns * unknowns), rhs_(unknowns) {}

  /// One observation: `weight` times (inputs . x - target)^2.
  void add(std::span<const double> inputs, double target, double weight);
  /// Pulls unknown `index` towards `value` as if it had been observed with `weight`.
  void pull(std::size_t index, double value, double weight);
  /// @return the least-squares unknowns; empty when they are not determined
  [[nodiscard]] std::vector<double> solve() const;

 private:
  std::vector<double> matrix_;  // lower triangle of sum w x x'
  std::vector<double> rhs_;     // sum w x y
};

}  // namespace wan::models
