#include "controller/scenario_kernel.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr int kStepsMax = 16;
constexpr int kStepsUsual = 3;
constexpr double kPriceTolerance = 1e-4;  // paths this close in price are left as they are
constexpr double kSlopeLeft = 0.2;        // a step that leaves no more of the first slope is far enough
constexpr double kStaleSum = 1e-3;        // a sum of exponentials below this has lost digits: the shift is outdated
constexpr double kSameShare = 1e-12;

/// One link that a move loads (sign +1) or relieves (sign -1).
struct Touched {
  std::uint32_t link;
  double sign;
};

/// Working memory of one move, by column unless it says otherwise.
struct MoveMemory {
  MoveMemory(std::vector<double>& scratch, const ScenarioLoads& loads, std::size_t paths, std::size_t links) {
    const std::size_t stride = loads.stride;
    const std::size_t needed = 5 * stride + links * stride + paths + loads.links;
    if (scratch.size() < needed) scratch.resize(needed);
    double* at = scratch.data();
    for (double** part : {&pull, &moved_sum, &rest, &first, &second}) {
      *part = at;
      at += stride;
    }
    moved = at;
    price = at + links * stride;
    link_price = price + paths;
  }
  double *pull, *moved_sum, *rest, *first, *second;
  double* moved;       // [touched][column] exponentials at the end of the move
  double* price;       // by path
  double* link_price;  // by link
};

[[gnu::always_inline]] inline double price_of_link(const ScenarioLoads& loads, const double* pull, std::size_t link) {
  const std::size_t stride = loads.stride;
  const double* e = loads.exponential.data() + link * stride;
  double total = 0.0;
#pragma omp simd reduction(+ : total)
  for (std::size_t k = 0; k < stride; ++k) total += pull[k] * e[k];
  return loads.inverse_capacity[link] * total;
}

/// The same of a link that does not count: what the blunt column makes of it.
[[gnu::always_inline]] inline double blunt_price(const ScenarioLoads& loads, const double* pull, std::size_t link) {
  if (!loads.has_blunt()) return 0.0;
  const std::size_t k = loads.weighed - 1;
  return loads.inverse_capacity[link] * pull[k] * loads.exponential[link * loads.stride + k];
}

/// By column, what an exponential there makes of the price of a demand with these rates.
[[gnu::always_inline]] inline void find_pull(const ScenarioLoads& loads, const double* rate, double* pull) {
  const double* unit = loads.pull.data();
#pragma omp simd
  for (std::size_t k = 0; k < loads.stride; ++k) pull[k] = unit[k] * rate[k];
}

/// `price` of all links, by number.
WAN_VECTOR_CLONES
void price_all_links(const ScenarioLoads& loads, const double* rate, double* pull, double* price) {
  find_pull(loads, rate, pull);
  for (std::size_t l = 0; l < loads.links; ++l) {
    price[l] = loads.counts[l] != 0 ? price_of_link(loads, pull, l) : blunt_price(loads, pull, l);
  }
}

