#include "controller/segment_shift.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/batch_tree_search.h"
#include "core/random.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

using test::Line;
using test::lines_network;

struct DrawnBalance {
  explicit DrawnBalance(Rng& rng) {
    constant = rng.uniform() < 0.5 ? 0.0 : rng.uniform() - 0.5;
    for (auto* side : {&rising, &falling}) {
      const std::size_t terms = 1 + rng.below(8);
      for (std::size_t i = 0; i < terms; ++i) {
        side->push_back({std::exp(6.0 * (rng.uniform() - 0.5)), std::exp(4.0 * (rng.uniform() - 0.5))});
      }
    }
  }
  [[nodiscard]] double left(double step) const {
    double sum = std::max(constant, 0.0);
    for (const auto& [gain, rate] : rising) sum += gain * std::exp(rate * step);
    return sum;
  }
  [[nodiscard]] double right(double step) const {
    double sum = std::max(-constant, 0.0);
    for (const auto& [gain, rate] : falling) sum += gain * std::exp(-rate * step);
    return sum;
  }
  double constant;
  std::vector<std::pair<double, double>> rising, falling;
};

/// What the prices are the slope of: sum of e^(sharpness (u - reference)) / sharpness, plus delay.
double objective(const PricedLinks& links) {
  double sum = 0.0;
  for (std::size_t b = 0; b < links.utilization.size(); ++b) {
    sum += std::exp(links.sharpness * (links.utilization[b] - links.reference)) / links.sharpness;
    sum += links.delay_weight * links.network->delay[b] * links.utilization[b] * links.network->capacity[b];
  }
  return sum;
}

}  // namespace

TEST_CASE("the balance step ends where both sides weigh the same, or at the end that the heavier side leaves",
          "[solver]") {
  BalanceStep balance;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "balance"};
    const DrawnBalance drawn{rng};
    balance.start(drawn.constant);
    for (const auto& [gain, rate] : drawn.rising) balance.add_rising(gain, rate);
    for (const auto& [gain, rate] : drawn.falling) balance.add_falling(gain, rate);
    const double step_max = std::exp(6.0 * (rng.uniform() - 0.7));
    const double step = balance.solve(step_max);
    if (step == 0.0) {
      CHECK(drawn.left(0.0) >= drawn.right(0.0));
    } else if (step == step_max) {
      CHECK(drawn.left(step) <= drawn.right(step));
    } else {
      CHECK(std::abs(std::log(drawn.left(step) / drawn.right(step))) < 0.021);
    }
  }
}

TEST_CASE("the balance step copes with prices that span all powers of ten", "[solver]") {
  BalanceStep balance;
  balance.start(0.0);
  balance.add_rising(1e-280, 1e4);
  balance.add_falling(1.0, 1.0);
  const double step = balance.solve(1.0);
  CHECK(std::log(1e-280) + 1e4 * step == Approx(-step).margin(0.03));
  balance.start(-1.0);  // delay is saved and nobody's price rises
  CHECK(balance.solve(7.0) == 7.0);
}

TEST_CASE("parallel links of one delay are one bundle, others are not", "[solver]") {
  const Topology topology = lines_network(2, {{.from = 0, .to = 1, .capacity_bps = 1e9, .delay_ms = 1},
                                              {.from = 0, .to = 1, .capacity_bps = 3e9, .delay_ms = 1},
                                              {.from = 0, .to = 1, .capacity_bps = 1e9, .delay_ms = 2},
                                              {.from = 1, .to = 0, .capacity_bps = 1e9, .delay_ms = 1},
                                              {.from = 0, .to = 1, .capacity_bps = 5e9, .delay_ms = 1}})
                                .with_links_down(std::vector{LinkId{4}});
  const FlowNetwork network{topology};
  REQUIRE(network.size() == 3);
  CHECK(network.bundle_of[0] == network.bundle_of[1]);
  CHECK(network.bundle_of[0] != network.bundle_of[2]);
  CHECK(network.bundle_of[4] == FlowNetwork::kNone);
  CHECK(network.capacity[network.bundle_of[0]] == 4e9);
  CHECK(network.part_of_bundle[0] == 0.25);
  CHECK(network.part_of_bundle[1] == 0.75);
  CHECK(network.part_of_bundle[2] == 1.0);
}

