#include "controller/column_kernel.h"

#include <algorithm>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

WAN_VECTOR_CLONES
double exponentials(const double* u, std::size_t n, double factor, double shift, double* out) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = vector_exp(factor * u[i] - shift);
    out[i] = e;
    sum += e;
  }
  return sum;
}

struct Sums {
  double plain = 0.0;
  double weighted = 0.0;
};

WAN_VECTOR_CLONES
Sums sums_along(const double* u, const double* change, std::size_t n, double step, double factor, double shift) {
  double plain = 0.0;
  double weighted = 0.0;
#pragma omp simd reduction(+ : plain, weighted)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = vector_exp(factor * (u[i] + step * change[i]) - shift);
    plain += e;
    weighted += e * change[i];
  }
  return {plain, weighted};
}

constexpr double kStepTolerance = 0.02;
constexpr int kStepsMax = 40;

/// Where a rising function crosses zero within [0, 1], from below. Near-flat on one side and near-exponential on the
/// other, so false position and bisection take turns.
template <typename Rise>
double root_of(const Rise& rise) {
  double low = 0.0;
  double at_low = rise(0.0);
  if (at_low >= 0.0) return 0.0;
  double high = 1.0;
  double at_high = rise(1.0);
  if (at_high <= 0.0) return 1.0;
  for (int i = 0; i < kStepsMax && high - low > kStepTolerance * high; ++i) {
    const double secant = low - (high - low) * (at_low / (at_high - at_low));
    const bool usable = i % 2 == 0 && secant > low && secant < high;
    const double guess = usable ? secant : 0.5 * (low + high);
    const double at_guess = rise(guess);
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

UtilizationColumns::UtilizationColumns(std::size_t column_count, std::size_t link_count)
    : links{link_count}, utilization(column_count, std::vector<double>(link_count, 0.0)), scale(column_count, 0.0) {}

double UtilizationColumns::highest(std::size_t column) const {
  double highest = 0.0;
  for (const double u : utilization[column]) highest = std::max(highest, u);
  return highest;
}

double UtilizationColumns::worst() const {
  double worst = 0.0;
  for (std::size_t j = 0; j < size(); ++j) {
    if (scale[j] > 0.0) worst = std::max(worst, scale[j] * highest(j));
  }
  return worst;
}

double UtilizationColumns::exponentials_into(std::vector<std::vector<double>>& out, double shift) const {
  double sum = 0.0;
  for (std::size_t j = 0; j < size(); ++j) {
    if (scale[j] > 0.0) {
      sum += exponentials(utilization[j].data(), links, eta * scale[j], shift, out[j].data());
    } else {
      std::fill(out[j].begin(), out[j].end(), 0.0);
    }
  }
  return sum;
}

UtilizationColumns::Along UtilizationColumns::along(std::size_t first, std::span<const double> change, double step,
                                                    double shift) const {
  Along total;
  for (std::size_t j = first; j < size(); ++j) {
    if (scale[j] == 0.0) continue;
    const Sums sums = sums_along(utilization[j].data(), change.data(), links, step, eta * scale[j], shift);
    total.plain += sums.plain;
    total.weighted += scale[j] * sums.weighted;
  }
  return total;
}

void UtilizationColumns::gradient(std::vector<std::vector<double>>& out) const {
  const double sum = exponentials_into(out, eta * worst());
  for (std::size_t j = 0; j < size(); ++j) {
    for (double& entry : out[j]) entry *= scale[j] / sum;
  }
}

double UtilizationColumns::best_step(std::size_t first, std::span<const double> change, double slope) const {
  const double shift = eta * worst();
  double untouched = 0.0;  // exponentials of the columns before `first`, which the slope is set against
  if (slope != 0.0) {
    thread_local std::vector<double> ignored;
    ignored.resize(links);
    for (std::size_t j = 0; j < first; ++j) {
      if (scale[j] == 0.0) continue;
      untouched += exponentials(utilization[j].data(), links, eta * scale[j], shift, ignored.data());
    }
  }
  return root_of([&](double step) {
    const Along sums = along(first, change, step, shift);
    return sums.weighted + slope * (sums.plain + untouched);  // the derivative times a positive number
  });
}

void UtilizationColumns::barrier_gradient(std::vector<std::vector<double>>& out) const {
  exponentials_into(out, eta);
  for (std::size_t j = 0; j < size(); ++j) {
    for (double& entry : out[j]) entry *= scale[j];
  }
}

double UtilizationColumns::barrier_step(std::size_t first, std::span<const double> change, double slope) const {
  return root_of([&](double step) { return along(first, change, step, eta).weighted + slope; });
}

}  // namespace wan::controller
