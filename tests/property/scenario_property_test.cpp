#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "controller/plan_step.h"
#include "controller/planner.h"
#include "controller/reference_lp.h"
#include "controller/scenario_planner.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

/// Above the LP's mean of maxima: measured 2.1 % at most on some 1,800 of these networks. Delay is a part of the
/// objective (0.3 %), the maximum is smoothed, and shares below half a per cent are left out.
constexpr double kExcessMax = 0.03;
/// The same with a tail: a smoothed maximum over maxima.
constexpr double kTailExcessMax = 0.04;
/// The smoothing lets a plan go for delay where the start had the least maximum: 0.9 % at most was measured.
constexpr double kWorseThanStartMax = 0.015;
/// Shares below half a per cent are folded into the others only when the plan is made.
constexpr double kFoldedMax = 0.005;

/// A network of three to six nodes and some matrices around a common one.
struct Outlooks {
  Outlooks(std::uint64_t seed, std::size_t scenario_count) {
    Rng rng{seed, "outlooks"};
    const std::size_t n = 3 + rng.below(4);
    topology = test::drawn_network(rng, {.nodes = n,
                                         .two_way_links = n + rng.below(4),
                                         .capacity_decades = 3.0 * rng.uniform(),
                                         .connected = rng.uniform() < 0.8});
    usual = test::drawn_demand(rng, n, 0.3 + 0.7 * rng.uniform(), 1e7);
    for (std::size_t k = 0; k < scenario_count; ++k) {
      TrafficMatrix matrix = usual;
      for (double& entry : matrix.bps()) entry *= std::exp(0.5 * rng.normal());
      scenarios.push_back(std::move(matrix));
    }
  }
  Topology topology;
  TrafficMatrix usual;
  std::vector<TrafficMatrix> scenarios;
};

double mean_utilization(const Topology& topology, const PathPlan& plan, const std::vector<TrafficMatrix>& scenarios) {
  double mean = 0.0;
  for (const TrafficMatrix& scenario : scenarios) {
    mean += max_utilization(topology, plan, scenario) / static_cast<double>(scenarios.size());
  }
  return mean;
}

ScenarioRoutes planned(const Outlooks& outlooks, const PathPlan& start, const ScenarioOptions& options = {}) {
  ScenarioPlanner planner{outlooks.topology, options};
  return planner.plan(outlooks.scenarios, start).value();
}

void check_plan(const Outlooks& outlooks, const ScenarioRoutes& routes) {
  const auto checked = routes.plan.check(outlooks.topology);
  INFO((checked ? "" : checked.error().message));
  CHECK(checked);
  CHECK(test::covers_connected_pairs(outlooks.topology, routes.plan));
  CHECK(test::worst_split_error(routes.plan) <= 1e-9);
  CHECK(routes.expected_utilization ==
        Approx(mean_utilization(outlooks.topology, routes.plan, outlooks.scenarios)).epsilon(1e-9));
}

/// In overload links below the fullest have a say, and delay a tenth of it.
constexpr double kOverloadExcessMax = 0.05;

}  // namespace

TEST_CASE("with one scenario the plan comes near the LP's optimum", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const Outlooks outlooks{seed, 1};
    ReferenceLp lp{outlooks.topology};
    const double best = lp.best_utilization(outlooks.scenarios[0]).value();
    const ScenarioRoutes routes = planned(outlooks, test::least_delay_plan(outlooks.topology));
    check_plan(outlooks, routes);
    CHECK(routes.expected_utilization <= best * (1.0 + kExcessMax));
    CHECK(routes.expected_utilization >= best * (1.0 - 1e-7));
    CHECK(routes.lower_bound <= best * (1.0 + 1e-8));
  }
}

