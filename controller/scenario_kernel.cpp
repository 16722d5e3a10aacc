#include "controller/scenario_kernel.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr std::size_t kLanes = 8;  // doubles in the widest vector register
constexpr int kNewtonSteps = 4;
constexpr int kStepsMax = 16;
constexpr double kPriceTolerance = 1e-4;  // paths this close in price are left as they are
constexpr double kStaleSum = 1e-3;        // a sum of exponentials below this has lost digits: the shift is outdated

/// One link that a move loads (sign +1) or relieves (sign -1).
struct Touched {
  std::uint32_t link;
  double sign;
};

WAN_VECTOR_CLONES
void refresh_rows(const double* utilization, const double* shift, double eta, std::size_t links, std::size_t stride,
                  double* exponential, double* sum) {
  for (std::size_t k = 0; k < stride; ++k) sum[k] = 0.0;
  for (std::size_t l = 0; l < links; ++l) {
    const double* u = utilization + l * stride;
    double* e = exponential + l * stride;
#pragma omp simd
    for (std::size_t k = 0; k < stride; ++k) {
      e[k] = vector_exp(eta * (u[k] - shift[k]));
      sum[k] += e[k];
    }
  }
}

WAN_VECTOR_CLONES
double dot(const double* a, const double* b, std::size_t n) {
  double total = 0.0;
#pragma omp simd reduction(+ : total)
  for (std::size_t k = 0; k < n; ++k) total += a[k] * b[k];
  return total;
}

struct Slope {
  double first = 0.0;
  double second = 0.0;
};

/// First and second derivative of the expected soft maximum along a move, `step` into it.
/// `moved_sum` receives the sums of exponentials there; `moved` [touched][stride] the exponentials.
WAN_VECTOR_CLONES
Slope slope_at(const ScenarioLoads& loads, const double* rate, const Touched* touched, std::size_t touched_count,
               double step, double* moved, double* moved_sum, double* rest, double* first, double* second) {
  const std::size_t stride = loads.stride;
  const double eta = loads.eta;
  const double* shift = loads.shift.data();
  const double* sum = loads.sum.data();
  const double* weight = loads.weight.data();
#pragma omp simd
  for (std::size_t k = 0; k < stride; ++k) {
    rest[k] = sum[k];
    moved_sum[k] = 0.0;
    first[k] = 0.0;
    second[k] = 0.0;
  }
  for (std::size_t i = 0; i < touched_count; ++i) {
    const std::size_t row = touched[i].link * stride;
    const double* u = loads.utilization.data() + row;
    const double* e = loads.exponential.data() + row;
    const double factor = touched[i].sign * loads.inverse_capacity[touched[i].link];
    double* out = moved + i * stride;
#pragma omp simd
    for (std::size_t k = 0; k < stride; ++k) {
      const double change = factor * rate[k];
      const double value = vector_exp(eta * (u[k] + step * change - shift[k]));
      out[k] = value;
      rest[k] -= e[k];
      moved_sum[k] += value;
      first[k] += value * change;
      second[k] += value * change * change;
    }
  }
  double total_first = 0.0;
  double total_second = 0.0;
#pragma omp simd reduction(+ : total_first, total_second)
  for (std::size_t k = 0; k < stride; ++k) {
    moved_sum[k] += rest[k] > 0.0 ? rest[k] : 0.0;  // rounding may leave less than nothing of the untouched links
    const double mean = first[k] / moved_sum[k];
    total_first += weight[k] * mean;
    total_second += weight[k] * eta * (second[k] / moved_sum[k] - mean * mean);
  }
  return {total_first, total_second};
}

double soft_maximum_change(const ScenarioLoads& loads, const double* moved_sum) {
  double change = 0.0;
  for (std::size_t k = 0; k < loads.stride; ++k) {
    if (loads.weight[k] > 0.0) change += loads.weight[k] * std::log(moved_sum[k] / loads.sum[k]);
  }
  return change / loads.eta;
}

/// Links of `to` that `from` does not have get +1, those of `from` that `to` does not have -1.
void touched_links(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                   std::vector<Touched>& touched) {
  touched.clear();
  for (const std::uint32_t link : to) {
    if (std::find(from.begin(), from.end(), link) == from.end()) touched.push_back({link, 1.0});
  }
  for (const std::uint32_t link : from) {
    if (std::find(to.begin(), to.end(), link) == to.end()) touched.push_back({link, -1.0});
  }
}

}  // namespace

ScenarioLoads::ScenarioLoads(std::size_t link_count, std::size_t scenario_count)
    : links{link_count},
      stride{(scenario_count + kLanes - 1) / kLanes * kLanes},
      weight(stride, 0.0),
      inverse_capacity(link_count, 0.0),
      utilization(link_count * stride, 0.0),
      exponential(link_count * stride, 0.0),
      shift(stride, 0.0),
      sum(stride, 0.0) {
  for (std::size_t k = 0; k < scenario_count; ++k) weight[k] = 1.0 / static_cast<double>(scenario_count);
}

