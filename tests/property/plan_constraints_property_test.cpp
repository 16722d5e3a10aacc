#include "controller/plan_constraints.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "controller/bounded_path_search.h"
#include "controller/policy_paths.h"
#include "controller/scenario_planner.h"
#include "core/link_load.h"
#include "tests/unit/controller/drawn_network.h"
#include "tests/unit/controller/path_lp.h"

namespace wan::controller {
namespace {

using Links = std::vector<LinkId>;

constexpr double kExcessMax = 0.03;  // above the LP's mean of maxima, as without constraints

Duration delay_of(const Topology& topology, const Links& links) {
  Duration delay{0};
  for (const LinkId link : links) delay += topology.link(link).delay;
  return delay;
}

bool crosses(const Links& path, const Links& avoided) {
  return std::any_of(path.begin(), path.end(),
                     [&](LinkId link) { return std::find(avoided.begin(), avoided.end(), link) != avoided.end(); });
}

/// A network of three to five nodes, three classes of traffic, and what an operator might want of them.
struct Wishes {
  explicit Wishes(std::uint64_t seed) {
    Rng rng{seed, "wishes"};
    const std::size_t n = 3 + rng.below(3);
    topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(4), .capacity_decades = 1.5});
    for (std::size_t c = 0; c < kClasses; ++c) {
      ClassPolicy policy{.name = "class"};
      for (std::size_t l = 0; l < topology.link_count(); ++l) {
        if (rng.below(4) == 0) policy.avoid.emplace_back(l);
      }
      if (rng.below(2) == 0) policy.latency_max = Duration{static_cast<std::int64_t>(rng.uniform() * 2.5e7)};
      if (rng.below(3) == 0) policy = {.name = "class"};
      policies.classes.push_back(policy);
    }
    policies.classes.erase(policies.classes.begin());
    for (std::uint64_t pins = rng.below(4); pins > 0; --pins) {
      const NodeId from{rng.below(n)};
      const auto paths = test::simple_paths(topology, from, NodeId{(from.index() + 1 + rng.below(n - 1)) % n});
      if (paths.empty()) continue;
      Pin pin{.from = from, .to = {}, .cls = {}, .links = paths[rng.below(paths.size())]};
      pin.to = topology.link(pin.links.back()).to;
      if (rng.below(2) == 0) pin.cls = TrafficClass{rng.below(kClasses)};
      policies.pins.push_back(pin);
    }
    const std::size_t count = 1 + seed % 4;
    for (std::size_t k = 0; k < count; ++k) {
      TrafficMatrix matrix{n, kClasses};
      for (std::size_t c = 0; c < kClasses; ++c) {
        const TrafficMatrix drawn = test::drawn_demand(rng, n, 0.6, 1e7);
        for (std::size_t e = 0; e < n * n; ++e) matrix.bps()[c * n * n + e] = drawn.bps()[e];
      }
      scenarios.push_back(std::move(matrix));
    }
    start = test::least_delay_plan(topology, kClasses);
  }

  static constexpr std::size_t kClasses = 3;
  Topology topology;
  PolicySet policies;
  std::vector<TrafficMatrix> scenarios;
  PathPlan start;

  [[nodiscard]] double rate(const Demand& demand, std::size_t k) const {
    return scenarios[k].at(demand.cls, demand.from, demand.to).bps();
  }
  [[nodiscard]] bool has_traffic(const Demand& demand) const {
    for (std::size_t k = 0; k < scenarios.size(); ++k) {
      if (rate(demand, k) > 0.0) return true;
    }
    return false;
  }
  [[nodiscard]] const Pin* pin_of(const Demand& demand) const {
    for (const Pin& pin : policies.pins) {
      if (pin.from == demand.from && pin.to == demand.to && (!pin.cls || *pin.cls == demand.cls)) return &pin;
    }
    return nullptr;
  }
};

/// What a demand may take, by looking at every simple path.
struct Allowed {
  std::vector<Links> paths;
  std::optional<BrokenRule::What> broken;
};