TEST_CASE("with several scenarios the plan comes near the LP for the mean of maxima", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Outlooks outlooks{seed, 2 + seed % 9};
    const double best = test::PathLp{outlooks.topology}.best_mean_utilization(outlooks.scenarios);
    const std::vector<PathPlan> starts{test::least_delay_plan(outlooks.topology),
                                       plan_paths(outlooks.topology, outlooks.usual)->plan};
    for (std::size_t start = 0; start < starts.size(); ++start) {
      CAPTURE(seed, start, best);
      const ScenarioRoutes routes = planned(outlooks, starts[start]);
      check_plan(outlooks, routes);
      CHECK(routes.expected_utilization <= best * (1.0 + kExcessMax));
      CHECK(routes.expected_utilization >= best * (1.0 - 1e-7));
      CHECK(routes.lower_bound <= best * (1.0 + 1e-8));
      CHECK(routes.expected_utilization <=
            mean_utilization(outlooks.topology, starts[start], outlooks.scenarios) * (1.0 + kWorseThanStartMax));
    }
  }
}

TEST_CASE("equal scenarios and starts give equal plans", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const Outlooks outlooks{seed, 5};
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const ScenarioRoutes first = planned(outlooks, start);
    const ScenarioRoutes second = planned(outlooks, start);
    CHECK(first.plan == second.plan);
    CHECK(first.expected_utilization == second.expected_utilization);
    CHECK(first.lower_bound == second.lower_bound);
  }
}

TEST_CASE("other numbers for the same nodes give a plan as good", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const Outlooks outlooks{seed, 5};
    const std::size_t n = outlooks.topology.node_count();
    Outlooks renamed = outlooks;
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < n; ++i) nodes.push_back(outlooks.topology.nodes()[n - 1 - i]);
    std::vector<Link> links;
    for (Link link : outlooks.topology.links()) {
      link.from = NodeId{n - 1 - link.from.index()};
      link.to = NodeId{n - 1 - link.to.index()};
      links.push_back(std::move(link));
    }
    renamed.topology = Topology::make(nodes, links).value();
    for (TrafficMatrix& matrix : renamed.scenarios) std::reverse(matrix.bps().begin(), matrix.bps().end());
    const ScenarioRoutes plain = planned(outlooks, test::least_delay_plan(outlooks.topology));
    const ScenarioRoutes other = planned(renamed, test::least_delay_plan(renamed.topology));
    CHECK(other.expected_utilization == Approx(plain.expected_utilization).epsilon(kExcessMax));
    CHECK(other.lower_bound <= plain.expected_utilization * (1.0 + 1e-8));
    CHECK(plain.lower_bound <= other.expected_utilization * (1.0 + 1e-8));
  }
}

TEST_CASE("a plan for the worst scenarios comes near the best one, and its bound is below every plan",
          "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Outlooks outlooks{seed, 8};
    CAPTURE(seed);
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const auto risk_of = [&](const PathPlan& plan, double tail) {
      std::vector<double> largest;
      for (const TrafficMatrix& scenario : outlooks.scenarios) {
        largest.push_back(max_utilization(outlooks.topology, plan, scenario));
      }
      std::sort(largest.rbegin(), largest.rend());
      double worst = 0.0;
      const double count = tail * static_cast<double>(largest.size());
      for (std::size_t k = 0; k < largest.size(); ++k) {
        worst += largest[k] * std::clamp(count - static_cast<double>(k), 0.0, 1.0) / count;
      }
      return worst;
    };
    const ScenarioRoutes for_mean = planned(outlooks, start);
    for (const double tail : {0.125, 0.3, 0.5}) {
      const ScenarioRoutes routes = planned(outlooks, start, {.tail = tail});
      check_plan(outlooks, routes);
      CHECK(routes.risk_utilization == Approx(risk_of(routes.plan, tail)).epsilon(1e-9));
      CHECK(routes.lower_bound <= routes.risk_utilization * (1.0 + 1e-9));
      CHECK(routes.lower_bound <= risk_of(for_mean.plan, tail) * (1.0 + 1e-9));
      CHECK(routes.risk_utilization <= risk_of(for_mean.plan, tail) * (1.0 + kExcessMax));
      const double best = test::PathLp{outlooks.topology}.best_mean_utilization(outlooks.scenarios, tail);
      CHECK(routes.risk_utilization >= best * (1.0 - 1e-7));
      CHECK(routes.risk_utilization <= best * (1.0 + kTailExcessMax));
      CHECK(routes.lower_bound <= best * (1.0 + 1e-8));
    }
  }
}