void ScenarioLoads::refresh() {
  std::fill(shift.begin(), shift.end(), 0.0);
  for (std::size_t l = 0; l < links; ++l) {
    for (std::size_t k = 0; k < stride; ++k) shift[k] = std::max(shift[k], utilization[l * stride + k]);
  }
  refresh_rows(utilization.data(), shift.data(), eta, links, stride, exponential.data(), sum.data());
}

double ScenarioLoads::expected_utilization() const {
  double expected = 0.0;
  for (std::size_t k = 0; k < stride; ++k) {
    double highest = 0.0;
    for (std::size_t l = 0; l < links; ++l) highest = std::max(highest, utilization[l * stride + k]);
    expected += weight[k] * highest;
  }
  return expected;
}

double ScenarioLoads::soft_expected_utilization() const {
  double expected = 0.0;
  for (std::size_t k = 0; k < stride; ++k) expected += weight[k] * (shift[k] + std::log(sum[k]) / eta);
  return expected;
}

double improve_split(ScenarioLoads& loads, const SplitView& split, std::vector<double>& scratch) {
  const std::size_t stride = loads.stride;
  const std::size_t paths = split.share.size();
  if (paths < 2) return 0.0;
  const auto links_of = [&](std::size_t p) {
    return split.links.subspan(split.first[p], split.first[p + 1] - split.first[p]);
  };

  scratch.resize(5 * stride + 2 * split.links.size() * stride);
  double* pull = scratch.data();
  for (std::size_t k = 0; k < stride; ++k) pull[k] = loads.weight[k] * split.rate[k] / loads.sum[k];
  std::size_t cheapest = 0;
  std::size_t dearest = paths;
  double low = 0.0;
  double high = 0.0;
  for (std::size_t p = 0; p < paths; ++p) {
    double price = split.delay_price[p];
    for (const std::uint32_t link : links_of(p)) {
      price += loads.inverse_capacity[link] * dot(pull, loads.exponential.data() + link * stride, stride);
    }
    if (p == 0 || price < low) {
      low = price;
      cheapest = p;
    }
    if (split.share[p] > 0.0 && (dearest == paths || price > high)) {
      high = price;
      dearest = p;
    }
  }
  if (dearest == cheapest || high - low <= kPriceTolerance * high) return 0.0;

  thread_local std::vector<Touched> touched;
  touched_links(links_of(dearest), links_of(cheapest), touched);
  double* moved_sum = scratch.data() + stride;
  double* rest = scratch.data() + 2 * stride;
  double* first = scratch.data() + 3 * stride;
  double* second = scratch.data() + 4 * stride;
  double* moved = scratch.data() + 5 * stride;
  const double delay_slope = split.delay_price[cheapest] - split.delay_price[dearest];
  const auto slope_into_move = [&](double at) {
    return slope_at(loads, split.rate.data(), touched.data(), touched.size(), at, moved, moved_sum, rest, first,
                    second);
  };
  double least = 0.0;
  double most = split.share[dearest];
  double step = 0.0;
  // On until a step that gains is known: where the cheapest path is a narrow one, only a small part of the share fits.
  for (int i = 0; i < kNewtonSteps || (least == 0.0 && i < kStepsMax); ++i) {
    const Slope slope = slope_into_move(step);
    const double descent = slope.first + delay_slope;
    (descent < 0.0 ? least : most) = step;
    const double newton = slope.second > 0.0 ? step - descent / slope.second : (descent < 0.0 ? most : least);
    const double between = i == 0 ? most : (i < kNewtonSteps ? 0.5 : 0.125) * (least + most);
    const double next = newton > least && newton < most ? newton : between;
    if (i > 0 && std::abs(next - step) < 1e-3 * most) break;
    step = next;
  }
  if (slope_into_move(step).first + delay_slope > 0.0 &&
      soft_maximum_change(loads, moved_sum) + step * delay_slope > 0.0) {
    step = least;  // the last step went so far past the minimum that nothing would be won
    if (step <= 0.0) return 0.0;
    slope_into_move(step);
  }
  for (std::size_t i = 0; i < touched.size(); ++i) {
    const std::size_t row = touched[i].link * stride;
    const double factor = step * touched[i].sign * loads.inverse_capacity[touched[i].link];
    for (std::size_t k = 0; k < stride; ++k) {
      loads.utilization[row + k] += factor * split.rate[k];
      loads.exponential[row + k] = moved[i * stride + k];
    }
  }
  bool stale = false;
  for (std::size_t k = 0; k < stride; ++k) {
    loads.sum[k] = moved_sum[k];
    stale = stale || moved_sum[k] < kStaleSum;
  }
  if (stale) loads.refresh();
  split.share[dearest] = std::max(0.0, split.share[dearest] - step);
  split.share[cheapest] += step;
  return step;
}

void demand_link_prices(const ScenarioLoads& loads, std::span<const double> rate, std::span<double> price) {
  const std::size_t stride = loads.stride;
  thread_local std::vector<double> pull;
  pull.resize(stride);
  for (std::size_t k = 0; k < stride; ++k) pull[k] = loads.weight[k] * rate[k] / loads.sum[k];
  for (std::size_t l = 0; l < loads.links; ++l) {
    price[l] = loads.inverse_capacity[l] * dot(pull.data(), loads.exponential.data() + l * stride, stride);
  }
}

}  // namespace wan::controller
