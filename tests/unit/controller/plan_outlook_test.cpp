#include "controller/plan_outlook.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/unit/controller/drawn_network.h"

namespace wan::controller {
namespace {

/// n0 -> n1 is a link that is twice too thin; from n2 to n3 there is a thin link and a wide way round by n4.
Topology two_bottlenecks() {
  return test::lines_network(5, {{.from = 0, .to = 1, .capacity_bps = 1e9},
                                 {.from = 2, .to = 3, .capacity_bps = 1e9},
                                 {.from = 2, .to = 4, .capacity_bps = 1e10},
                                 {.from = 4, .to = 3, .capacity_bps = 1e10}});
}

PathPlan direct_part(double direct) {
  PathPlanBuilder builder;
  const std::vector<LinkId> stuck{LinkId{0}}, thin{LinkId{1}}, round{LinkId{2}, LinkId{3}}, first{LinkId{2}},
      second{LinkId{3}};
  builder.begin_demand({TrafficClass{0}, NodeId{0}, NodeId{1}});
  builder.add_path(1.0, stuck);
  builder.begin_demand({TrafficClass{0}, NodeId{2}, NodeId{3}});
  builder.add_path(direct, thin);
  if (direct < 1.0) builder.add_path(1.0 - direct, round);
  builder.begin_demand({TrafficClass{0}, NodeId{2}, NodeId{4}});
  builder.add_path(1.0, first);
  builder.begin_demand({TrafficClass{0}, NodeId{4}, NodeId{3}});
  builder.add_path(1.0, second);
  return std::move(builder).build();
}

}  // namespace

TEST_CASE("of two plans with the same fullest link, the one that overloads no other relieves", "[outlook]") {
  const Topology topology = two_bottlenecks();
  TrafficMatrix demand{5};
  demand.set(NodeId{0}, NodeId{1}, BitRate::gbps(2));
  demand.set(NodeId{2}, NodeId{3}, BitRate::gbps(1.2));
  TrafficMatrix calm = demand.scaled(0.25);
  const std::vector<TrafficMatrix> scenarios{demand, calm};
  const PlanOutlook crowded = outlook_of_plan(topology, direct_part(1.0), scenarios, 1.0);
  const PlanOutlook relieved = outlook_of_plan(topology, direct_part(0.5), scenarios, 1.0);
  CHECK(crowded.risk == Approx(1.25));  // 2 and 0.5
  CHECK(relieved.risk == Approx(1.25));
  CHECK(crowded.overflow == Approx(0.5 * 1.2 / 3.2));  // 1 and 0.2 of 3.2 Gbit/s, and nothing in the calm
  CHECK(relieved.overflow == Approx(0.5 * 1.0 / 3.2));
  CHECK(relieves(relieved, crowded));
  CHECK_FALSE(relieves(crowded, relieved));
  CHECK_FALSE(relieves(relieved, relieved));
  CHECK_FALSE(better_by(0.0, relieved, crowded));
  PlanOutlook fuller = relieved;
  fuller.risk *= 1.001;
  CHECK_FALSE(relieves(fuller, crowded));
  PlanOutlook worse_above = relieved;
  worse_above.important = {0.5};
  PlanOutlook good_above = crowded;
  good_above.important = {0.3};
  CHECK_FALSE(relieves(worse_above, good_above));

  const PlanOutlook worst = outlook_of_plan(topology, direct_part(1.0), scenarios, 0.5);
  CHECK(worst.overflow == Approx(1.2 / 3.2));
  const std::vector<TrafficMatrix> only_calm{calm};
  CHECK(outlook_of_plan(topology, direct_part(1.0), only_calm, 1.0).overflow == 0.0);
}

}  // namespace wan::controller
