#include "simulator/program/failure_verifier.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "controller/planner.h"
#include "controller/protection_planner.h"
#include "core/link_load.h"

// Claims that hold are changed in one place each; the verifier must see every one of them.

namespace wan::simulator {
namespace {

using controller::Failure;
using controller::FailureKind;

/// A square A B C D with a diagonal A-C, and E that hangs on D alone.
Topology square() {
  std::vector<Node> nodes;
  for (const char* name : {"A", "B", "C", "D", "E"}) nodes.push_back({name, std::nullopt});
  std::vector<Link> links;
  for (const auto& [a, b, mbps] : std::vector<std::tuple<std::size_t, std::size_t, double>>{
           {0, 1, 10}, {1, 2, 10}, {2, 3, 10}, {3, 0, 10}, {0, 2, 5}, {3, 4, 10}}) {
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      const bool in_duct = (a == 0 && b == 1) || (a == 3 && b == 0);
      links.push_back({.name = nodes[from].name + ">" + nodes[to].name,
                       .from = NodeId{from},
                       .to = NodeId{to},
                       .capacity = BitRate::mbps(mbps),
                       .srlgs = in_duct ? std::vector{SrlgId{0}} : std::vector<SrlgId>{}});
    }
  }
  return Topology::make(std::move(nodes), std::move(links)).value();
}

TrafficMatrix traffic() {
  TrafficMatrix matrix{5};
  matrix.set(NodeId{0}, NodeId{2}, BitRate::mbps(6));
  matrix.set(NodeId{1}, NodeId{3}, BitRate::mbps(3));
  matrix.set(NodeId{4}, NodeId{0}, BitRate::mbps(2));
  matrix.set(NodeId{2}, NodeId{4}, BitRate::mbps(1));
  return matrix;
}

struct Claimed {
  Topology topology = square();
  TrafficMatrix matrix = traffic();
  PathPlan base = controller::plan_paths(topology, matrix, {.gap = 1e-3}).value().plan;
  FailureClaim claim;

  explicit Claimed(Failure failure) {
    const Topology failed = controller::after_failure(topology, failure);
    const auto routes = controller::plan_paths(failed, matrix, {.gap = 1e-3}).value();
    const auto protection = controller::ProtectionPlanner{topology, matrix, base}.protect(failure);
    const PathPlan rescaled = controller::rescaled(failed, base);
    claim = {.failure = std::move(failure),
             .replanned = {.topology_digest = topology.digest(),
                           .plan = routes.plan,
                           .certificate = routes.certificate,
                           .unrouted = routes.unrouted},
             .backups = protection.backups,
             .protected_utilization = protection.utilization,
             .rescaled = rescaled,
             .rescaled_utilization = max_utilization(failed, rescaled, matrix),
             .lost = routes.unrouted};
  }

  [[nodiscard]] std::string verdict() const {
    const auto held = verify_failure(topology, matrix, base, claim);
    return held ? "holds" : held.error().message;
  }
};

Failure of_kind(FailureKind kind, const std::string& name) {
  const Topology topology = square();
  std::vector<Failure> all = controller::link_failures(topology);
  for (auto& failure : controller::srlg_failures(topology, std::vector<std::string>{"duct"})) all.push_back(failure);
  for (auto& failure : controller::node_failures(topology)) all.push_back(failure);
  for (Failure& failure : all) {
    if (failure.kind == kind && failure.name == name) return failure;
  }
  throw std::runtime_error{"no failure " + name};
}

Claimed diagonal() { return Claimed{of_kind(FailureKind::kLink, "A<>C")}; }

/// The plan without demand number `without`, and with every path of it changed.
PathPlan changed(const PathPlan& plan, std::size_t without,
                 const std::function<void(double&, std::vector<LinkId>&)>& change) {
  auto builder = PathPlanBuilder::keeping_fractions();
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    if (d == without) continue;
    builder.begin_demand(plan.demands()[d]);
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      double fraction = plan.path(d, p).fraction;
      std::vector<LinkId> links{plan.path(d, p).links.begin(), plan.path(d, p).links.end()};
      change(fraction, links);
      builder.add_path(fraction, links);
    }
  }
  return std::move(builder).build();
}

constexpr std::size_t kNobody = 1000;
void nothing(double&, std::vector<LinkId>&) {}

}  // namespace