Allowed allowed_paths(const Wishes& wishes, const Demand& demand) {
  if (const Pin* pin = wishes.pin_of(demand)) return {.paths = {pin->links}, .broken = {}};
  const auto all = test::simple_paths(wishes.topology, demand.from, demand.to);
  const ClassPolicy& policy = wishes.policies.classes[demand.cls.index()];
  Allowed allowed;
  std::vector<Links> clear;
  for (const Links& path : all) {
    if (crosses(path, policy.avoid)) continue;
    clear.push_back(path);
    if (!policy.latency_max || delay_of(wishes.topology, path) <= *policy.latency_max) allowed.paths.push_back(path);
  }
  if (!allowed.paths.empty()) return allowed;
  allowed.broken = clear.empty() ? BrokenRule::What::kAvoidedLink : BrokenRule::What::kLatency;
  const auto& left = clear.empty() ? all : clear;
  const auto faster = [&](const Links& a, const Links& b) {
    return delay_of(wishes.topology, a) < delay_of(wishes.topology, b);
  };
  const Duration least = delay_of(wishes.topology, *std::min_element(left.begin(), left.end(), faster));
  for (const Links& path : left) {
    if (delay_of(wishes.topology, path) == least) allowed.paths.push_back(path);
  }
  return allowed;
}

/// What the LP may split: classes of one pair that may take the same paths by the same rule are split as one, as the
/// planner does. Of the fastest paths that a broken rule leaves, the one that the plan took.
std::vector<test::Commodity> commodities_of(const Wishes& wishes, const PathPlan& plan) {
  std::vector<test::Commodity> commodities;
  std::vector<Demand> first;  // by commodity
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    std::vector<double> rates;
    for (std::size_t k = 0; k < wishes.scenarios.size(); ++k) rates.push_back(wishes.rate(demand, k));
    const auto& policies = wishes.policies.classes;
    std::size_t same = 0;
    while (same < first.size() &&
           !(first[same].from == demand.from && first[same].to == demand.to && !wishes.pin_of(first[same]) &&
             !wishes.pin_of(demand) && policies[first[same].cls.index()] == policies[demand.cls.index()])) {
      ++same;
    }
    if (same < first.size()) {
      for (std::size_t k = 0; k < rates.size(); ++k) commodities[same].rate_bps[k] += rates[k];
      continue;
    }
    Allowed allowed = allowed_paths(wishes, demand);
    if (allowed.broken) {
      const auto links = plan.path(d, 0).links;
      allowed.paths = {Links(links.begin(), links.end())};
    }
    first.push_back(demand);
    commodities.push_back({.paths = std::move(allowed.paths), .rate_bps = std::move(rates)});
  }
  return commodities;
}

double mean_utilization(const Wishes& wishes, const PathPlan& plan) {
  double mean = 0.0;
  for (const TrafficMatrix& scenario : wishes.scenarios) {
    mean += max_utilization(wishes.topology, plan, scenario) / static_cast<double>(wishes.scenarios.size());
  }
  return mean;
}

}  // namespace

TEST_CASE("the cheapest path within a delay is the one that looking at every path finds", "[constraints][property]") {
  std::size_t found = 0, none = 0, dearer = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    Rng rng{seed, "bounded paths"};
    const std::size_t n = 3 + rng.below(4);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(5)});
    std::vector<double> cost;
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      const std::uint64_t kind = rng.below(6);
      cost.push_back(kind == 0 ? std::numeric_limits<double>::infinity() : kind == 1 ? 0.0 : rng.uniform());
    }
    const NodeId from{rng.below(n)};
    const NodeId to{(from.index() + 1 + rng.below(n - 1)) % n};
    const Duration delay_max{static_cast<std::int64_t>(rng.uniform() * 5e7)};
    double best = std::numeric_limits<double>::infinity(), best_of_all = best;
    for (const Links& path : test::simple_paths(topology, from, to)) {
      double sum = 0.0;
      for (const LinkId link : path) sum += cost[link.index()];
      best_of_all = std::min(best_of_all, sum);
      if (delay_of(topology, path) <= delay_max) best = std::min(best, sum);
    }
    CAPTURE(seed);
    const BoundedPath path = cheapest_path_within(topology, from, to, cost, delay_max);
    REQUIRE_FALSE(path.gave_up);
    REQUIRE(path.links.empty() == std::isinf(best));
    (path.links.empty() ? none : found) += 1;
    if (path.links.empty()) continue;
    REQUIRE(topology.link(path.links.front()).from == from);
    REQUIRE(topology.link(path.links.back()).to == to);
    REQUIRE(delay_of(topology, path.links) <= delay_max);
    double sum = 0.0;
    for (const LinkId link : path.links) sum += cost[link.index()];
    REQUIRE(sum == Approx(best).margin(1e-12));
    dearer += best > best_of_all + 1e-9;
  }
  CHECK(found > 400);
  CHECK(none > 200);
  CHECK(dearer > 50);
}

