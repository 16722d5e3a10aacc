#include "models/panel_regression.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "models/cholesky.h"

namespace wan::models {
namespace {

constexpr int kSharedIterations = 6;
constexpr int kIterations = 12;
constexpr double kSquareBelow = 0.02;
constexpr double kFirstSpread = 0.01;  // of a weight between pairs, times the usual size of its input
constexpr double kLeastVariance = 1e-8;
constexpr double kLeastError = 1e-3;
constexpr double kLastDraw = 2.0;  // how much harder than the estimate says pairs are drawn to the network in the end

using Numbers = std::vector<double>;

/// A pair's rows, widened to the numbers that are worked in.
class PairRows {
 public:
  PairRows(const RegressionRows& seen, std::size_t used) : seen_{seen}, input_(used) {}

  void go_to(std::size_t pair) { first_ = pair * seen_.rows; }
  [[nodiscard]] std::span<const double> input(std::size_t row) {
    const float* const stored = &seen_.inputs[(first_ + row) * kRegressionInputs];
    std::copy_n(stored, input_.size(), input_.begin());
    return input_;
  }
  [[nodiscard]] double target(std::size_t row) const { return static_cast<double>(seen_.targets[first_ + row]); }
  [[nodiscard]] double scale(std::size_t row) const { return static_cast<double>(seen_.scales[first_ + row]); }
  [[nodiscard]] double scale_sum() const {
    const auto begin = seen_.scales.begin() + static_cast<std::ptrdiff_t>(first_);
    return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(seen_.rows), 0.0);
  }

 private:
  const RegressionRows& seen_;  // outlives this
  std::size_t first_ = 0;
  Numbers input_;
};

double error_of(std::span<const double> input, std::span<const double> weights, double target) {
  return std::abs(std::inner_product(input.begin(), input.end(), weights.begin(), -target));
}

/// Adds weight x input x input' to a lower triangle.
void add_square(std::span<const double> input, double weight, std::span<double> matrix) {
  const std::size_t n = input.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double scaled = weight * input[i];
    for (std::size_t j = 0; j <= i; ++j) matrix[i * n + j] += scaled * input[j];
  }
}

/// The inverse of a symmetric positive definite matrix, both triangles; empty when it is none.
Numbers inverse_of(Numbers matrix, std::size_t n) {
  if (!factor_positive_definite(matrix, n)) return {};
  Numbers inverse(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    inverse[i * n + i] = 1.0;
    solve_factored(matrix, std::span{inverse}.subspan(i * n, n));
  }
  return inverse;
}

/// Weights of the network, and the mean square of each input.
struct Shared {
  Numbers weights, squares;
};

Shared fit_shared(const RegressionRows& seen, std::size_t used) {
  Shared shared{.weights = Numbers(used, 0.0), .squares = Numbers(used, 0.0)};
  shared.weights[0] = 0.85;
  shared.weights[1] = 0.15;
  PairRows rows{seen, used};
  const double scales = std::accumulate(seen.scales.begin(), seen.scales.end(), 0.0);
  for (int iteration = 0; iteration < kSharedIterations; ++iteration) {
    NormalEquations equations{used};
    for (std::size_t pair = 0; pair < seen.pairs; ++pair) {
      rows.go_to(pair);
      for (std::size_t row = 0; row < seen.rows; ++row) {
        const auto input = rows.input(row);
        const double error = error_of(input, shared.weights, rows.target(row));
        equations.add(input, rows.target(row), rows.scale(row) / scales / std::max(error, kSquareBelow));
        if (iteration > 0) continue;
        for (std::size_t i = 0; i < used; ++i) shared.squares[i] += rows.scale(row) / scales * input[i] * input[i];
      }
    }
    for (std::size_t i = 0; i < used; ++i) equations.pull(i, 0.0, 1e-8);
    Numbers solved = equations.solve();
    if (solved.empty()) break;
    shared.weights = std::move(solved);
  }
  return shared;
}

/// How the weights of pairs scatter around those of the network, and what that does to a pair's fit.
class Scatter {
 public:
  explicit Scatter(const Shared& shared) : n_{shared.weights.size()}, covariance_(n_ * n_, 0.0) {
    for (std::size_t i = 0; i < n_; ++i) {
      covariance_[i * n_ + i] = kFirstSpread * kFirstSpread / std::max(shared.squares[i], 1e-18);
    }
  }

  /// @return false when the covariance has degenerated
  [[nodiscard]] bool prepare(double draw) {
    Numbers widened = covariance_;
    for (std::size_t i = 0; i < n_; ++i) widened[i * n_ + i] += kLeastVariance;
    precision_ = inverse_of(std::move(widened), n_);
    for (double& value : precision_) value *= draw;
    sum_.assign(n_ * n_, 0.0);
    count_ = 0.0;
    return !precision_.empty();
  }

