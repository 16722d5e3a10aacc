#include "controller/scenario_kernel.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/random.h"

namespace wan::controller {
namespace {

double soft_expected(const ScenarioLoads& loads) {
  double expected = 0.0;
  for (std::size_t k = 0; k < loads.stride; ++k) {
    double highest = 0.0;
    for (std::size_t l = 0; l < loads.links; ++l) highest = std::max(highest, loads.utilization[l * loads.stride + k]);
    double sum = 0.0;
    for (std::size_t l = 0; l < loads.links; ++l) {
      sum += std::exp(loads.eta * (loads.utilization[l * loads.stride + k] - highest));
    }
    expected += loads.weight[k] * (highest + std::log(sum) / loads.eta);
  }
  return expected;
}

ScenarioLoads drawn_loads(Rng& rng, std::size_t links, std::size_t scenarios, double tail = 1.0) {
  ScenarioLoads loads{links, scenarios, tail};
  loads.eta = 20.0 + 60.0 * rng.uniform();
  for (std::size_t l = 0; l < links; ++l) {
    loads.inverse_capacity[l] = 1.0 / (1e8 + 1e9 * rng.uniform());
    for (std::size_t k = 0; k < scenarios; ++k) loads.utilization[l * loads.stride + k] = rng.uniform();
  }
  loads.refresh();
  return loads;
}

std::vector<double> drawn_rate(Rng& rng, const ScenarioLoads& loads, std::size_t scenarios) {
  std::vector<double> rate(loads.stride, 0.0);
  for (std::size_t k = 0; k < scenarios; ++k) rate[k] = 1e8 * rng.exponential();
  return rate;
}

/// A demand with one path for each link of a parallel bundle, all of it on the first.
struct Bundle {
  explicit Bundle(std::size_t paths) : delay_price(paths, 0.0), share(paths, 0.0) {
    for (std::size_t p = 0; p < paths; ++p) {
      first.push_back(static_cast<std::uint32_t>(p));
      links.push_back(static_cast<std::uint32_t>(p));
    }
    first.push_back(static_cast<std::uint32_t>(paths));
    share[0] = 1.0;
  }
  [[nodiscard]] SplitView view(std::span<const double> rate) {
    return {.rate = rate, .first = first, .links = links, .delay_price = delay_price, .share = share};
  }
  std::vector<std::uint32_t> first, links;
  std::vector<double> delay_price, share;
};

}  // namespace

TEST_CASE("refreshed loads know their soft and hard expected maximum", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "refresh"};
    const ScenarioLoads loads = drawn_loads(rng, 1 + rng.below(20), 1 + rng.below(20));
    CHECK(loads.soft_utilization() == Approx(soft_expected(loads)).epsilon(1e-9));
    CHECK(loads.expected_utilization() <= loads.soft_utilization() + 1e-12);
    const double smoothing = std::log(static_cast<double>(loads.links)) / loads.eta;
    CHECK(loads.soft_utilization() <= loads.expected_utilization() + smoothing + 1e-9);
  }
}

TEST_CASE("a demand's link prices are the gradient of the expected soft maximum", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "gradient"};
    const std::size_t scenarios = 1 + rng.below(12);
    const ScenarioLoads loads = drawn_loads(rng, 2 + rng.below(12), scenarios);
    const std::vector<double> rate = drawn_rate(rng, loads, scenarios);
    std::vector<double> price(loads.links);
    demand_link_prices(loads, rate, price);
    for (std::size_t l = 0; l < loads.links; ++l) {
      constexpr double kNudge = 1e-5;  // of share
      ScenarioLoads up = loads, down = loads;
      for (std::size_t k = 0; k < loads.stride; ++k) {
        up.utilization[l * loads.stride + k] += kNudge * rate[k] * loads.inverse_capacity[l];
        down.utilization[l * loads.stride + k] -= kNudge * rate[k] * loads.inverse_capacity[l];
      }
      const double gradient = (soft_expected(up) - soft_expected(down)) / (2.0 * kNudge);
      CHECK(price[l] == Approx(gradient).epsilon(1e-4).margin(1e-9));
    }
  }
}