TEST_CASE("one search to several targets finds what a search to each finds", "[constraints][property]") {
  std::size_t found = 0, none = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Rng rng{seed, "bounded paths to many"};
    const std::size_t n = 4 + rng.below(16);
    const Topology topology = test::drawn_network(rng, {.nodes = n, .two_way_links = n + rng.below(n)});
    std::vector<double> cost;
    for (std::size_t l = 0; l < topology.link_count(); ++l) cost.push_back(rng.below(5) == 0 ? 0.0 : rng.uniform());
    std::vector<NodeId> targets;
    for (std::size_t t = 1; t < n; ++t) {
      if (rng.below(3) != 0) targets.emplace_back(t);
    }
    const Duration delay_max{static_cast<std::int64_t>(rng.uniform() * 8e7)};
    const auto cost_of = [&cost](const BoundedPath& path) {
      double sum = 0.0;
      for (const LinkId link : path.links) sum += cost[link.index()];
      return sum;
    };
    const auto together = cheapest_paths_within(topology, NodeId{0}, targets, cost, delay_max);
    REQUIRE(together.size() == targets.size());
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const BoundedPath alone = cheapest_path_within(topology, NodeId{0}, targets[t], cost, delay_max);
      REQUIRE_FALSE(together[t].gave_up);
      REQUIRE(together[t].links.empty() == alone.links.empty());
      (alone.links.empty() ? none : found) += 1;
      if (alone.links.empty()) continue;
      CHECK(topology.link(together[t].links.back()).to == targets[t]);
      CHECK(delay_of(topology, together[t].links) <= delay_max);
      CHECK(cost_of(together[t]) == Approx(cost_of(alone)).margin(1e-12));
    }
  }
  CHECK(found > 1000);
  CHECK(none > 300);
}

TEST_CASE("a search that is not given labels enough says so", "[constraints]") {
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1}, {.from = 1, .to = 2}});
  const std::vector<double> cost(2, 1.0);
  using std::chrono::milliseconds;
  CHECK(cheapest_path_within(topology, NodeId{0}, NodeId{2}, cost, milliseconds{2}, 2).gave_up);
  CHECK(cheapest_path_within(topology, NodeId{0}, NodeId{2}, cost, milliseconds{2}, 3).links.size() == 2);
  CHECK(cheapest_path_within(topology, NodeId{0}, NodeId{2}, cost, milliseconds{1}, 3).links.empty());
  const std::vector<NodeId> both{NodeId{1}, NodeId{2}};
  const auto found = cheapest_paths_within(topology, NodeId{0}, both, cost, milliseconds{2}, 2);
  CHECK(found[0].links.size() == 1);
  CHECK_FALSE(found[0].gave_up);
  CHECK(found[1].gave_up);
}