  /// Adds the precision to a pair's equations for its distance from the network's weights, and solves them.
  [[nodiscard]] bool solve(Numbers& matrix, Numbers& distance) const {
    for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] += precision_[i];
    return solve_positive_definite(matrix, distance);
  }

  /// @param squares  lower triangle: the summed squares of the pair's inputs...
  /// @param weight   ...times this is what its rows say about its weights: Fisher's information
  void learn(std::span<const double> distance, std::span<const double> squares, double weight) {
    Numbers information = precision_;
    for (std::size_t i = 0; i < information.size(); ++i) information[i] += weight * squares[i];
    const Numbers spread = inverse_of(std::move(information), n_);
    if (spread.empty()) return;
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) sum_[i * n_ + j] += spread[i * n_ + j] + distance[i] * distance[j];
    }
    count_ += 1.0;
  }

  void accept() {
    if (count_ == 0.0) return;
    for (std::size_t i = 0; i < sum_.size(); ++i) covariance_[i] = sum_[i] / count_;
  }

 private:
  std::size_t n_;
  Numbers covariance_;  // lower triangle
  Numbers precision_;
  Numbers sum_;  // lower triangle
  double count_ = 0.0;
};

/// One pair's reweighted equations for its distance from the network's weights.
struct PairEquations {
  Numbers matrix;    // lower triangle
  Numbers distance;  // right-hand side, then the solution
  double usual_error = 0.0;
};

/// By pair, the lower triangle of the weighted sum of its inputs' squares.
std::vector<Numbers> square_inputs(const RegressionRows& seen, std::size_t used) {
  std::vector<Numbers> squares(seen.pairs, Numbers(used * used, 0.0));
  PairRows rows{seen, used};
  for (std::size_t pair = 0; pair < seen.pairs; ++pair) {
    rows.go_to(pair);
    const double mean_scale = rows.scale_sum() / static_cast<double>(seen.rows);
    for (std::size_t row = 0; row < seen.rows; ++row) {
      add_square(rows.input(row), rows.scale(row) / mean_scale, squares[pair]);
    }
  }
  return squares;
}

PairEquations weigh_pair(PairRows& rows, std::size_t row_count, std::span<const double> shared,
                         std::span<const double> weights) {
  const std::size_t n = shared.size();
  PairEquations made{.matrix = Numbers(n * n, 0.0), .distance = Numbers(n, 0.0)};
  const double mean_scale = rows.scale_sum() / static_cast<double>(row_count);
  double errors = 0.0;
  for (std::size_t row = 0; row < row_count; ++row) {
    const auto input = rows.input(row);
    const double importance = rows.scale(row) / mean_scale;
    const double error = error_of(input, weights, rows.target(row));
    errors += importance * error;
    const double weight = importance / std::max(error, kSquareBelow);
    const double left = rows.target(row) - std::inner_product(input.begin(), input.end(), shared.begin(), 0.0);
    add_square(input, weight, made.matrix);
    for (std::size_t i = 0; i < n; ++i) made.distance[i] += weight * left * input[i];
  }
  made.usual_error = errors / static_cast<double>(row_count) + kLeastError;
  for (double& value : made.matrix) value /= made.usual_error;
  for (double& value : made.distance) value /= made.usual_error;
  return made;
}

}  // namespace

void RegressionPredictor::predict(std::span<const float> inputs, std::span<double> out) const {
  const std::size_t pairs = out.size();
  assert(inputs.size() == weights_.size() && inputs.size() == pairs * kRegressionInputs);
  double* const __restrict sum = out.data();
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t i = 0; i < kRegressionInputs; ++i) {
    const float* const weight = &weights_[i * pairs];
    const float* const input = &inputs[i * pairs];
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      sum[pair] += static_cast<double>(weight[pair]) * static_cast<double>(input[pair]);
    }
  }
  for (std::size_t pair = 0; pair < pairs; ++pair) sum[pair] = std::max(sum[pair], 0.0);
}

PanelRegression fit_panel_regression(const RegressionRows& seen, std::size_t used) {
  assert(seen.rows > 0 && used > 1 && used <= kRegressionInputs);
  const Shared shared = fit_shared(seen, used);
  std::vector<Numbers> weights(seen.pairs, shared.weights);
  Scatter scatter{shared};
  const std::vector<Numbers> squares = square_inputs(seen, used);
  PairRows rows{seen, used};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const bool last = iteration + 1 == kIterations;
    if (!scatter.prepare(last ? kLastDraw : 1.0)) break;
    for (std::size_t pair = 0; pair < seen.pairs; ++pair) {
      rows.go_to(pair);
      PairEquations equations = weigh_pair(rows, seen.rows, shared.weights, weights[pair]);
      if (!scatter.solve(equations.matrix, equations.distance)) continue;
      for (std::size_t i = 0; i < used; ++i) weights[pair][i] = shared.weights[i] + equations.distance[i];
      if (last || !seen.alive[pair]) continue;
      // Of errors that have Laplace's distribution: the mean absolute one is its scale.
      scatter.learn(equations.distance, squares[pair], 1.0 / (equations.usual_error * equations.usual_error));
    }
    scatter.accept();
  }
  PanelRegression fitted{.weights = std::vector<float>(seen.pairs * kRegressionInputs, 0.0F)};
  for (std::size_t pair = 0; pair < seen.pairs; ++pair) {
    std::transform(weights[pair].begin(), weights[pair].end(),
                   fitted.weights.begin() + static_cast<std::ptrdiff_t>(pair * kRegressionInputs),
                   [](double weight) { return static_cast<float>(weight); });
  }
  return fitted;
}

}  // namespace wan::models
