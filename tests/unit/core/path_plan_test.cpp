#include "core/path_plan.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/unit/core/small_networks.h"

using namespace wan;
using namespace wan::test;

namespace {

/// A plan of one demand, exactly as given.
PathPlan exact_plan(const Demand& of, const std::vector<std::pair<double, std::vector<std::size_t>>>& paths) {
  auto builder = PathPlanBuilder::keeping_fractions();
  builder.begin_demand(of);
  for (const auto& [fraction, links] : paths) builder.add_path(fraction, link_ids(links));
  return std::move(builder).build();
}

}  // namespace

TEST_CASE("the builder scales fractions, merges equal paths and drops what carries nothing", "[path_plan]") {
  PathPlanBuilder builder;
  builder.begin_demand(demand(0, 1));  // no path: left out
  builder.begin_demand(demand(0, 3));
  builder.add_path(1.0, link_ids({0, 1}));
  builder.add_path(2.0, link_ids({2, 3}));
  builder.add_path(1.0, link_ids({0, 1}));
  builder.add_path(0.0, link_ids({0}));
  builder.add_path(std::numeric_limits<double>::quiet_NaN(), link_ids({0}));
  builder.begin_demand(demand(1, 3));
  builder.add_path(0.3, link_ids({1}));
  builder.begin_demand(demand(2, 3));  // no path, at the end
  const PathPlan plan = std::move(builder).build();

  REQUIRE(plan.demand_count() == 2);
  CHECK(plan.demands()[0] == demand(0, 3));
  REQUIRE(plan.path_count(0) == 2);
  CHECK(plan.path(0, 0).fraction == 0.5);
  CHECK(plan.path(0, 1).fraction == 0.5);
  REQUIRE(plan.path_count(1) == 1);
  CHECK(plan.path(1, 0).fraction == 1.0);
  CHECK(plan.path(1, 0).links.size() == 1);
  CHECK(plan.path_count() == 3);
  CHECK(plan.check(diamond()).has_value());
}

TEST_CASE("a builder that keeps fractions changes nothing", "[path_plan]") {
  const PathPlan plan = exact_plan(demand(0, 3), {{0.1, {0, 1}}, {0.3, {2, 3}}, {0.6, {0, 1}}});
  REQUIRE(plan.path_count(0) == 3);
  CHECK(plan.path(0, 0).fraction == 0.1);
  CHECK(plan.path(0, 2).fraction == 0.6);
}

TEST_CASE("demands are found by class and ends", "[path_plan]") {
  PathPlanBuilder builder;
  for (const Demand& each : {demand(0, 1), demand(0, 3), demand(0, 3, 1)}) {
    builder.begin_demand(each);
    builder.add_path(1.0, link_ids({0}));
  }
  const PathPlan plan = std::move(builder).build();
  CHECK(plan.find(demand(0, 3)) == 1U);
  CHECK(plan.find(demand(0, 3, 1)) == 2U);
  CHECK(plan.find(demand(3, 0)) == std::nullopt);
  CHECK(plan.find(demand(0, 0)) == std::nullopt);
}

TEST_CASE("checking a plan names the demand that breaks a promise", "[path_plan]") {
  struct Case {
    std::string_view mentions;
    PathPlan plan;
  };
  const std::vector<Case> cases{
      {"ends before", exact_plan(demand(0, 3), {{1.0, {0}}})},
      {"ends before", exact_plan(demand(0, 3), {{1.0, {}}})},
      {"does not continue", exact_plan(demand(0, 3), {{1.0, {0, 3}}})},
      {"does not continue", exact_plan(demand(1, 3), {{1.0, {0, 1}}})},
      {"does not exist", exact_plan(demand(0, 3), {{1.0, {9}}})},
      {"sum to 1", exact_plan(demand(0, 3), {{0.5, {0, 1}}})},
      {"sum to 1", exact_plan(demand(0, 3), {{1.0 + 2e-9, {0, 1}}})},
      {"above zero", exact_plan(demand(0, 3), {{std::numeric_limits<double>::infinity(), {0, 1}}})},
      {"the same", exact_plan(demand(3, 3), {{1.0, {0, 1}}})},
      {"not have", exact_plan(demand(0, 9), {{1.0, {0, 1}}})},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.mentions);
    const auto checked = wrong.plan.check(diamond());
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::kBadInput);
    CHECK_THAT(checked.error().message, Catch::Contains(std::string{wrong.mentions}));
  }
  const PathPlan good = exact_plan(demand(0, 3), {{0.25, {0, 1}}, {0.75, {2, 3}}});
  CHECK(good.check(diamond()).has_value());
  CHECK_FALSE(good.check(diamond().with_links_down(link_ids({3}))));
}

TEST_CASE("a plan whose path meets a node twice is refused", "[path_plan]") {
  const Topology ring = network(3, {{0, 1}, {1, 0}, {0, 2}});
  const auto checked = exact_plan(demand(0, 2), {{1.0, {0, 1, 2}}}).check(ring);
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message, Catch::Contains("twice"));
}

TEST_CASE("a plan out of order is refused", "[path_plan]") {
  auto builder = PathPlanBuilder::keeping_fractions();
  builder.begin_demand(demand(1, 3));
  builder.add_path(1.0, link_ids({1}));
  builder.begin_demand(demand(0, 1));
  builder.add_path(1.0, link_ids({0}));
  const auto checked = std::move(builder).build().check(diamond());
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message, Catch::Contains("order"));
}

TEST_CASE("a certificate's gap is relative to its bound", "[path_plan]") {
  CHECK(Certificate{.utilization = 0.55, .lower_bound = 0.5, .duals = {}}.gap() == Approx(0.1));
  CHECK(std::isinf(Certificate{.utilization = 0.5, .lower_bound = 0.0, .duals = {}}.gap()));
  CHECK(Certificate{}.gap() == 0.0);
}