/// `price` by number of those in `links`, in which a link may stand more than once.
WAN_VECTOR_CLONES
void price_links(const ScenarioLoads& loads, const double* rate, const std::uint32_t* links, std::size_t count,
                 double* pull, double* price) {
  find_pull(loads, rate, pull);
  constexpr double kUnknown = -1.0;
  for (std::size_t i = 0; i < count; ++i) {
    price[links[i]] = loads.counts[links[i]] != 0 ? kUnknown : blunt_price(loads, pull, links[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (price[links[i]] == kUnknown) price[links[i]] = price_of_link(loads, pull, links[i]);
  }
}

struct Slope {
  double first = 0.0;
  double second = 0.0;
};

/// First and second derivative of the soft objective where a move begins, from the exponentials at hand. `rest`
/// receives the sums over links that the move does not touch.
WAN_VECTOR_CLONES
Slope slope_at_start(const ScenarioLoads& loads, const double* rate, const Touched* touched, std::size_t touched_count,
                     double* rest, double* first, double* second) {
  const std::size_t stride = loads.stride;
#pragma omp simd
  for (std::size_t k = 0; k < stride; ++k) {
    rest[k] = loads.sum[k];
    first[k] = 0.0;
    second[k] = 0.0;
  }
  for (std::size_t i = 0; i < touched_count; ++i) {
    const double* e = loads.exponential.data() + touched[i].link * stride;
    const double factor = touched[i].sign * loads.inverse_capacity[touched[i].link];
#pragma omp simd
    for (std::size_t k = 0; k < stride; ++k) {
      const double change = factor * rate[k];
      rest[k] -= e[k];
      first[k] += e[k] * change;
      second[k] += e[k] * change * change;
    }
  }
  double total_first = 0.0;
  double total_second = 0.0;
  const double* sum = loads.sum.data();
  const double* weight = loads.weight.data();
#pragma omp simd reduction(+ : total_first, total_second)
  for (std::size_t k = 0; k < stride; ++k) {
    rest[k] = rest[k] > 0.0 ? rest[k] : 0.0;  // rounding may leave less than nothing of the untouched links
    const double mean = first[k] / sum[k];
    total_first += weight[k] * mean;
    total_second += weight[k] * loads.eta * (second[k] / sum[k] - mean * mean);
  }
  return {total_first, total_second};
}

/// The same `step` into the move. `moved_sum` receives the sums of exponentials there; `moved` the exponentials.
WAN_VECTOR_CLONES
Slope slope_at(const ScenarioLoads& loads, const double* rate, const Touched* touched, std::size_t touched_count,
               double step, const double* rest, double* moved, double* moved_sum, double* first, double* second) {
  const std::size_t stride = loads.stride;
  const double eta = loads.eta;
  const double* shift = loads.shift.data();
  const double* weight = loads.weight.data();
#pragma omp simd
  for (std::size_t k = 0; k < stride; ++k) {
    moved_sum[k] = rest[k];
    first[k] = 0.0;
    second[k] = 0.0;
  }
  for (std::size_t i = 0; i < touched_count; ++i) {
    const double* u = loads.utilization.data() + touched[i].link * stride;
    const double factor = touched[i].sign * loads.inverse_capacity[touched[i].link];
    double* out = moved + i * stride;
#pragma omp simd
    for (std::size_t k = 0; k < stride; ++k) {
      const double change = factor * rate[k];
      const double value = vector_exp(eta * (u[k] + step * change - shift[k]));
      out[k] = value;
      moved_sum[k] += value;
      first[k] += value * change;
      second[k] += value * change * change;
    }
  }
  double total_first = 0.0;
  double total_second = 0.0;
#pragma omp simd reduction(+ : total_first, total_second)
  for (std::size_t k = 0; k < stride; ++k) {
    const double mean = first[k] / moved_sum[k];
    total_first += weight[k] * mean;
    total_second += weight[k] * eta * (second[k] / moved_sum[k] - mean * mean);
  }
  return {total_first, total_second};
}

double soft_change(const ScenarioLoads& loads, const double* moved_sum) {
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

/// The pair of paths between which share moves.
struct Pair {
  std::size_t from = 0;
  std::size_t to = 0;
  double descent = 0.0;  ///< what the objective falls by at first, per share; not above zero: nothing to gain
  double high = 0.0;     ///< price of `from`
};

/// What one more or one less unit of share costs beside utilisation and delay.
double price_of_more(const SplitView& split, std::size_t p) {
  if (split.anchor.empty()) return 0.0;
  return split.share[p] >= split.anchor[p] - kSameShare ? 0.5 * split.change_price : -0.5 * split.change_price;
}
double price_of_last(const SplitView& split, std::size_t p) {
  if (split.anchor.empty()) return 0.0;
  return split.share[p] > split.anchor[p] + kSameShare ? 0.5 * split.change_price : -0.5 * split.change_price;
}

Pair best_pair(const SplitView& split, const double* price) {
  const std::size_t paths = split.share.size();
  Pair pair{.from = paths, .to = 0};
  double low = 0.0;
  double saved = 0.0;
  for (std::size_t p = 0; p < paths; ++p) {
    const double more = price[p] + price_of_more(split, p);
    if (p == 0 || more < low) {
      low = more;
      pair.to = p;
    }
    const double last = price[p] + price_of_last(split, p);
    if (split.share[p] > 0.0 && (pair.from == paths || last > saved)) {
      saved = last;
      pair.from = p;
      pair.high = price[p];
    }
  }
  pair.descent = pair.from == paths ? 0.0 : saved - low;
  return pair;
}

/// What changes the slope along a move beside the links: delay, and the price of change with its kinks, at which `from`
/// or `to` is back at its share in force.
class MovePrices {
 public:
  MovePrices(const SplitView& split, const Pair& pair)
      : delay_{split.delay_price[pair.to] - split.delay_price[pair.from]}, half_{0.5 * split.change_price} {
    if (split.anchor.empty() || half_ == 0.0) return;
    kink_[0] = split.share[pair.from] - split.anchor[pair.from];
    kink_[1] = split.anchor[pair.to] - split.share[pair.to];
    for (double& kink : kink_) kink = kink > kSameShare ? kink : 0.0;
    priced_ = true;
  }
  [[nodiscard]] double slope_before(double step) const { return slope(step, -kSameShare); }
  [[nodiscard]] double slope_after(double step) const { return slope(step, kSameShare); }
  /// The kink next to `from` on the way to `to`; `to` if there is none.
  [[nodiscard]] double stop(double from, double to) const {
    for (const double kink : kink_) {
      if ((kink > from + kSameShare && kink < to) || (kink < from - kSameShare && kink > to)) to = kink;
    }
    return to;
  }
  [[nodiscard]] double cost(double step) const {
    double total = delay_ * step;
    for (const double kink : kink_) {
      if (priced_) total += half_ * (step <= kink ? -step : step - 2.0 * kink);
    }
    return total;
  }

 private:
  [[nodiscard]] double slope(double step, double side) const {
    double total = delay_;
    for (const double kink : kink_) {
      if (priced_) total += step + side < kink ? -half_ : half_;
    }
    return total;
  }
  double delay_;
  double half_;
  double kink_[2] = {0.0, 0.0};
  bool priced_ = false;
};

/// A touched link's row at the end of the move; the largest exponential there of those that count.
WAN_VECTOR_CLONES
double move_row(const double* rate, double factor, const double* moved, const double* weight, std::size_t counting,
                std::size_t stride, double* utilization, double* exponential) {
  double largest = 0.0;
#pragma omp simd reduction(max : largest)
  for (std::size_t k = 0; k < stride; ++k) {
    utilization[k] += factor * rate[k];
    exponential[k] = moved[k];
    const double counted = weight[k] > 0.0 && k < counting ? moved[k] : 0.0;
    largest = largest > counted ? largest : counted;
  }
  return largest;
}

/// Sums at the end of the move and what they make of prices; the least of them.
WAN_VECTOR_CLONES
double move_sums(const double* moved_sum, const double* weight, std::size_t stride, double* sum, double* pull) {
  double least = moved_sum[0];
#pragma omp simd reduction(min : least)
  for (std::size_t k = 0; k < stride; ++k) {
    sum[k] = moved_sum[k];
    pull[k] = weight[k] / moved_sum[k];
    least = least < moved_sum[k] ? least : moved_sum[k];
  }
  return least;
}

void apply_move(ScenarioLoads& loads, const double* rate, std::span<const Touched> touched, double step,
                const MoveMemory& memory) {
  const std::size_t stride = loads.stride;
  for (std::size_t i = 0; i < touched.size(); ++i) {
    const std::size_t row = touched[i].link * stride;
    const double factor = step * touched[i].sign * loads.inverse_capacity[touched[i].link];
    const double largest =
        move_row(rate, factor, memory.moved + i * stride, loads.weight.data(), loads.scenarios + loads.limited, stride,
                 loads.utilization.data() + row, loads.exponential.data() + row);
    if (largest >= ScenarioLoads::kCounts) loads.counts[touched[i].link] = 1;
  }
  const double least = move_sums(memory.moved_sum, loads.weight.data(), stride, loads.sum.data(), loads.pull.data());
  if (least < kStaleSum) loads.refresh();
}

/// How far to go: least to most brackets the minimum; the slope at `least` is below zero or it is the start. Ends with
/// the memory at the step that is returned; 0 when nothing would be won.
double line_search(const ScenarioLoads& loads, const double* rate, std::span<const Touched> touched,
                   const MovePrices& prices, double most, const MoveMemory& memory) {
  const auto slope_into_move = [&](double at) {
    return slope_at(loads, rate, touched.data(), touched.size(), at, memory.rest, memory.moved, memory.moved_sum,
                    memory.first, memory.second);
  };
  Slope slope = slope_at_start(loads, rate, touched.data(), touched.size(), memory.rest, memory.first, memory.second);
  double least = 0.0;
  double step = 0.0;
  double ahead = slope.first + prices.slope_after(0.0);
  const double enough = kSlopeLeft * std::abs(ahead);
  // On until a step that gains is known: where the cheapest path is a narrow one, only a small part of the share fits.
  for (int i = 0; i < kStepsMax; ++i) {
    const double newton = slope.second > 0.0 ? step - ahead / slope.second : (ahead < 0.0 ? most : least);
    const double between = i == 0 ? most : (i <= kStepsUsual ? 0.5 : 0.125) * (least + most);
    const bool whole = i == 0 && newton >= most;
    const double inside = newton > least && newton < most ? newton : (whole ? most : between);
    step = prices.stop(step, inside);
    slope = slope_into_move(step);
    const double behind = slope.first + prices.slope_before(step);
    ahead = slope.first + prices.slope_after(step);
    if (behind <= 0.0) {
      least = step;
      if (ahead >= -enough || step >= most || i >= kStepsUsual) return step;
    } else {
      most = step;
      ahead = behind;
      if (i >= kStepsUsual && least > 0.0) break;
      if (behind <= enough && soft_change(loads, memory.moved_sum) + prices.cost(step) < 0.0) return step;
    }
  }
  if (least <= 0.0) return 0.0;
  if (step != least) slope_into_move(least);
  return least;
}

}  // namespace

double improve_split(ScenarioLoads& loads, const SplitView& split, std::vector<double>& scratch) {
  const std::size_t paths = split.share.size();
  if (paths < 2) return 0.0;
  const auto links_of = [&](std::size_t p) {
    return split.links.subspan(split.first[p], split.first[p + 1] - split.first[p]);
  };

  const MoveMemory memory{scratch, loads, paths, split.links.size()};
  price_links(loads, split.rate.data(), split.links.data(), split.links.size(), memory.pull, memory.link_price);
  for (std::size_t p = 0; p < paths; ++p) {
    memory.price[p] = split.delay_price[p];
    for (std::uint32_t i = split.first[p]; i < split.first[p + 1]; ++i) {
      memory.price[p] += memory.link_price[split.links[i]];
    }
  }
  const Pair pair = best_pair(split, memory.price);
  if (pair.descent <= kPriceTolerance * pair.high || pair.descent * split.share[pair.from] <= split.gain_min)
    return 0.0;

  thread_local std::vector<Touched> touched;
  touched_links(links_of(pair.from), links_of(pair.to), touched);
  const double step =
      line_search(loads, split.rate.data(), touched, MovePrices{split, pair}, split.share[pair.from], memory);
  if (step <= 0.0) return 0.0;
  apply_move(loads, split.rate.data(), touched, step, memory);
  split.share[pair.from] = std::max(0.0, split.share[pair.from] - step);
  split.share[pair.to] += step;
  return step;
}

void demand_link_prices(const ScenarioLoads& loads, std::span<const double> rate, std::span<double> price) {
  thread_local std::vector<double> pull;
  pull.resize(loads.stride);
  price_all_links(loads, rate.data(), pull.data(), price.data());
}

}  // namespace wan::controller
