#include "controller/link_prices.h"

#include <algorithm>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

/// sum exp(eta (u + step d - shift)) and the same weighted by d.
struct ExponentialSums {
  double plain = 0.0;
  double weighted = 0.0;
};

WAN_VECTOR_CLONES
ExponentialSums exponential_sums(const double* u, const double* d, std::size_t n, double step, double eta,
                                 double shift) {
  double plain = 0.0;
  double weighted = 0.0;
#pragma omp simd reduction(+ : plain, weighted)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = vector_exp(eta * (u[i] + step * d[i] - shift));
    plain += e;
    weighted += e * d[i];
  }
  return {plain, weighted};
}

WAN_VECTOR_CLONES
double exponentials(const double* u, const double* inverse_capacity, std::size_t n, double eta, double shift,
                    double* out) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = inverse_capacity[i] > 0.0 ? vector_exp(eta * (u[i] - shift)) : 0.0;
    sum += e;
    out[i] = e * inverse_capacity[i];
  }
  return sum;
}

/// Where an increasing function crosses zero within [0, 1], to about 2 % of the answer, from below.
/// The function is near-flat on one side and near-exponential on the other, so false position and bisection take turns.
template <typename Slope>
double root_of_slope(const Slope& slope) {
  double low = 0.0;
  double at_low = slope(0.0);
  if (at_low >= 0.0) return 0.0;
  double high = 1.0;
  double at_high = slope(1.0);
  if (at_high <= 0.0) return 1.0;
  for (int i = 0; i < 40 && high - low > 0.02 * high; ++i) {
    const double secant = low - (high - low) * (at_low / (at_high - at_low));
    const bool inside = secant > low && secant < high;
    const double guess = i % 2 == 0 && inside ? secant : 0.5 * (low + high);
    const double at_guess = slope(guess);
    if (at_guess < 0.0) {
      low = guess;
      at_low = at_guess;
    } else {
      high = guess;
      at_high = at_guess;
    }
  }
  return low;
}

}  // namespace

void soft_max_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double eta,
                     std::span<double> price) {
  const double highest = *std::max_element(utilization.begin(), utilization.end());
  const double sum =
      exponentials(utilization.data(), inverse_capacity.data(), utilization.size(), eta, highest, price.data());
  for (double& p : price) p /= sum;
}

double soft_max_step(std::span<const double> utilization, std::span<const double> change, double eta, double slope) {
  return root_of_slope([&](double step) {
    double highest = 0.0;
    for (std::size_t i = 0; i < utilization.size(); ++i) {
      highest = std::max(highest, utilization[i] + step * change[i]);
    }
    const auto sums = exponential_sums(utilization.data(), change.data(), utilization.size(), step, eta, highest);
    return sums.weighted / sums.plain + slope;
  });
}

double barrier_step(std::span<const double> utilization, std::span<const double> change, double eta, double weight,
                    double slope) {
  return root_of_slope([&](double step) {
    const auto sums = exponential_sums(utilization.data(), change.data(), utilization.size(), step, eta, 1.0);
    return weight * sums.weighted + slope;
  });
}

void barrier_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double eta,
                    double weight, std::span<double> price) {
  exponentials(utilization.data(), inverse_capacity.data(), utilization.size(), eta, 1.0, price.data());
  for (double& p : price) p *= weight;
}

}  // namespace wan::controller