TEST_CASE("no path breaks a rule that some path follows, pins hold, and what gives way is named",
          "[constraints][property]") {
  std::size_t ruled = 0, pinned = 0, broken = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    const Wishes wishes{seed};
    const ScenarioOptions options{.change_weight = seed % 2 == 0 ? 0.5 : 0.0};
    ScenarioPlanner planner{wishes.topology, options, constraints_of(wishes.policies)};
    const auto first = planner.plan(wishes.scenarios, wishes.start);
    REQUIRE(first);
    const auto again = planner.plan(wishes.scenarios, first->plan);
    REQUIRE(again);
    for (const ScenarioRoutes& routes : {*first, *again}) {
      REQUIRE(routes.plan.check(wishes.topology));
      REQUIRE(test::covers_connected_pairs(wishes.topology, routes.plan, Wishes::kClasses));
      std::vector<BrokenRule> given_up;
      for (std::size_t d = 0; d < routes.plan.demand_count(); ++d) {
        const Demand& demand = routes.plan.demands()[d];
        const Allowed allowed = allowed_paths(wishes, demand);
        for (std::size_t p = 0; p < routes.plan.path_count(d); ++p) {
          const auto links = routes.plan.path(d, p).links;
          REQUIRE(std::find(allowed.paths.begin(), allowed.paths.end(), Links(links.begin(), links.end())) !=
                  allowed.paths.end());
        }
        if (allowed.broken && wishes.has_traffic(demand)) given_up.push_back({demand, *allowed.broken});
        ++(wishes.pin_of(demand) ? pinned : ruled);
      }
      REQUIRE(routes.broken == given_up);
      broken += given_up.size();
      // The daemon bends every plan to the policies: one that was made under them stays as it is.
      REQUIRE(follow_policies(wishes.topology, wishes.policies, routes.plan) == routes.plan);
    }
  }
  CHECK(ruled > 10'000);
  CHECK(pinned > 1'000);
  CHECK(broken > 1'000);
}

TEST_CASE("under constraints the plan comes near the LP over every path that may be taken", "[constraints][property]") {
  double worst = 0.0;
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    CAPTURE(seed);
    const Wishes wishes{seed};
    ScenarioPlanner planner{wishes.topology, {}, constraints_of(wishes.policies)};
    const auto routes = planner.plan(wishes.scenarios, wishes.start);
    REQUIRE(routes);
    const auto commodities = commodities_of(wishes, routes->plan);
    const double best = test::best_mean_utilization(wishes.topology, commodities, wishes.scenarios.size());
    CHECK(routes->expected_utilization == Approx(mean_utilization(wishes, routes->plan)).epsilon(1e-9));
    CHECK(routes->expected_utilization <= best * (1.0 + kExcessMax));
    CHECK(routes->expected_utilization >= best * (1.0 - 1e-7));
    CHECK(routes->lower_bound <= best * (1.0 + 1e-8));
    worst = std::max(worst, routes->expected_utilization / best - 1.0);
  }
  INFO("worst excess " << worst);
  CHECK(worst < kExcessMax);
}

TEST_CASE("constraints that ask for nothing change no bit of a plan", "[constraints][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const Wishes wishes{seed};
    ScenarioPlanner free{wishes.topology, {}};
    ScenarioPlanner unruled{wishes.topology, {}, {.classes = std::vector<PathRule>(3), .pins = {}}};
    const auto a = free.plan(wishes.scenarios, wishes.start);
    const auto b = unruled.plan(wishes.scenarios, wishes.start);
    CHECK(a->plan == b->plan);
    CHECK(a->lower_bound == b->lower_bound);
    CHECK(a->expected_utilization == b->expected_utilization);
    CHECK(b->broken.empty());
  }
}

TEST_CASE("a pin whose path is down does not hold, and traffic of other classes makes room for one that does",
          "[constraints]") {
  // Two ways from 0 to 1: straight, and by way of node 2; each of capacity 10.
  const Topology topology = test::lines_network(3, {{.from = 0, .to = 1, .capacity_bps = 10},
                                                    {.from = 0, .to = 2, .capacity_bps = 10},
                                                    {.from = 2, .to = 1, .capacity_bps = 10}});
  TrafficMatrix demand{3, 2};
  demand.set(TrafficClass{0}, NodeId{0}, NodeId{1}, BitRate::bps(6));
  demand.set(TrafficClass{1}, NodeId{0}, NodeId{1}, BitRate::bps(6));
  const PlanConstraints constraints{
      .classes = {}, .pins = {{.from = NodeId{0}, .to = NodeId{1}, .cls = TrafficClass{1}, .links = {LinkId{0}}}}};
  ScenarioPlanner planner{topology, {}, constraints};
  const auto routes = planner.plan({&demand, 1}, test::least_delay_plan(topology, 2));
  REQUIRE(routes);
  CHECK(routes->expected_utilization == Approx(0.6).epsilon(kExcessMax));
  const std::size_t pinned = *routes->plan.find({TrafficClass{1}, NodeId{0}, NodeId{1}});
  REQUIRE(routes->plan.path_count(pinned) == 1);
  CHECK(routes->plan.path(pinned, 0).links[0] == LinkId{0});

  const LinkId cut{0};
  const Topology broken = topology.with_links_down({&cut, 1});
  ScenarioPlanner around{broken, {}, constraints};
  const auto detour = around.plan({&demand, 1}, test::least_delay_plan(broken, 2));
  REQUIRE(detour);
  CHECK(detour->plan.check(broken));
  CHECK(detour->expected_utilization == Approx(1.2).epsilon(1e-9));
}

}  // namespace wan::controller
