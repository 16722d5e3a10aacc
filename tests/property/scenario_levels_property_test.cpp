// Priorities in plans for many possible next matrices: against linear programs over every path.

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "controller/class_planner.h"
#include "controller/plan_outlook.h"
#include "controller/scenario_planner.h"
#include "core/random.h"
#include "tests/property/class_wishes.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using test::ClassWishes;

// Patient, as the tests of plans without priorities: what is shown is where the planner goes, not how far in how long.
constexpr ScenarioOptions kPatient{.sharpness = 150.0, .delay_weight = 1e-4, .sweeps_max = 400, .rounds_max = 12};
constexpr double kHurtMax = 0.03;    // part by which less important traffic may hurt the more important
constexpr double kExcessMax = 0.05;  // of all traffic, above what the LP reaches under the same limits

std::vector<double> mean_level_utilizations(const ClassWishes& wishes, const PathPlan& plan,
                                            const std::vector<TrafficMatrix>& scenarios) {
  const auto levels = wishes.levels();
  std::vector<double> mean(levels.size(), 0.0);
  for (const TrafficMatrix& scenario : scenarios) {
    const auto its =
        level_utilizations(wishes.topology, plan, scenario, level_of_class(levels, wishes.class_count), levels.size());
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += its[i] / static_cast<double>(scenarios.size());
  }
  return mean;
}

/// The traffic of one level alone.
TrafficMatrix of_level(const ClassWishes& wishes, const TrafficMatrix& traffic, std::size_t level) {
  const auto level_of = level_of_class(wishes.levels(), wishes.class_count);
  const std::size_t entries = traffic.node_count() * traffic.node_count();
  TrafficMatrix alone{traffic.node_count()};
  for (std::size_t e = 0; e < traffic.bps().size(); ++e) {
    if (level_of[e / entries] == level) alone.bps()[e % entries] += traffic.bps()[e];
  }
  return alone;
}

/// Equally likely variants of the traffic.
std::vector<TrafficMatrix> drawn_scenarios(const ClassWishes& wishes, std::uint64_t seed, std::size_t count) {
  Rng rng{seed, "variants"};
  std::vector<TrafficMatrix> scenarios(count, wishes.traffic);
  for (TrafficMatrix& scenario : scenarios) {
    for (double& bps : scenario.bps()) bps *= 0.3 + 1.4 * rng.uniform();
  }
  return scenarios;
}

}  // namespace

TEST_CASE("a scenario plan for one matrix is lexicographic: each level is near the LP that holds the levels above",
          "[levels][property]") {
  std::size_t several = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, seed % 2 == 0};
    ScenarioPlanner planner{wishes.topology, kPatient, constraints_of(wishes.policies)};
    const auto routes =
        planner.plan({&wishes.traffic, 1}, test::least_delay_plan(wishes.topology, wishes.class_count), false);
    REQUIRE(routes);
    REQUIRE(routes->plan.check(wishes.topology));
    CHECK(test::covers_connected_pairs(wishes.topology, routes->plan, wishes.class_count));
    const auto levels = wishes.levels();
    const auto reached = mean_level_utilizations(wishes, routes->plan, {wishes.traffic});
    const auto named = test::commodities_of(wishes);
    std::vector<double> limits;
    for (std::size_t k = 0; k < levels.size(); ++k) {
      const double best = test::best_level_utilization(wishes.topology, named.commodities, k, limits);
      const double wanted = std::max(best, levels[k].utilization_target.value_or(0.0));
      CAPTURE(k, best, wanted, reached[k]);
      const bool last = k + 1 == levels.size();
      CHECK(reached[k] <= (last ? best * (1.0 + kExcessMax) : wanted * (1.0 + kHurtMax)) + 1e-9);
      limits.push_back(wanted);
    }
    CHECK(routes->lower_bound <= reached.back() * (1.0 + 1e-9));
    several += levels.size() > 1;
  }
  CHECK(several > 100);
}

