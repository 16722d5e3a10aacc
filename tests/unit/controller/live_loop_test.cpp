#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "controller/control_loop.h"
#include "controller/counter_check.h"
#include "controller/few_paths.h"
#include "controller/plan_step.h"
#include "controller/policy_paths.h"
#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/random.h"
#include "core/shortest_paths.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

constexpr std::chrono::seconds kInterval{10};
constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

/// n0 to n3 over n1 (short) or n2 (long), both ways, 10 Mbit/s each.
Topology diamond() {
  std::vector<test::Line> lines;
  for (const auto& [a, b, delay] :
       std::vector<std::tuple<std::size_t, std::size_t, double>>{{0, 1, 1.0}, {1, 3, 1.0}, {0, 2, 5.0}, {2, 3, 5.0}}) {
    lines.push_back({.from = a, .to = b, .capacity_bps = 1e7, .delay_ms = delay});
    lines.push_back({.from = b, .to = a, .capacity_bps = 1e7, .delay_ms = delay});
  }
  return test::lines_network(4, lines);
}

TrafficMatrix across(double mbps, std::size_t interval) {
  TrafficMatrix matrix{4};
  matrix.set(NodeId{0}, NodeId{3}, BitRate::mbps(mbps));
  matrix.set_measured_at(kStart + interval * kInterval);
  return matrix;
}

LoopOptions live() {
  LoopOptions options;
  options.adopts = false;
  options.reacts = true;
  options.holds_max = 2;
  options.worth_installing = 0.01;
  return options;
}

/// A loop that begins with one matrix, on least-delay paths.
struct LiveLoop {
  explicit LiveLoop(double mbps, const LoopOptions& options = live())
      : topology{diamond()},
        loop{ControlLoop::make(topology, nullptr, std::vector{across(mbps, 0)}, kInterval, options).value()} {
    loop.adopt(test::least_delay_plan(topology));
  }
  Decision step(double mbps, const Measurement& beside = {}) {
    ++interval;
    return loop.step(across(mbps, interval), kStart + (interval + 1) * kInterval, beside);
  }
  Topology topology;
  ControlLoop loop;
  std::size_t interval = 0;
};

/// Both plans of a drawn network, and what flows in it.
struct DrawnStep {
  explicit DrawnStep(Rng& rng)
      : topology{test::drawn_network(rng, {.nodes = 6, .two_way_links = 9})},
        demand{test::drawn_demand(rng, 6, 0.7, 1e7)},
        before{test::least_delay_plan(topology)},
        after{igp_plan(topology, hop_costs(topology)).value()} {}
  Topology topology;
  TrafficMatrix demand;
  PathPlan before, after;
};

}  // namespace

TEST_CASE("a plan moves nothing against itself, and a blend moves its share of what the whole step would", "[live]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Rng rng{seed};
    const DrawnStep drawn{rng};
    CHECK(moved_share(drawn.before, drawn.before, drawn.demand) == Approx(0.0).margin(1e-12));
    const double whole = moved_share(drawn.before, drawn.after, drawn.demand);
    const double share = 0.05 + 0.9 * rng.uniform();
    const PathPlan step = blended(drawn.before, drawn.after, share);
    REQUIRE(step.check(drawn.topology));
    CHECK(test::worst_split_error(step) < 1e-9);
    CHECK(moved_share(drawn.before, step, drawn.demand) == Approx(share * whole).margin(0.006));
  }
}

TEST_CASE("no link is loaded more by a blend than by the worse of both plans", "[live]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Rng rng{seed};
    const DrawnStep drawn{rng};
    const PathPlan step = blended(drawn.before, drawn.after, 0.05 + 0.9 * rng.uniform());
    const auto a = link_loads_bps(drawn.topology, drawn.before, drawn.demand);
    const auto b = link_loads_bps(drawn.topology, drawn.after, drawn.demand);
    const auto mixed = link_loads_bps(drawn.topology, step, drawn.demand);
    for (std::size_t l = 0; l < mixed.size(); ++l) CHECK(mixed[l] <= std::max(a[l], b[l]) * 1.006 + 1.0);
  }
}

