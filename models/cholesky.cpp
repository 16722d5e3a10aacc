#include "models/cholesky.h"

#include <cassert>
#include <cmath>

namespace wan::models {

bool factor_positive_definite(std::span<double> matrix, std::size_t unknowns) {
  const std::size_t n = unknowns;
  assert(matrix.size() == n * n);
  const auto row = [&](std::size_t i) { return matrix.subspan(i * n, n); };
  for (std::size_t j = 0; j < n; ++j) {
    const auto own = row(j);
    double pivot = own[j];
    for (std::size_t k = 0; k < j; ++k) pivot -= own[k] * own[k];
    // A pivot lost to cancellation means that this unknown depends on the ones before it.
    if (!(pivot > 1e-14 * std::abs(own[j]))) return false;
    own[j] = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < n; ++i) {
      const auto other = row(i);
      double sum = other[j];
      for (std::size_t k = 0; k < j; ++k) sum -= other[k] * own[k];
      other[j] = sum / own[j];
    }
  }
  return true;
}

void solve_factored(std::span<const double> factor, std::span<double> rhs) {
  const std::size_t n = rhs.size();
  assert(factor.size() == n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) rhs[i] -= factor[i * n + k] * rhs[k];
    rhs[i] /= factor[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) rhs[i] -= factor[k * n + i] * rhs[k];
    rhs[i] /= factor[i * n + i];
  }
}

bool solve_positive_definite(std::span<double> matrix, std::span<double> rhs) {
  if (!factor_positive_definite(matrix, rhs.size())) return false;
  solve_factored(matrix, rhs);
  return true;
}

void NormalEquations::add(std::span<const double> inputs, double target, double weight) {
  const std::size_t n = rhs_.size();
  assert(inputs.size() == n);
  for (std::size_t i = 0; i < n; ++i) {
    const double scaled = weight * inputs[i];
    rhs_[i] += scaled * target;
    for (std::size_t j = 0; j <= i; ++j) matrix_[i * n + j] += scaled * inputs[j];
  }
}

void NormalEquations::pull(std::size_t index, double value, double weight) {
  matrix_[index * rhs_.size() + index] += weight;
  rhs_[index] += weight * value;
}

std::vector<double> NormalEquations::solve() const {
  std::vector<double> matrix = matrix_;
  std::vector<double> unknowns = rhs_;
  if (!solve_positive_definite(matrix, unknowns)) return {};
  return unknowns;
}

}  // namespace wan::models