TEST_CASE("shifts, first and again, keep every node's balance and never raise what the prices are the slope of",
          "[solver]") {
  std::size_t traded_again = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "shift"};
    const std::size_t n = 4 + rng.below(12);
    const Topology topology =
        test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n), .capacity_decades = 1.5});
    const FlowNetwork network{topology};
    PricedLinks links{network};
    BatchTreeSearch search{network.graph};
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    const std::uint32_t source = 0;
    // The source's demand in equal parts on three trees that random costs give; others load the links too.
    std::vector<double> flow(network.size(), 0.0);
    std::vector<double> demand(n);
    for (double& bps : demand) bps = 3e6 * rng.exponential();
    demand[source] = 0.0;
    std::vector<double> cost(network.size());
    const auto draw_tree = [&] {
      for (double& c : cost) c = rng.exponential() + 1e-3;
      search.run(std::span{&source, 1}, cost, order);
      search.find_parents();
    };
    for (int tree = 0; tree < 3; ++tree) {
      draw_tree();
      for (std::size_t t = 1; t < n; ++t) {
        for (std::uint32_t at = static_cast<std::uint32_t>(t); at != source;) {
          const std::uint32_t up = search.parent_link()[at * BatchTreeSearch::kLanes];
          flow[up] += demand[t] / 3.0;
          at = network.from[up];
        }
      }
    }
    for (std::size_t b = 0; b < network.size(); ++b) {
      links.utilization[b] = (flow[b] + 1e7 * rng.uniform()) * network.inverse_capacity[b];
    }
    links.reference = links.highest_utilization();
    links.sharpness = (5.0 + 200.0 * rng.uniform()) / links.reference;
    links.delay_weight = rng.uniform() < 0.5 ? 0.0 : 1e-8;
    links.refresh();
    search.run(std::span{&source, 1}, links.cost, order);
    search.find_parents();
    const TreeView tree{.source = source, .parent_link = search.parent_link(), .lane = 0};
    SegmentShift shift{network};
    SegmentPairs pairs;
    double before = objective(links);
    for (std::uint32_t b = 0; b < network.size(); ++b) {
      if (flow[b] <= 0.0 || tree.parent(network.to[b]) == b) continue;
      (void)shift.run(b, tree, flow, links, 0, pairs);
      const double after = objective(links);
      CHECK(after <= before * (1.0 + 1e-9));
      before = after;
    }
    // Where others' loads have changed, the pairs found trade again, to and fro.
    for (std::uint32_t b = 0; b < network.size(); ++b) links.add_load(b, 1e7 * rng.uniform());
    before = objective(links);
    for (const SegmentPairs::Pair& pair : pairs.pairs) {
      const auto outcome = shift.run_again(pairs, pair, flow, links, 1e-6);
      const double after = objective(links);
      CHECK(after <= before * (1.0 + 1e-9));
      if (outcome == SegmentShift::Outcome::kBalanced) {
        ++traded_again;
        CHECK(shift.run_again(pairs, pair, flow, links, 0.05) == SegmentShift::Outcome::kNothing);
      }
      before = objective(links);
    }
    std::vector<double> kept(n, 0.0);
    for (std::size_t b = 0; b < network.size(); ++b) {
      CHECK(flow[b] >= 0.0);
      kept[network.to[b]] += flow[b];
      kept[network.from[b]] -= flow[b];
    }
    for (std::size_t t = 1; t < n; ++t) CHECK(kept[t] == Approx(demand[t]).epsilon(1e-6).margin(1.0));
  }
  CHECK(traded_again > 50);
}

}  // namespace wan::controller