TEST_CASE("a chain of small steps comes near its goal and does not gather paths", "[live]") {
  Rng rng{3};
  const DrawnStep drawn{rng};
  PathPlan plan = drawn.before;
  for (int i = 0; i < 40; ++i) plan = blended(plan, drawn.after, 0.3);
  CHECK(moved_share(plan, drawn.after, drawn.demand) < 0.02);
  CHECK(plan.path_count() <= drawn.after.path_count());
}

TEST_CASE("a chain of steps with few paths ends at its goal, and no step moves more or has more paths", "[live]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Rng rng{seed};
    const DrawnStep drawn{rng};
    const std::size_t most = std::max(most_paths(drawn.before), most_paths(drawn.after));
    PathPlan plan = drawn.before;
    for (int i = 0; i < 60; ++i) {
      const PathPlan step = blended(plan, drawn.after, 0.3, drawn.demand, most);
      REQUIRE(step.check(drawn.topology));
      CHECK(most_paths(step) <= most);
      const double all = moved_share(plan, drawn.after, drawn.demand);
      CHECK(moved_share(plan, step, drawn.demand) <= 0.3 * all + 0.006);
      plan = step;
    }
    // What is left is no more than demands each larger than all that a step may move.
    const double left = moved_share(plan, drawn.after, drawn.demand);
    double largest = 0.0;
    for (const Demand& demand : drawn.after.demands()) {
      largest = std::max(largest, drawn.demand.at(demand.from, demand.to).bps());
    }
    CHECK(0.3 * left <= largest / std::max(drawn.demand.total().bps(), 1.0) + 0.006);
  }
}

TEST_CASE("a loop keeps the plans that it proposes to few paths", "[live]") {
  for (const std::size_t paths_max : {1U, 2U}) {
    LoopOptions options = live();
    options.paths_max = paths_max;
    LiveLoop live_loop{5.0, options};
    const Decision decision = live_loop.step(15.0);
    INFO(decision.reason);
    CHECK(decision.proposed.has_value() == (paths_max == 2));  // one path is full whichever it is
    if (decision.proposed) CHECK(most_paths(*decision.proposed) <= paths_max);
  }
  // A plan in force with too many paths does not count as one that follows the policies.
  LoopOptions options = live();
  options.paths_max = 1;
  LiveLoop live_loop{5.0, options};
  PathPlanBuilder builder;
  const PathPlan least = test::least_delay_plan(live_loop.topology);
  for (std::size_t d = 0; d < least.demand_count(); ++d) {
    builder.begin_demand(least.demands()[d]);
    builder.add_path(0.5, least.path(d, 0).links);
    if (least.demands()[d] == Demand{TrafficClass{0}, NodeId{0}, NodeId{3}}) {
      builder.add_path(0.5, std::vector{LinkId{4}, LinkId{6}});
    }
  }
  live_loop.loop.adopt(std::move(builder).build());
  const Decision decision = live_loop.step(5.0);
  INFO(decision.reason);
  REQUIRE(decision.proposed);
  CHECK(most_paths(*decision.proposed) == 1);
}

TEST_CASE("a loop that does not adopt proposes, and its plan in force stays until it is told", "[live]") {
  LiveLoop live_loop{5.0};
  const PathPlan before = live_loop.loop.plan_in_force();
  const Decision decision = live_loop.step(15.0);
  INFO(decision.reason);
  REQUIRE(decision.proposed);
  CHECK(decision.action != Action::kKeep);
  CHECK(live_loop.loop.plan_in_force() == before);
  REQUIRE(decision.if_kept);
  CHECK(decision.if_kept->mean > decision.expected_utilization);
  CHECK(decision.moved_share > 0.3);
  live_loop.loop.adopt(*decision.proposed);
  CHECK(live_loop.loop.plan_in_force() == *decision.proposed);
  CHECK_FALSE(live_loop.step(15.0).proposed);
}