TEST_CASE("improving a split lowers the objective and keeps loads, shares and exponentials in step", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "improve"};
    const std::size_t scenarios = 1 + rng.below(12);
    const std::size_t paths = 2 + rng.below(4);
    ScenarioLoads loads = drawn_loads(rng, paths + rng.below(4), scenarios);
    const std::vector<double> rate = drawn_rate(rng, loads, scenarios);
    Bundle bundle{paths};
    for (double& price : bundle.delay_price) price = 0.05 * rng.uniform();
    for (std::size_t k = 0; k < loads.stride; ++k) {
      loads.utilization[k] += rate[k] * loads.inverse_capacity[0];
    }
    loads.refresh();
    std::vector<double> scratch;
    for (int i = 0; i < 5; ++i) {
      const auto objective = [&] {
        double value = soft_expected(loads);
        for (std::size_t p = 0; p < paths; ++p) value += bundle.share[p] * bundle.delay_price[p];
        return value;
      };
      const double before = objective();
      const std::vector<double> utilization = loads.utilization;
      const std::vector<double> share = bundle.share;
      const double step = improve_split(loads, bundle.view(rate), scratch);
      CHECK(step >= 0.0);
      CHECK(objective() <= before * (1.0 + 1e-6));
      double sum = 0.0;
      for (std::size_t p = 0; p < paths; ++p) {
        CHECK(bundle.share[p] >= 0.0);
        sum += bundle.share[p];
        for (std::size_t k = 0; k < loads.stride; ++k) {
          const double change = (bundle.share[p] - share[p]) * rate[k] * loads.inverse_capacity[p];
          const std::size_t at = p * loads.stride + k;
          CHECK(loads.utilization[at] == Approx(utilization[at] + change).epsilon(1e-9).margin(1e-9));
        }
      }
      CHECK(sum == Approx(1.0).epsilon(1e-9));
      for (std::size_t k = 0; k < loads.stride; ++k) CHECK(loads.pull[k] == loads.weight[k] / loads.sum[k]);
      CHECK(loads.soft_utilization() == Approx(soft_expected(loads)).epsilon(1e-6));
    }
  }
}

TEST_CASE("a blunt column adds the mean's soft maximum, so much blunter, and prices to match", "[kernel]") {
  constexpr double kWeight = 0.3;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "blunt"};
    const std::size_t scenarios = 1 + rng.below(12);
    const std::size_t links = 2 + rng.below(12);
    ScenarioLoads loads{links, scenarios, 1.0, 0, kWeight};
    loads.eta = 20.0 + 60.0 * rng.uniform();
    std::vector<double> mean(links, 0.0);
    for (std::size_t l = 0; l < links; ++l) {
      loads.inverse_capacity[l] = 1.0 / (1e8 + 1e9 * rng.uniform());
      double* row = loads.utilization.data() + l * loads.stride;
      for (std::size_t k = 0; k < scenarios; ++k) mean[l] += row[k] = rng.uniform();
      mean[l] /= static_cast<double>(scenarios);
      row[scenarios] = ScenarioLoads::kBluntScale * mean[l];
    }
    loads.refresh();
    double sum = 0.0;
    for (const double u : mean) sum += std::exp(ScenarioLoads::kBluntScale * loads.eta * u);
    const double blunt = std::log(sum) / (ScenarioLoads::kBluntScale * loads.eta);
    CHECK(loads.blunt_utilization() == Approx(blunt).epsilon(1e-6));
    CHECK(loads.blunt_weight() == Approx(kWeight));
    CHECK(loads.soft_utilization() == Approx(soft_expected(loads)).epsilon(1e-9));

    const double with_it = loads.soft_utilization();
    loads.drop_blunt();
    CHECK(loads.blunt_weight() == 0.0);
    CHECK(with_it - loads.soft_utilization() == Approx(kWeight * blunt).epsilon(1e-6));
    for (const bool refreshed : {false, true}) {
      if (refreshed) loads.refresh();
      CHECK(loads.pull[scenarios] == 0.0);
      CHECK(loads.pull[0] == loads.weight[0] / loads.sum[0]);
    }
  }
}

