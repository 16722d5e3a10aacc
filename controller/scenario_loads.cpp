#include "controller/scenario_loads.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr int kLevelSteps = 50;    // halvings of the interval in which the tail's level lies
constexpr double kNoLimit = -1e9;  // utilisation of which the exponential is nothing

WAN_VECTOR_CLONES
void refresh_rows(const double* utilization, const double* shift, double eta, std::size_t rows, std::size_t stride,
                  const double* weight, std::size_t counting, double* exponential, double* sum, std::uint8_t* counts) {
  for (std::size_t k = 0; k < stride; ++k) sum[k] = 0.0;
  for (std::size_t l = 0; l < rows; ++l) {
    const double* u = utilization + l * stride;
    double* e = exponential + l * stride;
    double top = 0.0;
#pragma omp simd reduction(max : top)
    for (std::size_t k = 0; k < stride; ++k) {
      e[k] = vector_exp(eta * (u[k] - shift[k]));
      sum[k] += e[k];
      const double counted = weight[k] > 0.0 && k < counting ? e[k] : 0.0;
      top = top > counted ? top : counted;
    }
    counts[l] = top >= ScenarioLoads::kCounts ? 1 : 0;
  }
}

/// The level at which the weighted shares of the scenarios above it, softly counted, sum to one.
double best_level(const ScenarioLoads& loads) {
  std::vector<double> maxima;
  for (std::size_t k = 0; k < loads.scenarios; ++k) {
    maxima.push_back(loads.shift[k] + std::log(loads.sum[k]) / loads.eta);
  }
  const auto [least, most] = std::minmax_element(maxima.begin(), maxima.end());
  double low = *least - 40.0 / loads.eta;
  double high = *most + 40.0 / loads.eta;
  for (int i = 0; i < kLevelSteps; ++i) {
    const double level = 0.5 * (low + high);
    double counted = 0.0;
    for (std::size_t k = 0; k < maxima.size(); ++k) {
      counted += loads.weight[k] / (1.0 + std::exp(loads.eta * (level - maxima[k])));
    }
    (counted > 1.0 ? low : high) = level;
  }
  return 0.5 * (low + high);
}

}  // namespace

ScenarioLoads::ScenarioLoads(std::size_t link_count, std::size_t scenario_count, double tail_counted,
                             std::size_t limited_groups, double blunt)
    : links{link_count},
      scenarios{scenario_count},
      limited{limited_groups * scenario_count},
      weighed{scenarios + limited + (blunt > 0.0 ? 1 : 0)},
      rows{tail_counted < 1.0 || limited_groups > 0 ? link_count + 1 : link_count},
      stride{padded(weighed)},
      tail{tail_counted},
      limit(limited, 0.0),
      weight(stride, 0.0),
      inverse_capacity(link_count, 0.0),
      utilization(rows * stride, 0.0),
      exponential(rows * stride, 0.0),
      shift(stride, 0.0),
      sum(stride, 0.0),
      pull(stride, 0.0),
      counts(rows, 1) {
  const auto count = static_cast<double>(scenario_count);
  for (std::size_t k = 0; k < scenarios; ++k) weight[k] = 1.0 / (count * tail);
  for (std::size_t k = 0; k < limited; ++k) weight[scenarios + k] = kLimitWeight / (count * tail);
  if (blunt > 0.0) weight[weighed - 1] = blunt / kBluntScale;
}

void ScenarioLoads::refresh() {
  std::fill(shift.begin(), shift.end(), 0.0);
  for (std::size_t l = 0; l < links; ++l) {
    for (std::size_t k = 0; k < stride; ++k) shift[k] = std::max(shift[k], utilization[l * stride + k]);
  }
  const auto refresh_first = [this](std::size_t count) {
    refresh_rows(utilization.data(), shift.data(), eta, count, stride, weight.data(), scenarios + limited,
                 exponential.data(), sum.data(), counts.data());
  };
  const auto find_pull_of_sums = [this] {
    for (std::size_t k = 0; k < stride; ++k) pull[k] = weight[k] / sum[k];
  };
  if (rows == links || tail < 1.0) refresh_first(links);
  if (rows == links) return find_pull_of_sums();
  double* last = utilization.data() + links * stride;
  std::fill(last, last + stride, kNoLimit);
  if (tail < 1.0) {
    level = best_level(*this);
    std::fill(last, last + scenarios, level);
  }
  std::copy(limit.begin(), limit.end(), last + scenarios);
  for (std::size_t k = 0; k < stride; ++k) shift[k] = std::max(shift[k], last[k]);
  refresh_first(rows);
  find_pull_of_sums();
}

std::vector<double> ScenarioLoads::largest_utilizations() const {
  std::vector<double> largest(scenarios, 0.0);
  for (std::size_t l = 0; l < links; ++l) {
    for (std::size_t k = 0; k < scenarios; ++k) largest[k] = std::max(largest[k], utilization[l * stride + k]);
  }
  return largest;
}

double ScenarioLoads::expected_utilization() const { return tail_mean(largest_utilizations(), 1.0); }

double ScenarioLoads::risk_utilization() const { return tail_mean(largest_utilizations(), tail); }

double ScenarioLoads::excess() const {
  double total = 0.0;
  for (std::size_t k = 0; k < limited; ++k) {
    double largest = 0.0;
    for (std::size_t l = 0; l < links; ++l) largest = std::max(largest, utilization[l * stride + scenarios + k]);
    total += weight[scenarios + k] * std::max(0.0, largest - limit[k]);
  }
  return total;
}

double ScenarioLoads::soft_utilization() const {
  double expected = tail < 1.0 ? level * (1.0 - 1.0 / tail) : 0.0;
  for (std::size_t k = 0; k < weighed; ++k) expected += weight[k] * (shift[k] + std::log(sum[k]) / eta);
  for (std::size_t k = 0; k < limited; ++k) expected -= weight[scenarios + k] * limit[k];
  return expected;
}

double ScenarioLoads::blunt_utilization() const {
  if (blunt_weight() == 0.0) return 0.0;
  return (shift[weighed - 1] + std::log(sum[weighed - 1]) / eta) / kBluntScale;
}

void ScenarioLoads::drop_blunt() {
  if (has_blunt()) weight[weighed - 1] = pull[weighed - 1] = 0.0;
}

double tail_mean(std::vector<double> values, double tail) {
  std::sort(values.begin(), values.end(), std::greater<>{});
  double left = tail * static_cast<double>(values.size());
  double total = 0.0;
  for (std::size_t i = 0; i < values.size() && left > 0.0; ++i) {
    total += std::min(left, 1.0) * values[i];
    left -= 1.0;
  }
  return values.empty() ? 0.0 : total / (tail * static_cast<double>(values.size()));
}

}  // namespace wan::controller