TEST_CASE("the dearer change is, the less of it, down to none", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Outlooks outlooks{seed, 5};
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(1e-3);  // no overload has a say
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    TrafficMatrix mean{outlooks.topology.node_count()};
    for (const TrafficMatrix& scenario : outlooks.scenarios) {
      for (std::size_t e = 0; e < mean.bps().size(); ++e) mean.bps()[e] += scenario.bps()[e];
    }
    double least = 1.0;
    double utilization = 0.0;
    for (const double weight : {0.0, 0.05, 0.2, 1.0, 1e6}) {
      const ScenarioRoutes routes = planned(outlooks, start, {.change_weight = weight, .change_tolerance = 1e9});
      check_plan(outlooks, routes);
      const double moved = moved_share(start, routes.plan, mean);
      CHECK(moved <= least + 0.02);  // shares below half a per cent are folded into the others
      CHECK(routes.expected_utilization >= utilization * (1.0 - kExcessMax));
      least = std::min(least, moved);
      utilization = std::max(utilization, routes.expected_utilization);
      if (weight == 1e6) CHECK(moved == Approx(0.0).margin(1e-9));
    }
  }
}

TEST_CASE("the price of change costs no more than its tolerance, whatever it is", "[scenario][property]") {
  std::size_t moved_less = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Outlooks outlooks{seed, 5};
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(1e-3);  // no overload has a say
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const ScenarioRoutes free = planned(outlooks, start);
    for (const double weight : {0.1, 1.0, 1e6}) {
      for (const double tolerance : {0.0, 0.01, 0.1}) {
        CAPTURE(seed, weight, tolerance);
        const ScenarioRoutes routes =
            planned(outlooks, start, {.change_weight = weight, .change_tolerance = tolerance});
        check_plan(outlooks, routes);
        CHECK(routes.expected_utilization <= free.expected_utilization * (1.0 + tolerance + kFoldedMax));
        const double saved =
            moved_share(start, free.plan, outlooks.usual) - moved_share(start, routes.plan, outlooks.usual);
        CHECK(saved >= -kFoldedMax);
        moved_less += saved > 0.01;
      }
    }
  }
  CHECK(moved_less > 100);
}

TEST_CASE("where even a part of the price would cost too much, its plan is mixed with the free one until it does not",
          "[scenario][property]") {
  std::size_t moves = 0, moves_less = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Outlooks outlooks{seed, 5};
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(1e-3);  // no overload has a say
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const ScenarioRoutes free = planned(outlooks, start);
    // At a price like this nothing moves, and at an eighth of it, the last one tried, neither.
    const ScenarioRoutes priced = planned(outlooks, start, {.change_weight = 1e6, .change_tolerance = 0.05});
    const ScenarioRoutes stays = planned(outlooks, start, {.change_weight = 1e6, .change_tolerance = 1e9});
    if (stays.expected_utilization < free.expected_utilization * 1.06) continue;
    const double moved = moved_share(start, free.plan, outlooks.usual);
    moves += moved > 0.05;
    moves_less += moved > 0.05 && moved_share(start, priced.plan, outlooks.usual) < 0.97 * moved;
  }
  CHECK(moves > 20);
  CHECK(2 * moves_less > moves);  // elsewhere the smallest part of the way would cost too much
}

TEST_CASE("the price of change makes no overload", "[scenario][property]") {
  std::size_t would_have = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Outlooks outlooks{seed, 5};
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const double best = planned(outlooks, start).expected_utilization;
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(0.98 / best);
    const ScenarioOptions reckless{.change_weight = 10.0, .change_tolerance = 0.5};
    CHECK(planned(outlooks, start, reckless).expected_utilization <= 1.0 + kFoldedMax);
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(0.5);
    would_have += planned(outlooks, start, reckless).expected_utilization > 0.51;
  }
  CHECK(would_have > 10);
}