TEST_CASE("with a tail the loads know the mean of the worst scenarios", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "tail"};
    const std::size_t links = 1 + rng.below(20);
    const std::size_t scenarios = 1 + rng.below(40);
    const double tail = 0.02 + 0.97 * rng.uniform();
    ScenarioLoads loads{links, scenarios, tail};
    loads.eta = 3000.0;  // sharp: next to nothing is smoothed
    std::vector<double> largest(scenarios, 0.0);
    for (std::size_t l = 0; l < links; ++l) {
      for (std::size_t k = 0; k < scenarios; ++k) {
        loads.utilization[l * loads.stride + k] = rng.uniform();
        largest[k] = std::max(largest[k], loads.utilization[l * loads.stride + k]);
      }
    }
    loads.refresh();
    std::sort(largest.rbegin(), largest.rend());
    double worst = 0.0;
    const double count = tail * static_cast<double>(scenarios);
    for (std::size_t k = 0; k < scenarios; ++k) {
      worst += largest[k] * std::clamp(count - static_cast<double>(k), 0.0, 1.0) / count;
    }
    CHECK(loads.risk_utilization() == Approx(worst).epsilon(1e-12));
    CHECK(loads.soft_utilization() ==
          Approx(worst).margin((std::log(static_cast<double>(links) + 1.0) + 1.0) / 3000.0 / tail));
    CHECK(loads.expected_utilization() <= loads.risk_utilization() + 1e-12);
    // No other level gives a lower value: this one is the minimum over levels.
    const auto at_level = [&](double level) {
      double value = level;
      for (std::size_t k = 0; k < scenarios; ++k) {
        double highest = level;
        for (std::size_t l = 0; l < links; ++l) {
          highest = std::max(highest, loads.utilization[l * loads.stride + k]);
        }
        double sum = std::exp(loads.eta * (level - highest));
        for (std::size_t l = 0; l < links; ++l) {
          sum += std::exp(loads.eta * (loads.utilization[l * loads.stride + k] - highest));
        }
        value += (highest - level + std::log(sum) / loads.eta) * loads.weight[k];
      }
      return value;
    };
    CHECK(loads.soft_utilization() == Approx(at_level(loads.level)).epsilon(1e-7));
    for (const double off : {-1e-2, -1e-4, 1e-4, 1e-2}) {
      CHECK(at_level(loads.level + off) >= at_level(loads.level) - 1e-10);
    }
  }
}

TEST_CASE("prices are the gradient with a tail too", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "tail gradient"};
    const std::size_t scenarios = 2 + rng.below(12);
    ScenarioLoads loads = drawn_loads(rng, 2 + rng.below(12), scenarios, 0.1 + 0.8 * rng.uniform());
    const std::vector<double> rate = drawn_rate(rng, loads, scenarios);
    std::vector<double> price(loads.links);
    demand_link_prices(loads, rate, price);
    for (std::size_t l = 0; l < loads.links; ++l) {
      constexpr double kNudge = 1e-5;  // of share
      ScenarioLoads up = loads, down = loads;
      for (std::size_t k = 0; k < loads.stride; ++k) {
        up.utilization[l * loads.stride + k] += kNudge * rate[k] * loads.inverse_capacity[l];
        down.utilization[l * loads.stride + k] -= kNudge * rate[k] * loads.inverse_capacity[l];
      }
      up.refresh();
      down.refresh();
      CHECK(price[l] ==
            Approx((up.soft_utilization() - down.soft_utilization()) / (2.0 * kNudge)).epsilon(1e-3).margin(1e-7));
    }
  }
}