TEST_CASE("a demand that outgrows a link without any history is acted upon at once", "[live]") {
  LiveLoop live_loop{4.0};
  for (int i = 0; i < 5; ++i) CHECK_FALSE(live_loop.step(4.0 + 0.1 * i).proposed);
  CHECK(live_loop.step(15.0).proposed);
}

TEST_CASE("no price of change holds back what ends an overload", "[live]") {
  LoopOptions options = live();
  options.scenario.change_weight = 100.0;
  LiveLoop live_loop{4.0, options};
  for (int i = 0; i < 5; ++i) CHECK_FALSE(live_loop.step(4.0 + 0.1 * i).proposed);
  const Decision decision = live_loop.step(15.0);
  INFO(decision.reason);
  CHECK(decision.action == Action::kInstall);
  CHECK(decision.expected_utilization < 1.0);
}

TEST_CASE("after a jump the scenarios lie around the new level, not far above it", "[live]") {
  LiveLoop live_loop{1.0};
  for (int i = 0; i < 3; ++i) live_loop.step(1.0);
  for (int i = 0; i < 4; ++i) {
    live_loop.step(9.0);
    for (const TrafficMatrix& scenario : live_loop.loop.scenarios().scenarios) {
      CHECK(scenario.at(NodeId{0}, NodeId{3}).mbps() < 9.0 * 1.6);
    }
    CHECK(live_loop.loop.scenarios().forecast.at(NodeId{0}, NodeId{3}).mbps() == Approx(9.0));
  }
}

TEST_CASE("a jump that the guard doubts is believed at once when link counters confirm it", "[live]") {
  std::vector<TrafficMatrix> training;
  for (std::size_t i = 0; i < 48; ++i) training.push_back(across(4.0 + 0.01 * static_cast<double>(i % 7), i));
  const auto decide = [&](bool confirmed) {
    auto loop = ControlLoop::make(diamond(), nullptr, training, kInterval, live()).value();
    loop.adopt(test::least_delay_plan(diamond()));
    return loop.step(across(15.0, 48), kStart + 49 * kInterval, {.censored = {}, .confirmed = confirmed});
  };
  CHECK(decide(false).action == Action::kHold);
  const Decision believed = decide(true);
  INFO(believed.reason);
  CHECK(believed.proposed);
  REQUIRE_FALSE(believed.alarms.empty());
  CHECK(believed.alarms.front().find("link counters agree") != std::string::npos);
}

TEST_CASE("one decision moves no more than its share, and the next ones go on", "[live]") {
  LoopOptions options = live();
  options.max_moved_share = 0.1;
  options.scenarios.count = 1;
  LiveLoop live_loop{15.0, options};
  double utilization = 1e9;
  for (int i = 0; i < 8; ++i) {
    const Decision decision = live_loop.step(15.0);
    if (!decision.proposed) break;
    CHECK(decision.moved_share <= 0.1 + 1e-6);
    CHECK(decision.expected_utilization <= utilization + 1e-9);
    utilization = decision.expected_utilization;
    live_loop.loop.adopt(*decision.proposed);
  }
  CHECK(utilization < 0.85);
}

TEST_CASE("a cut link is planned around whole, whatever a step may move", "[live]") {
  LoopOptions options = live();
  options.max_moved_share = 0.05;
  LiveLoop live_loop{5.0, options};
  live_loop.step(5.0);
  live_loop.loop.set_topology(live_loop.topology.with_links_down(std::vector{LinkId{0}, LinkId{1}}));
  const Decision decision = live_loop.loop.replan();
  REQUIRE(decision.proposed);
  CHECK(decision.moved_share == Approx(1.0));
  CHECK_FALSE(decision.if_kept);
}