TEST_CASE("where every plan overloads links, less moves, at next to no cost in utilisation", "[scenario][property]") {
  double moved_free = 0.0;
  double moved = 0.0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Outlooks outlooks{seed, 5};
    const PathPlan least = test::least_delay_plan(outlooks.topology);
    const double best = planned(outlooks, least).expected_utilization;
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(1.5 / best);
    const PathPlan start = planned(outlooks, least).plan;
    Rng rng{seed, "next"};
    for (TrafficMatrix& matrix : outlooks.scenarios) {
      for (double& bps : matrix.bps()) bps *= std::exp(0.1 * rng.normal());
    }
    const ScenarioRoutes free = planned(outlooks, start);
    const ScenarioRoutes priced = planned(outlooks, start, {.change_weight = 1.0, .change_tolerance = 0.5});
    check_plan(outlooks, priced);
    CHECK(priced.expected_utilization <= free.expected_utilization * (1.0 + 1e-3 + kFoldedMax));
    const double truth = test::PathLp{outlooks.topology}.best_mean_utilization(outlooks.scenarios);
    CHECK(priced.lower_bound <= truth * (1.0 + 1e-8));
    CHECK(priced.lower_bound >= 0.5 * truth);
    CHECK(free.expected_utilization <= truth * (1.0 + kOverloadExcessMax));
    moved_free += moved_share(start, free.plan, outlooks.usual);
    moved += moved_share(start, priced.plan, outlooks.usual);
  }
  CHECK(moved < 0.6 * moved_free);
  CHECK(moved > 0.0);
}

TEST_CASE("plans that end an overload move no more than plans that come from just below it", "[scenario][property]") {
  double above = 0.0;
  double below = 0.0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Outlooks outlooks{seed, 5};
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const double best = planned(outlooks, start).expected_utilization;
    const double now = mean_utilization(outlooks.topology, start, outlooks.scenarios);
    if (!(best < 0.8 * now)) continue;
    const auto moved_from = [&](double utilization) {
      Outlooks scaled = outlooks;
      for (TrafficMatrix& matrix : scaled.scenarios) matrix = matrix.scaled(utilization / now);
      ScenarioPlanner planner{scaled.topology, {.change_weight = 0.8, .change_tolerance = 0.012}};
      const ScenarioRoutes routes = planner.plan(scaled.scenarios, start, true).value();
      return moved_share(start, routes.plan, scaled.usual);
    };
    above += moved_from(1.005);
    below += moved_from(0.995);
  }
  CHECK(below > 3.0);
  CHECK(above <= 1.03 * below);
}

TEST_CASE("a link that no plan can relieve does not hide another overloaded one that a detour relieves", "[scenario]") {
  // n0 -> n1 is twice too thin. n2 -> n3 is a fifth too thin, and a way round by n4 is wide.
  const Topology topology = test::lines_network(5, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                                    {.from = 2, .to = 3, .capacity_bps = 1e9},
                                                    {.from = 2, .to = 4, .capacity_bps = 1e10},
                                                    {.from = 4, .to = 3, .capacity_bps = 1e10, .delay_ms = 2.0}});
  TrafficMatrix demand{5};
  demand.set(NodeId{0}, NodeId{1}, BitRate::gbps(2));
  demand.set(NodeId{2}, NodeId{3}, BitRate::gbps(1.2));
  const std::vector<TrafficMatrix> scenarios(4, demand);
  ScenarioPlanner planner{topology, {.sharpness = 50.0, .delay_weight = 0.03}};
  const ScenarioRoutes routes = planner.plan(scenarios, test::least_delay_plan(topology)).value();
  CHECK(routes.expected_utilization == Approx(2.0));
  const std::vector<double> load = link_loads_bps(topology, routes.plan, demand);
  CHECK(load[1] <= 1e9);
}

