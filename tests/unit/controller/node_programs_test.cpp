#include "controller/node_programs.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/shortest_paths.h"
#include "tests/fuzz/policy_network.h"

namespace wan::controller {
namespace {

using Texts = std::vector<std::string>;

/// ams, core7, core9 and fra: two links west-1, west-2 between ams and core7; core7-fra, ams-core9, core9-fra.
struct SmallNetwork {
  const Topology& topology = fuzz::policy_network().topology;
  ForwardingPlane plane;

  SmallNetwork() {
    for (const auto& node : fuzz::policy_network().nodes) {
      plane.nodes.push_back({node.locator, node.prefixes, node.managed});
    }
    plane.ports = fuzz::policy_network().ports;
    plane.reverse = fuzz::policy_network().reverse;
  }
  [[nodiscard]] LinkId link(std::string_view name) const { return topology.find_link(name).value(); }
  [[nodiscard]] NodeId node(std::string_view name) const { return topology.find_node(name).value(); }
  [[nodiscard]] std::vector<LinkId> links(const Texts& names) const {
    std::vector<LinkId> found;
    for (const std::string& name : names) found.push_back(link(name));
    return found;
  }
};

Texts texts(std::span<const IpAddress> addresses) {
  Texts found;
  for (const IpAddress& address : addresses) found.push_back(address.to_string());
  return found;
}

const SidRoute& route_to(const NodeProgram& program, std::string_view locator) {
  for (const SidRoute& route : program.routes) {
    if (route.locator.to_string() == locator) return route;
  }
  throw std::runtime_error{"no such route"};
}

TEST_CASE("segments are written as docs/formats/network.md says", "[southbound]") {
  const SmallNetwork net;
  // One link, and the IGP's only cheapest path behind the first link.
  CHECK(texts(segment_list(net.topology, net.plane, net.links({"ams-core9", "core9-fra"})).value()) ==
        Texts{"fc00:0:2::46"});
  // fra > core7 has one cheapest path; core7 > ams has two, over links 1 and 3: End.X of the second link of core7.
  CHECK(
      texts(segment_list(net.topology, net.plane, net.links({"core9-fra", "fra-core7", "west-2/core7-ams"})).value()) ==
      Texts{"fc00:0:7::1:1", "fc00:0:1::46"});
  // Two ways lead from ams to fra: core9 must be named.
  CHECK(
      texts(segment_list(net.topology, net.plane, net.links({"west-1/core7-ams", "ams-core9", "core9-fra"})).value()) ==
      Texts{"fc00:0:9::1", "fc00:0:2::46"});
}

TEST_CASE("a path that needs more than a node can do is refused with the reason", "[southbound]") {
  SmallNetwork net;
  const auto path = net.links({"core9-fra", "fra-core7", "west-2/core7-ams"});
  net.plane.segments_max = 1;
  auto refused = segment_list(net.topology, net.plane, path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == Error{ErrorCode::kUnsupported, "2 segments are needed, nodes push at most 1"});
  net.plane.segments_max = 10;
  net.plane.nodes[net.node("core7").index()].managed = false;
  refused = segment_list(net.topology, net.plane, path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() ==
        Error{ErrorCode::kUnsupported, "core7 is unmanaged: nothing makes it take the link west-2/core7-ams"});
  refused = segment_list(net.topology, net.plane, net.links({"core9-fra", "fra-core7"}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == Error{ErrorCode::kUnsupported, "core7 is unmanaged: it ends no path"});
  net.plane.nodes[0].locator = *IpPrefix::parse("10.0.0.0/8");
  CHECK(segment_list(net.topology, net.plane, path).error().code == ErrorCode::kBadInput);
  net.plane.nodes.pop_back();
  CHECK(segment_list(net.topology, net.plane, path).error().code == ErrorCode::kShapeMismatch);
}

TEST_CASE("segments that lead nowhere do not expand", "[southbound]") {
  const SmallNetwork net;
  const auto expanded = [&](const Texts& segments) {
    std::vector<IpAddress> sids;
    for (const std::string& text : segments) sids.push_back(IpAddress::parse(text).value());
    const auto links = expand_segments(net.topology, net.plane, net.link("ams-core9"), sids);
    return links ? std::string{"expanded"} : links.error().message;
  };
  CHECK(expanded({"fc00:0:2::46"}) == "expanded");
  CHECK(expanded({"fc00:0:3::1"}) == "fc00:0:3::1 is no node's segment");
  CHECK(expanded({"fc00:0:2::2"}) == "fc00:0:2::2 is no node's segment");
  CHECK(expanded({"fc00:0:2::1:2"}) == "fc00:0:2::1:2 is no node's segment");
  CHECK(expanded({"10.0.0.1"}) == "10.0.0.1 is no node's segment");
  CHECK(expanded({"fc00:0:2::46", "fc00:0:2::1"}) == "fc00:0:2::1 follows a segment that decapsulates");
}

TEST_CASE("a node's program tells classes, egresses, prefixes, routes with repairs, and its own segments",
          "[southbound]") {
  SmallNetwork net;
  net.plane.nodes[net.node("fra").index()].prefixes = {*IpPrefix::parse("10.2.0.0/16"), *IpPrefix::parse("::/0")};
  net.plane.nodes[net.node("ams").index()].prefixes = {*IpPrefix::parse("10.1.0.0/16")};
  const std::vector<ClassPolicy> classes{{.name = "default"}, {.name = "gold", .dscps = {34, 46}}};
  const auto programs = node_programs(net.topology, net.plane, {}, classes, 3, "0123456789abcdef");
  REQUIRE(programs);
  CHECK(programs->problems.empty());
  const NodeProgram& core9 = programs->by_node[net.node("core9").index()];
  CHECK(core9.epoch == 3);
  CHECK(core9.digest == "0123456789abcdef");
  CHECK(core9.classes == std::vector<ClassRule>{{TrafficClass{1}, {34, 46}}});
  REQUIRE(core9.egresses.size() == 3);
  CHECK(core9.egresses[2] == EgressNode{"fra", IpAddress::parse("fc00:0:2::46").value()});
  REQUIRE(core9.prefixes.size() == 3);
  CHECK(core9.prefixes[0] == PrefixOwner{*IpPrefix::parse("10.1.0.0/16"), "ams"});
  REQUIRE(core9.adjacencies.size() == 2);
  CHECK(core9.adjacencies[1] == AdjacencySid{IpAddress::parse("fc00:0:9::1:1").value(), "d5"});
  REQUIRE(core9.routes.size() == 3);
  // To ams through d4; without that link by fra and core7. From fra two cheapest ways lead to ams, one back through
  // core9: an outer header as far as core7, from where all lead on to ams.
  const SidRoute& to_ams = route_to(core9, "fc00:0:1::/64");
  CHECK(to_ams.port == "d4");
  REQUIRE(to_ams.repair);
  CHECK(to_ams.repair->port == "d5");
  CHECK(texts(to_ams.repair->segments) == Texts{"fc00:0:7::1"});
  // From ams to core7 over west-1; without it the parallel link needs no header.
  const SidRoute& to_core7 = route_to(programs->by_node[net.node("ams").index()], "fc00:0:7::/64");
  CHECK(to_core7.port == "a1");
  REQUIRE(to_core7.repair);
  CHECK(to_core7.repair->port == "a2");
  CHECK(to_core7.repair->segments.empty());
}

TEST_CASE("a repair ends at no unmanaged node", "[southbound]") {
  SmallNetwork net;
  net.plane.nodes[net.node("core7").index()].managed = false;
  const auto programs = node_programs(net.topology, net.plane, {}, {}, 1, "");
  REQUIRE(programs);
  CHECK(programs->by_node[net.node("core7").index()] == NodeProgram{});
  // core7 does not take the outer header off, and fra may send back what is for ams: only ams itself is left, and the
  // End of core7 on the way to it.
  const SidRoute& to_ams = route_to(programs->by_node[net.node("core9").index()], "fc00:0:1::/64");
  REQUIRE(to_ams.repair);
  CHECK(texts(to_ams.repair->segments) == Texts{"fc00:0:7::1", "fc00:0:1::1"});
}

TEST_CASE("what cannot be told to a node is named, and its share goes to the demand's other paths", "[southbound]") {
  SmallNetwork net;
  net.plane.nodes[net.node("core7").index()].managed = false;
  const auto over_core7 = net.links({"fra-core7", "west-2/core7-ams"});
  const auto over_core9 = net.links({"fra-core9", "core9-ams"});
  const auto plan_of = [&](double first, double second) {
    PathPlanBuilder builder;
    builder.begin_demand({TrafficClass{0}, net.node("fra"), net.node("ams")});
    builder.add_path(first, over_core7);
    builder.add_path(second, over_core9);
    return std::move(builder).build();
  };
  const std::string problem =
      "fra > ams, class 0: the path fra-core7 west-2/core7-ams cannot be written as segments: core7 is unmanaged: "
      "nothing "
      "makes it take the link west-2/core7-ams";
  auto programs = node_programs(net.topology, net.plane, plan_of(0.75, 0.25), {}, 1, "");
  REQUIRE(programs);
  CHECK(programs->problems == Texts{problem});
  const auto& demands = programs->by_node[net.node("fra").index()].demands;
  REQUIRE(demands.size() == 1);
  REQUIRE(demands[0].paths.size() == 1);
  CHECK(demands[0].paths[0].fraction == 1.0);
  CHECK(demands[0].paths[0].port == "f5");
  // Without its one path left, the cheapest way around: core7 takes either of its links to ams.
  REQUIRE(demands[0].backups.size() == 1);
  CHECK(demands[0].backups[0].failed_port == "f5");
  REQUIRE(demands[0].backups[0].paths.size() == 1);
  CHECK(demands[0].backups[0].paths[0].port == "f3");
  CHECK(texts(demands[0].backups[0].paths[0].segments) == Texts{"fc00:0:1::46"});

  programs = node_programs(net.topology, net.plane, plan_of(1.0, 0.0), {}, 1, "");
  REQUIRE(programs);
  CHECK(programs->problems == Texts{problem, "fra > ams, class 0: takes the IGP's way"});
  CHECK(programs->by_node[net.node("fra").index()].demands.empty());
}

TEST_CASE("programs that are not of this network are not adopted", "[southbound]") {
  const SmallNetwork net;
  PathPlanBuilder builder;
  builder.begin_demand({TrafficClass{0}, net.node("fra"), net.node("ams")});
  builder.add_path(1.0, net.links({"fra-core9", "core9-ams"}));
  const PathPlan plan = std::move(builder).build();
  const auto programs = node_programs(net.topology, net.plane, plan, {}, 1, "");
  REQUIRE(programs);
  const auto adopted_with = [&](auto change) {
    auto by_node = programs->by_node;
    change(by_node[net.node("fra").index()]);
    const auto adopted = adopted_plan(net.topology, by_node);
    return adopted ? std::to_string(adopted->demand_count()).append(" adopted") : adopted.error().message;
  };
  CHECK(adopted_with([](NodeProgram&) {}) == "1 adopted");
  CHECK(adopted_with([](NodeProgram& program) { program.epoch = 0; }) == "0 adopted");
  CHECK(adopted_with([](NodeProgram& program) { program.demands[0].paths[0].links[0] = "fra-paris"; }) ==
        "fra: there is no link fra-paris");
  CHECK(adopted_with([](NodeProgram& program) { program.demands[0].destination = "paris"; }) ==
        "fra: there is no node paris");
  CHECK(adopted_with([](NodeProgram& program) { program.demands[0].paths[0].links.pop_back(); }) ==
        "plan for fra > ams: a path ends before the destination");
  CHECK(adopted_with([](NodeProgram& program) { program.demands.push_back(program.demands[0]); }) ==
        "plan for fra > ams: demands are not in order");
  CHECK(adopted_plan(net.topology, {}).error().code == ErrorCode::kShapeMismatch);
}

}  // namespace
}  // namespace wan::controller
