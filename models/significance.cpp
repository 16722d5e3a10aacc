#include "models/significance.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace wan::models {
namespace {

/// The continued fraction of the incomplete beta function (Lentz's method; Press et al., "Numerical Recipes", 6.4).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double fraction = d;
  for (int i = 1; i < 500; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1.0) < 1e-15) break;
  }
  return fraction;
}

/// The regularised incomplete beta function.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

/// Newey and West's estimate of the variance of the mean.
double variance_of_mean(std::span<const double> values, double mean, std::size_t lags) {
  const auto n = static_cast<double>(values.size());
  double sum = 0.0;
  for (std::size_t lag = 0; lag <= lags; ++lag) {
    double covariance = 0.0;
    for (std::size_t i = lag; i < values.size(); ++i) covariance += (values[i] - mean) * (values[i - lag] - mean);
    const double bartlett = 1.0 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    sum += (lag == 0 ? 1.0 : 2.0 * bartlett) * covariance / n;
  }
  return sum / n;
}

}  // namespace

double two_sided_student(double t, double degrees) {
  return incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t));
}

PairedTest diebold_mariano(std::span<const double> differences, std::size_t horizon) {
  assert(horizon >= 1);
  constexpr std::size_t kRowsMin = 8;
  PairedTest test;
  if (differences.empty()) return test;
  const auto n = static_cast<double>(differences.size());
  test.mean_difference = std::accumulate(differences.begin(), differences.end(), 0.0) / n;
  if (differences.size() < std::max(kRowsMin, 2 * horizon)) return test;
  const auto usual_lags = static_cast<std::size_t>(4.0 * std::pow(n / 100.0, 2.0 / 9.0));
  const std::size_t lags = std::min(std::max(horizon - 1, usual_lags), differences.size() / 2);
  const double variance = variance_of_mean(differences, test.mean_difference, lags);
  if (!(variance > 0.0)) return test;
  const auto h = static_cast<double>(horizon);
  const double small_sample = std::sqrt(std::max((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n, 0.0));
  test.statistic = small_sample * test.mean_difference / std::sqrt(variance);
  test.p_value = two_sided_student(test.statistic, n - 1.0);
  return test;
}

}  // namespace wan::models
