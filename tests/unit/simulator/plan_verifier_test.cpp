#include "simulator/program/plan_verifier.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/igp_routing.h"
#include "core/link_load.h"
#include "core/shortest_paths.h"
#include "simulator/workload.h"

namespace wan::simulator {
namespace {

constexpr LinkId kAB{0}, kBC{1}, kAC{2}, kCA{3};
constexpr NodeId kA{0}, kB{1}, kC{2}, kD{3};
constexpr TrafficClass kBest{0};

/// A>B and B>C of 10 Mbit/s beside A>C of 5, a way back C>A, and D that nothing reaches.
Topology triangle(double direct_mbps = 5.0) {
  const auto link = [](const char* name, NodeId from, NodeId to, double mbps) {
    return Link{.name = name, .from = from, .to = to, .capacity = BitRate::mbps(mbps), .srlgs = {}};
  };
  return Topology::make({{"A", {}}, {"B", {}}, {"C", {}}, {"D", {}}},
                        {link("AB", kA, kB, 10.0), link("BC", kB, kC, 10.0), link("AC", kA, kC, direct_mbps),
                         link("CA", kC, kA, 10.0)})
      .value();
}

TrafficMatrix six_from_a_to_c() {
  TrafficMatrix matrix{4};
  matrix.set(kA, kC, BitRate::mbps(6.0));
  matrix.set(kA, kD, BitRate::mbps(1.0));
  return matrix;
}

struct Route {
  double fraction;
  std::vector<LinkId> links;
};

PathPlan a_to_c_over(const std::vector<Route>& routes) {
  PathPlanBuilder builder;
  builder.begin_demand({kBest, kA, kC});
  for (const Route& route : routes) builder.add_path(route.fraction, route.links);
  return std::move(builder).build();
}

/// The optimum: 2 of the 6 Mbit/s directly, 4 through B; everything that leaves A fills 0.4 of 15 Mbit/s.
io::PlanFile best_plan() {
  return {.topology_digest = triangle().digest(),
          .plan = a_to_c_over({{1.0 / 3, {kAC}}, {2.0 / 3, {kAB, kBC}}}),
          .certificate = {.utilization = 0.4, .lower_bound = 0.4, .duals = {1.0, 0.0, 1.0, 0.0}},
          .unrouted = {{kBest, kA, kD}}};
}

std::string why_refused(const io::PlanFile& plan, const Topology& topology = triangle(),
                        const TrafficMatrix& matrix = six_from_a_to_c()) {
  const auto found = verify_plan(topology, matrix, plan);
  return found ? "accepted" : found.error().message;
}

TEST_CASE("the verifier accepts a plan whose bound is known by hand", "[verifier]") {
  const auto found = verify_plan(triangle(), six_from_a_to_c(), best_plan());
  REQUIRE(found);
  CHECK(found->utilization == Approx(0.4).epsilon(1e-12));
  CHECK(found->lower_bound == Approx(0.4).epsilon(1e-12));
  CHECK(std::abs(found->gap) < 1e-12);
  CHECK(found->demands == 1);
  CHECK(found->paths == 2);
  CHECK(found->unrouted == 1);
}

TEST_CASE("the scale of the prices does not matter to the verifier", "[verifier]") {
  for (const double scale : {1e-300, 1e-9, 1e300}) {
    io::PlanFile plan = best_plan();
    for (double& price : plan.certificate.duals) price *= scale;
    CHECK(why_refused(plan) == "accepted");
  }
}

TEST_CASE("the verifier refuses claims that the paths and prices do not bear out", "[verifier]") {
  io::PlanFile plan = best_plan();
  plan.certificate.utilization = 0.39;
  CHECK(why_refused(plan) == "plan refused: it claims utilization 0.39, its paths give 0.4 on AB");
  plan = best_plan();
  plan.certificate.lower_bound = 0.41;
  CHECK(why_refused(plan) == "plan refused: it claims lower bound 0.41, its duals give 0.4");
  plan = best_plan();
  plan.certificate.duals[kBC.index()] = 1.0;  // now 6 x 1 / (10 + 10 + 5)
  CHECK(why_refused(plan) == "plan refused: it claims lower bound 0.4, its duals give 0.24");
  plan.certificate.lower_bound = 0.24;
  CHECK(why_refused(plan) == "accepted");
  plan = best_plan();
  plan.certificate.utilization = std::numeric_limits<double>::quiet_NaN();
  CHECK(why_refused(plan).starts_with("plan refused: it claims utilization nan"));
}

TEST_CASE("the verifier refuses paths that do not lead there", "[verifier]") {
  const auto refused = [](const std::vector<Route>& routes) {
    io::PlanFile plan = best_plan();
    plan.plan = a_to_c_over(routes);
    return why_refused(plan);
  };
  CHECK(refused({{1.0, {kAB}}}) == "plan refused: A>C path 1 ends at B");
  CHECK(refused({{1.0, {kBC}}}) == "plan refused: A>C path 1 jumps to link BC");
  CHECK(refused({{1.0, {}}}) == "plan refused: A>C path 1 ends at A");
  CHECK(refused({{1.0, {kAC, kCA, kAC}}}) == "plan refused: A>C path 1 meets node A twice");
  CHECK(refused({{1.0, {LinkId{4}}}}) == "plan refused: A>C path 1 uses a link that does not exist");
  CHECK(why_refused(best_plan(), triangle().with_links_down(std::vector{kAC})) ==
        "plan refused: A>C path 1 uses link AC, which is down");
}

/// `best_plan` with its limits and a list for each path: A>C over its own link, and A>B>C.
io::PlanFile steered_plan(const std::vector<std::vector<PathSegment>>& lists) {
  io::PlanFile plan = best_plan();
  plan.limits = {.paths_max = 2, .sid_depth = 2};
  for (const auto& list : lists) plan.segments.add(list);
  return plan;
}

TEST_CASE("the verifier holds a plan to its limits", "[verifier][segments]") {
  io::PlanFile plan = steered_plan({{PathSegment::to(kC)}, {PathSegment::to(kC)}});
  const auto found = verify_plan(triangle(), six_from_a_to_c(), plan);
  if (!found) FAIL(found.error().message);
  CHECK(found->paths_most == 2);
  CHECK(found->segments_most == 1);
  plan.limits.paths_max = 1;
  CHECK(why_refused(plan) == "plan refused: A>C has 2 paths, it claims at most 1");
  plan = steered_plan({{PathSegment::to(kC)}, {PathSegment::across(kBC), PathSegment::to(kC)}});
  CHECK(why_refused(plan) == "accepted");
  plan.limits.sid_depth = 1;
  CHECK(why_refused(plan) == "plan refused: A>C path 2 has 2 segments, it claims at most 1");
  plan = steered_plan({});
  CHECK(why_refused(plan) == "plan refused: it claims a SID depth, but has no segments");
  plan = steered_plan({{PathSegment::to(kC)}});
  CHECK(why_refused(plan) == "plan refused: some of its paths have no segments");
}

TEST_CASE("the verifier refuses segment lists that lead elsewhere", "[verifier][segments]") {
  const auto refused = [](const std::vector<PathSegment>& second) {
    return why_refused(steered_plan({{PathSegment::to(kC)}, second}));
  };
  CHECK(refused({PathSegment::to(kB), PathSegment::to(kC)}) == "accepted");
  CHECK(refused({}) == "plan refused: A>C path 2 has segments that end at B");
  CHECK(refused({PathSegment::to(kB)}) == "plan refused: A>C path 2 has segments that end at B");
  CHECK(refused({PathSegment::across(kBC)}) ==
        "plan refused: A>C path 2 has segments that do not end with its last node's");
  CHECK(refused({PathSegment::across(kAC), PathSegment::to(kC)}) ==
        "plan refused: A>C path 2 has a segment to A that leads over link CA, which is not the path's");
  CHECK(refused({PathSegment::to(kC), PathSegment::to(kA)}) ==
        "plan refused: A>C path 2 has a segment to A that leads over link CA, which is not the path's");
  CHECK(refused({PathSegment::to(kD)}) == "plan refused: A>C path 2 has a segment to D, to which no way leads from B");
  CHECK(refused({PathSegment::to(NodeId{9})}) ==
        "plan refused: A>C path 2 has a segment of a node that does not exist");
  CHECK(refused({PathSegment::across(LinkId{9})}) ==
        "plan refused: A>C path 2 has a segment of a link that does not exist");
}

TEST_CASE("a segment with several cheapest ways counts on none of them", "[verifier][segments]") {
  // A>B, then B>C>E and B>D>E at the same weight.
  const auto link = [](const char* name, std::size_t from, std::size_t to, double weight) {
    return Link{.name = name,
                .from = NodeId{from},
                .to = NodeId{to},
                .capacity = BitRate::mbps(10.0),
                .weight = weight,
                .srlgs = {}};
  };
  const auto network = [&](double weight) {
    return Topology::make({{"A", {}}, {"B", {}}, {"C", {}}, {"D", {}}, {"E", {}}},
                          {link("AB", 0, 1, 1.0), link("BC", 1, 2, 0.1), link("CE", 2, 4, 0.2),
                           link("BD", 1, 3, weight), link("DE", 3, 4, 0.3 - weight)})
        .value();
  };
  TrafficMatrix matrix{5};
  matrix.set(NodeId{0}, NodeId{4}, BitRate::mbps(5.0));
  const auto verdict = [&](const Topology& topology, const std::vector<PathSegment>& list) {
    PathPlanBuilder builder;
    builder.begin_demand({kBest, NodeId{0}, NodeId{4}});
    builder.add_path(1.0, std::vector{LinkId{0}, LinkId{1}, LinkId{2}});
    io::PlanFile plan;
    plan.topology_digest = topology.digest();
    plan.plan = std::move(builder).build();
    plan.certificate.utilization = plan.certificate.lower_bound = 0.5;
    plan.certificate.duals.assign(topology.link_count(), 0.0);
    plan.certificate.duals[0] = 1.0;
    plan.segments.add(list);
    return why_refused(plan, topology, matrix);
  };
  const std::string several = "plan refused: A>E path 1 has a segment to E, which has several cheapest ways from B";
  CHECK(verdict(network(0.1), {PathSegment::to(NodeId{4})}) == several);  // 0.1 + 0.2 and 0.1 + 0.2, rounded or not
  CHECK(verdict(network(0.2), {PathSegment::to(NodeId{4})}) == several);
  CHECK(verdict(network(0.1), {PathSegment::to(NodeId{2}), PathSegment::to(NodeId{4})}) == "accepted");
  CHECK(verdict(network(0.1), {PathSegment::across(LinkId{1}), PathSegment::to(NodeId{4})}) == "accepted");
  CHECK(verdict(network(0.1).with_links_down(std::vector{LinkId{3}}), {PathSegment::to(NodeId{4})}) == "accepted");
}

TEST_CASE("the verifier holds the list of unrouted demands to the network", "[verifier]") {
  io::PlanFile plan = best_plan();
  plan.unrouted.clear();
  CHECK(why_refused(plan) == "plan refused: A>D has traffic, but is neither routed nor listed as unrouted");
  plan.unrouted = {{kBest, kA, kD}, {kBest, kA, kD}};
  CHECK(why_refused(plan) == "plan refused: A>D is listed as unrouted twice");
  plan.unrouted = {{kBest, kA, kD}, {kBest, kB, kD}};
  CHECK(why_refused(plan) == "plan refused: B>D is listed as unrouted, but there is no such demand");
  plan.unrouted = {{kBest, kA, kD}, {TrafficClass{1}, kA, kC}};
  CHECK(why_refused(plan) == "plan refused: A>C is listed as unrouted, but there is no such demand");
  plan.unrouted = {{kBest, kA, kC}, {kBest, kA, kD}};
  CHECK(why_refused(plan) == "plan refused: A>C is listed as unrouted, but the plan routes it");
  plan.plan = PathPlan{};
  plan.certificate = {.utilization = 0.0, .lower_bound = 0.0, .duals = {1.0, 0.0, 0.0, 0.0}};
  CHECK(why_refused(plan) == "plan refused: A>C is listed as unrouted, but its ends are connected");
  plan.unrouted = {{kBest, kA, NodeId{9}}};
  CHECK(why_refused(plan) == "plan refused: it lists an unrouted demand of a node that the topology does not have");
}

TEST_CASE("the verifier holds every class to account", "[verifier]") {
  TrafficMatrix matrix{4, 2};
  matrix.set(TrafficClass{0}, kA, kC, BitRate::mbps(6.0));
  matrix.set(TrafficClass{1}, kA, kC, BitRate::mbps(1.0));
  io::PlanFile plan = best_plan();
  plan.unrouted.clear();
  CHECK(why_refused(plan, triangle(), matrix) ==
        "plan refused: A>C of class 1 has traffic, but is neither routed nor listed as unrouted");
}

TEST_CASE("the verifier refuses prices that prove nothing", "[verifier]") {
  const auto refused = [](std::vector<double> duals) {
    io::PlanFile plan = best_plan();
    plan.certificate.duals = std::move(duals);
    return why_refused(plan);
  };
  CHECK(refused({1.0, 0.0, 1.0}) == "plan refused: it has 3 duals for 4 links");
  CHECK(refused({1.0, -0.1, 1.0, 0.0}) == "plan refused: the dual of link BC is -0.1");
  CHECK(refused({1.0, 0.0, INFINITY, 0.0}) == "plan refused: the dual of link AC is inf");
  CHECK(refused({0.0, 0.0, 0.0, 0.0}) == "plan refused: there is traffic, but all its duals are zero");
}

TEST_CASE("the verifier refuses plans and traffic of other networks", "[verifier]") {
  const std::string changed = why_refused(best_plan(), triangle(5.5));
  CHECK(changed.starts_with("plan refused: it was made for topology "));
  CHECK(why_refused(best_plan(), triangle(), TrafficMatrix{3}) == "the traffic is of 3 nodes, the topology of 4");
}

TEST_CASE("a plan without traffic holds with a bound of zero", "[verifier]") {
  io::PlanFile plan = best_plan();
  plan.unrouted.clear();
  plan.certificate = {.utilization = 0.0, .lower_bound = 0.0, .duals = {0.0, 0.0, 0.0, 0.0}};
  const auto found = verify_plan(triangle(), TrafficMatrix{4}, plan);
  REQUIRE(found);
  CHECK(found->gap == 0.0);
}

TEST_CASE("the verifier agrees with the core's link loads on a whole network", "[verifier]") {
  const Topology topology = builtin_backbone();
  const TrafficMatrix matrix = gravity_demands(topology, 3);
  io::PlanFile plan{.topology_digest = topology.digest(),
                    .plan = igp_plan(topology, hop_costs(topology)).value(),
                    .certificate = {},
                    .unrouted = {}};
  // With the price of every link 1 / capacity the bound is the mean utilisation of the cheapest paths at these prices.
  double paid = 0.0;
  for (const Link& link : topology.links()) plan.certificate.duals.push_back(1.0 / link.capacity.bps());
  for (std::size_t from = 0; from < 12; ++from) {
    const ShortestPathTree tree = shortest_path_tree(topology, NodeId{from}, plan.certificate.duals);
    for (std::size_t to = 0; to < 12; ++to) paid += matrix.at(NodeId{from}, NodeId{to}).bps() * tree.cost[to];
  }
  plan.certificate.utilization = max_utilization(topology, plan.plan, matrix);
  plan.certificate.lower_bound = paid / static_cast<double>(topology.link_count());
  const auto found = verify_plan(topology, matrix, plan);
  REQUIRE(found);
  CHECK(found->gap == Approx(plan.certificate.gap()).epsilon(1e-9));
  CHECK(found->demands == 132);
}

}  // namespace
}  // namespace wan::simulator