TEST_CASE("over many scenarios less important traffic does not hurt the most important", "[levels][property]") {
  std::size_t paid = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, false};
    const auto levels = wishes.levels();
    if (levels.size() < 2) continue;
    const auto scenarios = drawn_scenarios(wishes, seed, 6);
    std::vector<TrafficMatrix> first;
    for (const TrafficMatrix& scenario : scenarios) first.push_back(of_level(wishes, scenario, 0));
    ScenarioOptions options = kPatient;
    options.tail = seed % 3 == 0 ? 0.2 : 1.0;
    const double best = test::PathLp{wishes.topology}.best_mean_utilization(first, options.tail);
    const double wanted = std::max(best, levels[0].utilization_target.value_or(0.0));

    const PathPlan start = test::least_delay_plan(wishes.topology, wishes.class_count);
    ScenarioPlanner planner{wishes.topology, options, constraints_of(wishes.policies)};
    ScenarioPlanner alike{wishes.topology, options};
    const auto routes = planner.plan(scenarios, start, false);
    const auto without = alike.plan(scenarios, start, false);
    REQUIRE(routes);
    REQUIRE(without);
    const auto reached_by = [&](const PathPlan& plan) {
      return outlook_of_plan(wishes.topology, plan, scenarios, options.tail, levels).important[0];
    };
    const double reached = reached_by(routes->plan);
    CAPTURE(options.tail, best, wanted, reached);
    CHECK(reached <= wanted * (1.0 + kHurtMax) + 1e-9);
    paid += reached_by(without->plan) > 1.1 * std::max(reached, wanted);
  }
  CHECK(paid > 20);  // where all classes count alike, the most important traffic is often worse off
}

TEST_CASE("made again with the plan in force, a plan by priorities keeps its levels", "[levels][property]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const ClassWishes wishes{seed, true};
    const auto scenarios = drawn_scenarios(wishes, seed, 5);
    ScenarioOptions options = kPatient;
    options.change_weight = 0.8;
    ScenarioPlanner planner{wishes.topology, options, constraints_of(wishes.policies)};
    const auto first = planner.plan(scenarios, test::least_delay_plan(wishes.topology, wishes.class_count), false);
    REQUIRE(first);
    const auto again = planner.plan(scenarios, first->plan);
    REQUIRE(again);
    const auto before = mean_level_utilizations(wishes, first->plan, scenarios);
    const auto after = mean_level_utilizations(wishes, again->plan, scenarios);
    const auto levels = wishes.levels();
    for (std::size_t k = 0; k < before.size(); ++k) {
      CHECK(after[k] <= std::max(before[k], levels[k].utilization_target.value_or(0.0)) * (1.0 + kHurtMax) + 1e-9);
    }
  }
}

TEST_CASE("one level of priority changes no bit of a plan", "[levels][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    ClassWishes wishes{seed, false};
    for (ClassPolicy& policy : wishes.policies.classes) policy.priority = 7;
    const auto scenarios = drawn_scenarios(wishes, seed, 4);
    const PathPlan start = test::least_delay_plan(wishes.topology, wishes.class_count);
    ScenarioPlanner alike{wishes.topology, {}};
    ScenarioPlanner one_level{wishes.topology, {}, {.levels = wishes.levels()}};
    const auto a = alike.plan(scenarios, start);
    const auto b = one_level.plan(scenarios, start);
    CHECK(a->plan == b->plan);
    CHECK(a->lower_bound == b->lower_bound);
  }
}

TEST_CASE("a plan is better where the more important traffic is, unless that is much the same", "[levels]") {
  const PlanOutlook good{.risk = 0.9, .important = {0.30}};
  const PlanOutlook bad{.risk = 0.8, .important = {0.40}};
  const PlanOutlook as_good{.risk = 0.85, .important = {0.305}};
  CHECK(better_by(0.0, good, bad));
  CHECK_FALSE(better_by(0.0, bad, good));
  CHECK(better_by(0.01, as_good, good));
  CHECK_FALSE(better_by(0.1, as_good, good));
  CHECK(better_by(0.1, as_good, bad));
  CHECK_FALSE(better_by(0.0, good, good));
  // Hundredths of what is next to idle decide nothing.
  CHECK(better_by(0.0, {.risk = 0.5, .important = {0.002}}, {.risk = 0.6, .important = {0.001}}));
}

}  // namespace wan::controller