TEST_CASE("with a price of change a split ends where a search of all splits ends", "[kernel]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "change"};
    const std::size_t scenarios = 1 + rng.below(8);
    const double tail = rng.uniform() < 0.5 ? 1.0 : 0.3;
    ScenarioLoads loads = drawn_loads(rng, 3 + rng.below(3), scenarios, tail);
    const std::vector<double> rate = drawn_rate(rng, loads, scenarios);
    Bundle bundle{3};
    for (double& price : bundle.delay_price) price = 0.05 * rng.uniform();
    const double cut = rng.uniform();
    bundle.share = {cut, 1.0 - cut, 0.0};
    std::vector<double> anchor{rng.uniform(), rng.uniform(), rng.uniform()};
    const double sum = anchor[0] + anchor[1] + anchor[2];
    for (double& share : anchor) share /= sum;
    const double change_price = 0.2 * rng.uniform();
    const std::vector<double> others = loads.utilization;
    const auto load = [&](ScenarioLoads& on, const std::vector<double>& share) {
      for (std::size_t p = 0; p < 3; ++p) {
        for (std::size_t k = 0; k < on.stride; ++k) {
          on.utilization[p * on.stride + k] = others[p * on.stride + k] + share[p] * rate[k] * on.inverse_capacity[p];
        }
      }
      on.refresh();
    };
    const auto objective = [&](const std::vector<double>& share) {
      ScenarioLoads there = loads;
      load(there, share);
      double value = there.soft_utilization();
      for (std::size_t p = 0; p < 3; ++p) {
        value += share[p] * bundle.delay_price[p] + 0.5 * change_price * std::abs(share[p] - anchor[p]);
      }
      return value;
    };
    double best = objective(anchor);
    constexpr int kGrid = 40;
    for (int a = 0; a <= kGrid; ++a) {
      for (int b = 0; a + b <= kGrid; ++b) {
        best = std::min(best, objective({a / double{kGrid}, b / double{kGrid}, (kGrid - a - b) / double{kGrid}}));
      }
    }
    load(loads, bundle.share);
    std::vector<double> scratch;
    double before = objective(bundle.share);
    SplitView view = bundle.view(rate);
    view.anchor = anchor;
    view.change_price = change_price;
    for (int i = 0; i < 60; ++i) {
      improve_split(loads, view, scratch);
      const double after = objective(bundle.share);
      CHECK(after <= before + 1e-7 * std::abs(before));
      before = after;
      if (tail < 1.0) loads.refresh();
    }
    CHECK(before <= best + 2e-4 * std::abs(best));
  }
}

TEST_CASE("a price of change above the whole gain leaves the split in force as it is", "[kernel]") {
  Rng rng{7, "dear"};
  ScenarioLoads loads = drawn_loads(rng, 4, 6);
  const std::vector<double> rate = drawn_rate(rng, loads, 6);
  Bundle bundle{3};
  bundle.share = {0.5, 0.3, 0.2};
  const std::vector<double> anchor = bundle.share;
  std::vector<double> scratch;
  SplitView view = bundle.view(rate);
  view.anchor = anchor;
  view.change_price = 1e3;
  for (int i = 0; i < 5; ++i) CHECK(improve_split(loads, view, scratch) == 0.0);
  CHECK(bundle.share == anchor);
}

TEST_CASE("a split leaves a link that is thousands of times smaller than the one beside it", "[kernel]") {
  ScenarioLoads loads{2, 3};
  loads.inverse_capacity = {1e-6, 1e-10};
  std::vector<double> rate(loads.stride, 0.0);
  for (std::size_t k = 0; k < 3; ++k) {
    rate[k] = 1e8 * static_cast<double>(k + 1);
    loads.utilization[k] = rate[k] * loads.inverse_capacity[0];
  }
  loads.eta = 40.0 / loads.expected_utilization();
  loads.refresh();
  Bundle bundle{2};
  std::vector<double> scratch;
  for (int i = 0; i < 20; ++i) {
    improve_split(loads, bundle.view(rate), scratch);
    for (const double sum : loads.sum) REQUIRE((std::isfinite(sum) && sum > 0.0));
    REQUIRE(std::isfinite(bundle.share[0]));
    REQUIRE(bundle.share[0] + bundle.share[1] == Approx(1.0));
  }
  // Links at 0 and at 200 within a smoothing of 1/40 of 200: what is left above it is a few per cent.
  CHECK(bundle.share[0] < 0.1);
}