TEST_CASE("claims of every kind of failure hold as they are", "[failures][verifier]") {
  for (const auto& [kind, name] : {std::pair{FailureKind::kLink, "A<>C"}, std::pair{FailureKind::kLink, "D<>E"},
                                   std::pair{FailureKind::kSrlg, "duct"}, std::pair{FailureKind::kNode, "D"}}) {
    CAPTURE(name);
    CHECK(Claimed{of_kind(kind, name)}.verdict() == "holds");
  }
}

TEST_CASE("demands that are cut off must be named, and no others", "[failures][verifier]") {
  Claimed at{of_kind(FailureKind::kLink, "D<>E")};
  REQUIRE(at.claim.lost ==
          std::vector<Demand>{{TrafficClass{0}, NodeId{2}, NodeId{4}}, {TrafficClass{0}, NodeId{4}, NodeId{0}}});
  at.claim.lost.pop_back();
  CHECK(at.verdict() == "failure D<>E: E>A is cut off, but not said to be lost");
  at = diagonal();
  at.claim.lost.push_back({TrafficClass{0}, NodeId{1}, NodeId{3}});
  CHECK(at.verdict() == "failure A<>C: B>D is said to be lost, but is no demand that was cut off");
}

TEST_CASE("the links that fail must be those of one thing", "[failures][verifier]") {
  Claimed at = diagonal();
  at.claim.failure.down.pop_back();
  CHECK(at.verdict() == "failure A<>C: the failed links are not those of one link");
  at = Claimed{of_kind(FailureKind::kNode, "D")};
  at.claim.failure.down.erase(at.claim.failure.down.begin());
  CHECK(at.verdict() == "failure D: the failed links are not those of one node");
  at = Claimed{of_kind(FailureKind::kSrlg, "duct")};
  at.claim.failure.down.pop_back();
  CHECK(at.verdict() == "failure duct: the failed links are not those of one srlg");
  at = diagonal();
  at.claim.failure.down = {};
  CHECK(at.verdict() == "failure A<>C: no link fails");
}

TEST_CASE("the new plan is held to the network that is left", "[failures][verifier]") {
  Claimed at = diagonal();
  at.claim.replanned.plan = at.base;  // still crosses A>C
  CHECK(at.verdict().find("down") != std::string::npos);
  at = diagonal();
  at.claim.replanned.certificate.lower_bound *= 1.001;
  CHECK(at.verdict().find("lower bound") != std::string::npos);
  at = diagonal();
  at.claim.replanned.certificate.utilization *= 0.999;
  CHECK(at.verdict().find("claims utilization") != std::string::npos);
}

TEST_CASE("backups are held to what crossed the failure", "[failures][verifier]") {
  Claimed at = diagonal();
  REQUIRE(at.claim.backups.demand_count() >= 1);
  const PathPlan sound = at.claim.backups;
  at.claim.backups = changed(sound, 0, nothing);
  CHECK(at.verdict().find("crosses what failed and has no backup") != std::string::npos);
  at.claim.backups = changed(sound, kNobody, [](double& fraction, auto&) { fraction *= 0.999; });
  CHECK(at.verdict().find("is split into 0.999, not 1") != std::string::npos);
  at.claim.backups = changed(sound, kNobody, [](double&, std::vector<LinkId>& links) { links.pop_back(); });
  CHECK(at.verdict().find("ends before its destination") != std::string::npos);
  at.claim.backups = at.base;
  CHECK(at.verdict() != "holds");
  at.claim.backups = sound;
  at.claim.protected_utilization *= 0.999;
  CHECK(at.verdict().find("with the backups the largest utilisation is said to be") != std::string::npos);
}

TEST_CASE("a backup over the link that failed is refused", "[failures][verifier]") {
  Claimed at = diagonal();
  auto builder = PathPlanBuilder::keeping_fractions();
  for (const Demand& demand : at.claim.backups.demands()) {
    builder.begin_demand(demand);
    const std::size_t before = *at.base.find(demand);
    for (std::size_t p = 0; p < at.base.path_count(before); ++p) {
      builder.add_path(at.base.path(before, p).fraction, at.base.path(before, p).links);
    }
  }
  at.claim.backups = std::move(builder).build();
  CHECK(at.verdict().find("which is down") != std::string::npos);
}

TEST_CASE("the rescaled plan is recomputed too", "[failures][verifier]") {
  Claimed at = diagonal();
  at.claim.rescaled_utilization *= 1.001;
  CHECK(at.verdict().find("with the rescaled plan the largest utilisation") != std::string::npos);
  at = diagonal();
  at.claim.rescaled = changed(at.claim.rescaled, 0, nothing);
  CHECK(at.verdict().find("the rescaled plan routes fewer or more demands") != std::string::npos);
}

}  // namespace wan::simulator
