#include "controller/balance_step.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr double kBalanced = 0.02;
constexpr int kIterationsMax = 60;
constexpr double kOneSided = 1e3;  // stands for the logarithm of a ratio to nothing

WAN_VECTOR_CLONES
void add_exponentials(const double* gain, const double* rate, std::size_t n, double step, double& sum,
                      double& sum_by_rate) {
  double plain = 0.0;
  double by_rate = 0.0;
#pragma omp simd reduction(+ : plain, by_rate)
  for (std::size_t i = 0; i < n; ++i) {
    const double e = gain[i] * vector_exp(rate[i] * step);
    plain += e;
    by_rate += e * rate[i];
  }
  sum += plain;
  sum_by_rate += by_rate;
}

}  // namespace

void BalanceStep::Side::clear() {
  gain.clear();
  rate.clear();
  at_start = {};
}

void BalanceStep::Side::add(double one_gain, double one_rate) {
  gain.push_back(one_gain);
  rate.push_back(one_rate);
  at_start.plain += one_gain;
  at_start.by_rate += one_gain * one_rate;
}

BalanceStep::Sums BalanceStep::Side::at(double step) const {
  Sums sums;
  add_exponentials(gain.data(), rate.data(), gain.size(), step, sums.plain, sums.by_rate);
  return sums;
}

void BalanceStep::start(double constant) {
  rising_.clear();
  falling_.clear();
  constant_ = constant;
}

void BalanceStep::add_rising(double gain, double rate) { rising_.add(gain, rate); }

void BalanceStep::add_falling(double gain, double rate) { falling_.add(gain, -rate); }

BalanceStep::Balance BalanceStep::balance_of(Sums left, Sums right) const {
  left.plain += std::max(constant_, 0.0);
  right.plain += std::max(-constant_, 0.0);
  if (!(right.plain > 0.0)) return {.value = kOneSided, .slope = 0.0};
  if (!(left.plain > 0.0)) return {.value = -kOneSided, .slope = 0.0};
  return {.value = std::log(left.plain / right.plain),
          .slope = left.by_rate / left.plain - right.by_rate / right.plain};
}

double BalanceStep::solve(double step_max) const {
  Balance balance = balance_of(rising_.at_start, falling_.at_start);
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
    balance = balance_of(rising_.at(step), falling_.at(step));
    if (step == step_max && balance.value <= 0.0) return step_max;
    if (std::abs(balance.value) < kBalanced) return step;
    (balance.value < 0.0 ? low : high) = step;
    if (high - low < 1e-9 * high) break;
    step = balance.slope > 0.0 ? step - balance.value / balance.slope : 0.5 * (low + high);
  }
  return low;
}

}  // namespace wan::controller