TEST_CASE("a censored demand is planned with head-room and never below what it was", "[live]") {
  LiveLoop live_loop{8.0};
  live_loop.step(8.0);
  const std::vector<Demand> censored{{.cls = TrafficClass{0}, .from = NodeId{0}, .to = NodeId{3}}};
  live_loop.step(4.0, {.censored = censored, .confirmed = true});
  CHECK(live_loop.loop.history().back().at(NodeId{0}, NodeId{3}).mbps() == Approx(8.0));
  live_loop.step(9.0, {.censored = censored, .confirmed = true});
  CHECK(live_loop.loop.history().back().at(NodeId{0}, NodeId{3}).mbps() == Approx(11.25));
  for (int i = 0; i < 10; ++i) live_loop.step(4.0, {.censored = censored, .confirmed = true});
  CHECK(live_loop.loop.history().back().at(NodeId{0}, NodeId{3}).mbps() == Approx(5.0));
}

TEST_CASE("binding shares sum to one and name the most loaded link", "[live]") {
  LiveLoop live_loop{9.0};
  live_loop.step(9.0);
  const auto shares = live_loop.loop.binding_shares(live_loop.loop.plan_in_force());
  double sum = 0.0;
  for (const double share : shares) sum += share;
  CHECK(sum == Approx(1.0));
  CHECK(shares[0] == Approx(0.5).margin(0.01));  // n0 > n1
  CHECK(shares[4] == Approx(0.0).margin(0.01));  // n0 > n2, empty
}

TEST_CASE("link counters agree with what the plan makes of the matrix, with headers on top and losses", "[live]") {
  const Topology topology = diamond();
  const PathPlan plan = test::least_delay_plan(topology);
  const std::vector<bool> known(topology.link_count(), true);
  for (const double mbps : {0.0, 1.0, 6.0, 9.5, 14.0}) {
    for (const double headers : {1.0, 1.06, 1.9}) {
      CAPTURE(mbps, headers);
      CounterCheck check;
      std::vector<BitRate> rates(topology.link_count());
      std::vector<std::uint64_t> drops(topology.link_count(), 0);
      const double sent = std::min(10.0, mbps * headers);
      rates[0] = rates[2] = BitRate::mbps(sent);
      if (mbps * headers > 10.0) drops[0] = 100;
      const auto fault =
          check.disagreement(topology, plan, across(mbps, 0), {.rates = rates, .drops = drops, .known = known});
      INFO(fault.value_or("agrees"));
      CHECK_FALSE(fault);
    }
  }
}

TEST_CASE("a forged matrix does not agree with link counters, nor does one where nobody counts", "[live]") {
  const Topology topology = diamond();
  const PathPlan plan = test::least_delay_plan(topology);
  std::vector<bool> known(topology.link_count(), true);
  std::vector<BitRate> rates(topology.link_count());
  const std::vector<std::uint64_t> drops(topology.link_count(), 0);
  rates[0] = rates[2] = BitRate::mbps(4.0);
  CounterCheck check;
  const CounterCheck::Counters counters{.rates = rates, .drops = drops, .known = known};
  CHECK_FALSE(check.disagreement(topology, plan, across(4.0, 0), counters));
  CHECK(check.disagreement(topology, plan, across(8.0, 1), counters));   // twice what the links carry
  CHECK(check.disagreement(topology, plan, across(0.5, 1), counters));   // a silence that is none
  CHECK(check.disagreement(topology, plan, across(40.0, 1), counters));  // more than fits
  known.assign(topology.link_count(), false);
  CHECK(check.disagreement(topology, plan, across(4.0, 1), counters));
}

TEST_CASE("a plan for other classes keeps the paths of those that stay", "[live]") {
  const Topology topology = diamond();
  const PathPlan one = test::least_delay_plan(topology);
  const PathPlan three = with_class_count(one, 3);
  CHECK(three == test::least_delay_plan(topology, 3));
  CHECK(with_class_count(three, 1) == one);
}

}  // namespace wan::controller