TEST_CASE("a plan made again for the same scenarios moves next to nothing", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Outlooks outlooks{seed, 5};
    for (TrafficMatrix& matrix : outlooks.scenarios) matrix = matrix.scaled(1e-3);  // no overload has a say
    ScenarioPlanner planner{outlooks.topology, {.change_weight = 1.0, .change_tolerance = 0.01}};
    const PathPlan first = planner.plan(outlooks.scenarios, test::least_delay_plan(outlooks.topology), false)->plan;
    const PathPlan second = planner.plan(outlooks.scenarios, first)->plan;
    CHECK(moved_share(first, second, outlooks.usual) <= kFoldedMax);
  }
}

TEST_CASE("scaling all scenarios scales what is expected", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outlooks outlooks{seed, 4};
    const PathPlan start = test::least_delay_plan(outlooks.topology);
    const ScenarioRoutes plain = planned(outlooks, start);
    for (const double factor : {1e-6, 1e6}) {
      CAPTURE(seed, factor);
      Outlooks scaled = outlooks;
      for (TrafficMatrix& matrix : scaled.scenarios) matrix = matrix.scaled(factor);
      const ScenarioRoutes routes = planned(scaled, start);
      CHECK(routes.expected_utilization == Approx(plain.expected_utilization * factor).epsilon(kExcessMax));
    }
  }
}

TEST_CASE("a planner that has seen a hundred decisions still plans as well as a fresh one", "[scenario][property]") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Outlooks outlooks{seed, 1};
    ScenarioPlanner kept{outlooks.topology, {}};
    PathPlan in_force = test::least_delay_plan(outlooks.topology);
    Rng rng{seed, "decisions"};
    for (int decision = 0; decision < 100; ++decision) {
      std::vector<TrafficMatrix> scenarios;
      for (int k = 0; k < 4; ++k) {
        TrafficMatrix matrix = outlooks.usual;
        for (double& entry : matrix.bps()) entry *= std::exp(0.5 * rng.normal());
        scenarios.push_back(std::move(matrix));
      }
      const auto routes = kept.plan(scenarios, in_force);
      REQUIRE(routes);
      in_force = routes->plan;
      if (decision % 20 != 19) continue;
      CAPTURE(seed, decision);
      REQUIRE(in_force.check(outlooks.topology));
      CHECK(test::covers_connected_pairs(outlooks.topology, in_force));
      const double best = test::PathLp{outlooks.topology}.best_mean_utilization(scenarios);
      CHECK(routes->expected_utilization <= best * (1.0 + kExcessMax));
    }
  }
}

TEST_CASE("scenarios without traffic keep the start", "[scenario]") {
  const Outlooks outlooks{1, 1};
  ScenarioPlanner planner{outlooks.topology, {}};
  const PathPlan start = test::least_delay_plan(outlooks.topology);
  const std::vector<TrafficMatrix> nothing(3, TrafficMatrix{outlooks.topology.node_count()});
  const auto routes = planner.plan(nothing, start);
  REQUIRE(routes);
  CHECK(routes->plan == start);
  CHECK(routes->expected_utilization == 0.0);
  CHECK(routes->lower_bound == 0.0);
}

TEST_CASE("scenarios of another network are refused", "[scenario]") {
  const Outlooks outlooks{2, 1};
  ScenarioPlanner planner{outlooks.topology, {}};
  const std::vector<TrafficMatrix> strange{TrafficMatrix{outlooks.topology.node_count() + 1}};
  CHECK(planner.plan(strange, test::least_delay_plan(outlooks.topology)).error().code == ErrorCode::kShapeMismatch);
}

