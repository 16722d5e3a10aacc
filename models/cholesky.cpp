#include "models/cholesky.h"

#include <cassert>
#include <cmath>

namespace wan::models {

bool solve_positive_definite(std::span<double> matrix, std::span<double> rhs) {
  const std::size_t n = rhs.size();
  assert(matrix.size() == n * n);
  const auto at = [&](std::size_t row, std::size_t column) -> double& { return matrix[row * n + column]; };
  for (std::size_t j = 0; j < n; ++j) {
    double pivot = at(j, j);
    for (std::size_t k = 0; k < j; ++k) pivot -= at(j, k) * at(j, k);
    // A pivot lost to cancellation means that this unknown depends on the ones before it.
    if (!(pivot > 1e-14 * std::abs(at(j, j)))) return false;
    at(j, j) = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = at(i, j);
      for (std::size_t k = 0; k < j; ++k) sum -= at(i, k) * at(j, k);
      at(i, j) = sum / at(j, j);
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) rhs[i] -= at(i, k) * rhs[k];
    rhs[i] /= at(i, i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) rhs[i] -= at(k, i) * rhs[k];
    rhs[i] /= at(i, i);
  }
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
