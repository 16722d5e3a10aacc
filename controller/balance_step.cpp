#include "controller/balance_step.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr double kBalanced = 0.02;
constexpr int kIterationsMax = 60;
constexpr double kOneSided = 1e3;  // stands for the logarithm of a ratio to nothing

struct Sums {
  double plain = 0.0;
  double by_rate = 0.0;
};

WAN_VECTOR_CLONES
Sums exponential_sums(const double* gain, const double* rate, std::size_t n, double step) {
  double plain = 0.0;
  double by_rate = 0.0;
#pragma omp simd reduction(+ : plain, by_rate)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = gain[i] * vector_exp(rate[i] * step);
    plain += e;
    by_rate += e * rate[i];
  }
  return {plain, by_rate};
}

}  // namespace

void BalanceStep::start(double constant) {
  for (Side* side : {&rising_, &falling_}) {
    side->gain.clear();
    side->rate.clear();
  }
  constant_ = constant;
}

void BalanceStep::add_rising(double gain, double rate) {
  rising_.gain.push_back(gain);
  rising_.rate.push_back(rate);
}

void BalanceStep::add_falling(double gain, double rate) {
  falling_.gain.push_back(gain);
  falling_.rate.push_back(-rate);
}

BalanceStep::Balance BalanceStep::balance_at(double step) const {
  Sums left = exponential_sums(rising_.gain.data(), rising_.rate.data(), rising_.gain.size(), step);
  Sums right = exponential_sums(falling_.gain.data(), falling_.rate.data(), falling_.gain.size(), step);
  left.plain += std::max(constant_, 0.0);
  right.plain += std::max(-constant_, 0.0);
  if (!(right.plain > 0.0)) return {.value = kOneSided, .slope = 0.0};
  if (!(left.plain > 0.0)) return {.value = -kOneSided, .slope = 0.0};
  return {.value = std::log(left.plain / right.plain),
          .slope = left.by_rate / left.plain - right.by_rate / right.plain};
}

double BalanceStep::solve(double step_max) const {
  Balance balance = balance_at(0.0);
  if (balance.value >= 0.0) return 0.0;
  double low = 0.0;
  double high = step_max;
  bool end_seen = false;
  double step = balance.slope > 0.0 ? -balance.value / balance.slope : step_max;
  for (int i = 0; i < kIterationsMax; ++i) {
    if (!(step < high) && !end_seen) {
      end_seen = true;
      step = step_max;
    } else if (!(step > low && step < high)) {
      step = 0.5 * (low + high);
    }
    balance = balance_at(step);
    if (step == step_max && balance.value <= 0.0) return step_max;
    if (std::abs(balance.value) < kBalanced) return step;
    (balance.value < 0.0 ? low : high) = step;
    if (high - low < 1e-9 * high) break;
    step = balance.slope > 0.0 ? step - balance.value / balance.slope : 0.5 * (low + high);
  }
  return low;
}

}  // namespace wan::controller