TEST_CASE("a hedge is cheaper than a bet where two demands surge in turn", "[scenario]") {
  // Either 0 > 2 or 1 > 2 sends 10; each has a way of its own (8) and both may use a third (8) by way of node 3.
  const Topology topology = test::lines_network(4, {{.from = 0, .to = 2, .capacity_bps = 8},
                                                    {.from = 1, .to = 2, .capacity_bps = 8},
                                                    {.from = 0, .to = 3, .capacity_bps = 100},
                                                    {.from = 1, .to = 3, .capacity_bps = 100},
                                                    {.from = 3, .to = 2, .capacity_bps = 8}});
  std::vector<TrafficMatrix> scenarios(2, TrafficMatrix{4});
  for (std::size_t k = 0; k < 2; ++k) {
    scenarios[k].set(NodeId{k}, NodeId{2}, BitRate::bps(10));
    scenarios[k].set(NodeId{1 - k}, NodeId{2}, BitRate::bps(2));
  }
  // By symmetry both send a share x over the third link: max(10 (1 - x), 12 x) is least at x = 10 / 22.
  ScenarioPlanner planner{topology, {}};
  const auto routes = planner.plan(scenarios, test::least_delay_plan(topology));
  REQUIRE(routes);
  CHECK(routes->expected_utilization == Approx(120.0 / 22.0 / 8.0).epsilon(0.01));
  CHECK(test::PathLp{topology}.best_mean_utilization(scenarios) == Approx(120.0 / 22.0 / 8.0).epsilon(1e-7));
}

TEST_CASE("a detour over idle links is the shortest one", "[scenario]") {
  // A square grid with a narrow link on its upper edge. All others stay next to idle beside a link elsewhere that is
  // half full whatever is planned, so that nothing but their delay tells the ways around the narrow one apart.
  constexpr std::size_t kSide = 6;
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 21));
  CAPTURE(seed);
  Rng rng{seed, "numbering"};
  std::vector<std::size_t> number(kSide * kSide);
  std::iota(number.begin(), number.end(), 0U);
  for (std::size_t i = number.size(); i-- > 1;) std::swap(number[i], number[rng.below(i + 1)]);
  const auto node = [&](std::size_t row, std::size_t column) { return number[row * kSide + column]; };
  std::vector<test::Line> lines;
  for (std::size_t row = 0; row < kSide; ++row) {
    for (std::size_t column = 0; column < kSide; ++column) {
      for (const auto& [down, right] : {std::pair{1U, 0U}, std::pair{0U, 1U}}) {
        if (row + down >= kSide || column + right >= kSide) continue;
        lines.push_back({.from = node(row, column), .to = node(row + down, column + right), .capacity_bps = 100});
        lines.push_back({.from = node(row + down, column + right), .to = node(row, column), .capacity_bps = 100});
      }
    }
  }
  for (std::size_t i = lines.size(); i-- > 1;) std::swap(lines[i], lines[rng.below(i + 1)]);
  const auto narrow = std::find_if(lines.begin(), lines.end(), [&](const test::Line& line) {
    return line.from == node(0, 2) && line.to == node(0, 3);
  });
  narrow->capacity_bps = 20;
  const std::size_t apart = kSide * kSide;
  lines.push_back({.from = apart, .to = apart + 1, .capacity_bps = 100});
  const Topology topology = test::lines_network(apart + 2, lines);
  TrafficMatrix demand{apart + 2};
  const NodeId from{node(0, 0)}, to{node(0, kSide - 1)};
  demand.set(TrafficClass{0}, from, to, BitRate::bps(20));
  demand.set(TrafficClass{0}, NodeId{apart}, NodeId{apart + 1}, BitRate::bps(50));
  for (const double delay_weight : {0.0, 0.03}) {
    CAPTURE(delay_weight);
    ScenarioPlanner planner{topology, {.sharpness = 50.0, .delay_weight = delay_weight}};
    const auto routes = planner.plan({&demand, 1}, test::least_delay_plan(topology, 1), false);
    REQUIRE(routes);
    CHECK(routes->expected_utilization < 0.51);
    const std::size_t d = *routes->plan.find({TrafficClass{0}, from, to});
    for (std::size_t p = 0; p < routes->plan.path_count(d); ++p) {
      CHECK(routes->plan.path(d, p).links.size() <= kSide + 1);  // two hops more than the straight way
    }
  }
}

}  // namespace wan::controller