TEST_CASE("a demand with one path, or with equal paths, moves nothing", "[kernel]") {
  ScenarioLoads loads{2, 1};
  loads.inverse_capacity = {1e-9, 1e-9};
  loads.eta = 40.0;
  std::vector<double> rate(loads.stride, 0.0);
  rate[0] = 1e8;
  loads.refresh();
  std::vector<double> scratch;
  Bundle single{1};
  CHECK(improve_split(loads, single.view(rate), scratch) == 0.0);
  Bundle pair{2};
  pair.share = {0.5, 0.5};
  loads.utilization[0] = loads.utilization[loads.stride] = 0.05;
  loads.refresh();
  CHECK(improve_split(loads, pair.view(rate), scratch) == 0.0);
}

TEST_CASE("a link far below the top has no price, whatever the number of scenarios, until traffic moves there",
          "[kernel]") {
  for (const std::size_t scenarios : {1UL, 5UL, 8UL, 13UL}) {
    CAPTURE(scenarios);
    ScenarioLoads loads{2, scenarios};
    loads.eta = 50.0;
    for (std::size_t k = 0; k < scenarios; ++k) {
      loads.utilization[k] = 1.0;
      loads.utilization[loads.stride + k] = 0.1;
    }
    loads.inverse_capacity = {1e-9, 1e-9};
    loads.refresh();
    std::vector<double> rate(loads.stride, 0.0);
    std::fill_n(rate.begin(), scenarios, 1e9);
    std::vector<double> price(2);
    demand_link_prices(loads, rate, price);
    CHECK(price[0] > 0.9);
    CHECK(price[1] == 0.0);
    Bundle bundle{2};
    std::vector<double> scratch;
    for (int i = 0; i < 10; ++i) improve_split(loads, bundle.view(rate), scratch);
    CHECK(bundle.share[0] == Approx(0.55).epsilon(0.01));
    demand_link_prices(loads, rate, price);
    CHECK(price[1] == Approx(price[0]).epsilon(0.5));
  }
}

TEST_CASE("traffic above its limit has its price, traffic below it next to none", "[kernel]") {
  constexpr double kNudge = 1e-6;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "limits"};
    const std::size_t scenarios = 1 + rng.below(5);
    const std::size_t links = 2 + rng.below(8);
    ScenarioLoads loads{links, scenarios, seed % 2 == 0 ? 1.0 : 0.4, 1};
    loads.eta = 60.0;
    for (std::size_t l = 0; l < links; ++l) {
      loads.inverse_capacity[l] = 1.0 / (1e8 + 1e9 * rng.uniform());
      for (std::size_t k = 0; k < 2 * scenarios; ++k) loads.utilization[l * loads.stride + k] = rng.uniform();
    }
    for (double& limit : loads.limit) limit = 0.3 + rng.uniform();
    loads.refresh();
    std::vector<double> rate(loads.stride, 0.0);
    for (std::size_t k = 0; k < 2 * scenarios; ++k) rate[k] = 1e8 * rng.uniform();
    std::vector<double> price(links);
    demand_link_prices(loads, rate, price);
    for (std::size_t l = 0; l < links; ++l) {
      const auto moved = [&](double step) {
        ScenarioLoads there = loads;
        for (std::size_t k = 0; k < loads.stride; ++k) {
          there.utilization[l * loads.stride + k] += step * rate[k] * loads.inverse_capacity[l];
        }
        there.refresh();
        return there.soft_utilization();
      };
      CHECK(price[l] == Approx((moved(kNudge) - moved(-kNudge)) / (2.0 * kNudge)).epsilon(1e-3).margin(1e-5));
    }
    // What is risked is of the scenarios alone.
    const double risk = loads.risk_utilization();
    for (double& limit : loads.limit) limit += 10.0;
    loads.refresh();
    CHECK(loads.risk_utilization() == risk);
    ScenarioLoads without{links, scenarios, loads.tail};
    without.eta = loads.eta;
    for (std::size_t l = 0; l < links; ++l) {
      for (std::size_t k = 0; k < scenarios; ++k) {
        without.utilization[l * without.stride + k] = loads.utilization[l * loads.stride + k];
      }
    }
    without.refresh();
    CHECK(loads.soft_utilization() == Approx(without.soft_utilization()).epsilon(1e-9));
  }
}

}  // namespace wan::controller
