#include "controller/node_programs.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "core/igp_routing.h"
#include "core/random.h"
#include "core/shortest_paths.h"
#include "tests/property/segment_routed_network.h"

namespace wan::controller {
namespace {

using test::connected_without;
using test::drawn_path;
using test::drawn_steered_network;
using test::Journey;
using test::PacketWalk;
using test::SteeredNetwork;

constexpr std::uint64_t kNetworks = 1500;

/// A plan of one to three random paths for most pairs of nodes, in two classes.
PathPlan drawn_plan(Rng& rng, const Topology& topology) {
  PathPlanBuilder builder;
  for (std::size_t cls = 0; cls < 2; ++cls) {
    for (std::size_t from = 0; from < topology.node_count(); ++from) {
      for (std::size_t to = 0; to < topology.node_count(); ++to) {
        if (from == to || rng.below(4) == 0) continue;
        builder.begin_demand({TrafficClass{cls}, NodeId{from}, NodeId{to}});
        for (std::uint64_t paths = 1 + rng.below(3); paths > 0; --paths) {
          const auto path = drawn_path(rng, topology, NodeId{from}, NodeId{to});
          if (!path.empty()) builder.add_path(0.1 + rng.uniform(), path);
        }
      }
    }
  }
  return std::move(builder).build();
}

bool meets_no_node_twice(const Topology& topology, NodeId from, std::span<const LinkId> links) {
  std::set<NodeId> met{from};
  return std::all_of(links.begin(), links.end(),
                     [&](LinkId link) { return met.insert(topology.link(link).to).second; });
}

TEST_CASE("a path that is written as segments leads along its links", "[southbound]") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "segment lists"};
    const SteeredNetwork network = drawn_steered_network(rng, {});
    const Topology& topology = network.topology;
    std::vector<std::vector<LinkId>> paths;
    const auto igp = igp_plan(topology, weight_costs(topology));
    REQUIRE(igp);
    for (std::size_t d = 0; d < igp->demand_count(); ++d) {
      for (std::size_t p = 0; p < igp->path_count(d); ++p) {
        const auto links = igp->path(d, p).links;
        paths.emplace_back(links.begin(), links.end());
      }
    }
    for (int i = 0; i < 30; ++i) {
      const NodeId from{rng.below(topology.node_count())};
      paths.push_back(drawn_path(rng, topology, from, NodeId{rng.below(topology.node_count())}));
    }
    auto plane = network.plane;
    plane.segments_max = 100;
    for (const auto& path : paths) {
      if (path.empty()) continue;
      INFO("seed " << seed);
      const auto segments = segment_list(topology, plane, path);
      REQUIRE(segments);
      CHECK(segments->size() <= path.size());
      const auto links = expand_segments(topology, plane, path[0], *segments);
      REQUIRE(links);
      REQUIRE(*links == path);
    }
  }
}

TEST_CASE("packets take the paths of the plan, whatever unmanaged nodes make of equal costs", "[southbound]") {
  std::size_t walked = 0, left_out = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "programs"};
    const SteeredNetwork network = drawn_steered_network(rng, {.unmanaged_chance = 0.3});
    const PathPlan plan = drawn_plan(rng, network.topology);
    const auto programs = node_programs(network.topology, network.plane, plan, {}, 7, "digest");
    INFO("seed " << seed);
    REQUIRE(programs);
    left_out += programs->problems.size();
    PacketWalk walk{network, programs->by_node, rng};
    for (std::size_t n = 0; n < network.topology.node_count(); ++n) {
      const NodeProgram& program = programs->by_node[n];
      if (!network.plane.nodes[n].managed) {
        REQUIRE(program == NodeProgram{});
        continue;
      }
      REQUIRE(program.epoch == 7);
      for (const ProgrammedDemand& demand : program.demands) {
        double sum = 0.0;
        for (const ProgrammedPath& path : demand.paths) {
          sum += path.fraction;
          const Journey journey = walk.send(NodeId{n}, path.port, path.segments);
          REQUIRE(journey.end == Journey::End::kArrived);
          std::vector<std::string> names;
          for (const LinkId link : journey.links) names.push_back(network.topology.link(link).name);
          REQUIRE(names == path.links);
          ++walked;
        }
        REQUIRE(std::abs(sum - 1.0) < 1e-9);
      }
    }
  }
  CHECK(walked > 30'000);
  CHECK(left_out > 100);
}

TEST_CASE("with a link down every packet is led around it, when there is a way and every node is managed",
          "[southbound]") {
  std::size_t repaired = 0, encapsulated = 0, segments_max = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "repairs"};
    const SteeredNetwork network = drawn_steered_network(rng, {});
    const Topology& topology = network.topology;
    const auto programs = node_programs(topology, network.plane, {}, {}, 1, "digest");
    REQUIRE(programs);
    PacketWalk walk{network, programs->by_node, rng};
    for (std::size_t l = 0; l < topology.link_count(); ++l) {
      const LinkId failed{l};
      const std::vector<LinkId> down{failed, network.plane.reverse[l]};
      walk.fail(failed);
      const NodeId from = topology.link(failed).from;
      for (const SidRoute& route : programs->by_node[from.index()].routes) {
        if (route.port != network.plane.ports[l]) continue;
        NodeId to;
        while (network.plane.nodes[to.index()].locator != route.locator) to = NodeId{to.index() + 1};
        INFO("seed " << seed << ", link " << l << " down, to " << to.index());
        REQUIRE(route.repair.has_value() == connected_without(topology, from, to, down));
        if (!route.repair) continue;
        auto segment = route.locator.address.bytes();
        segment[15] = 0x46;
        const Journey journey = walk.send(from, IpAddress::v6(segment));
        REQUIRE(journey.end == Journey::End::kArrived);
        REQUIRE(topology.link(journey.links.back()).to == to);
        REQUIRE(meets_no_node_twice(topology, from, journey.links));
        ++repaired;
        encapsulated += !route.repair->segments.empty();
        segments_max = std::max(segments_max, route.repair->segments.size());
      }
    }
  }
  CHECK(repaired > 30'000);
  CHECK(encapsulated > 1'000);
  CHECK(segments_max >= 2);
  CHECK(segments_max <= 4);
}

TEST_CASE("what comes from anywhere and meets a failed link is led around it, or dropped where nothing was promised",
          "[southbound]") {
  std::size_t repaired = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "mixed repairs"};
    const SteeredNetwork network = drawn_steered_network(rng, {.unmanaged_chance = 0.3});
    const Topology& topology = network.topology;
    const auto programs = node_programs(topology, network.plane, {}, {}, 1, "digest");
    REQUIRE(programs);
    PacketWalk walk{network, programs->by_node, rng};
    for (std::size_t l = 0; l < topology.link_count(); l += 2) {
      walk.fail(LinkId{l});
      for (std::size_t from = 0; from < topology.node_count(); ++from) {
        if (!network.plane.nodes[from].managed) continue;
        for (const SidRoute& route : programs->by_node[from].routes) {
          auto segment = route.locator.address.bytes();
          segment[15] = 1;
          const Journey journey = walk.send(NodeId{from}, IpAddress::v6(segment));
          INFO("seed " << seed << ", link " << l << " down, from " << from << " to " << route.locator.to_string());
          // An unmanaged node sends into the dead link until its own IGP has noticed; a managed one says no route.
          REQUIRE(journey.end != Journey::End::kLooped);
          REQUIRE(journey.end != Journey::End::kDropped);
          const bool crosses = std::any_of(journey.links.begin(), journey.links.end(),
                                           [&](LinkId link) { return link.index() / 2 == l / 2; });
          REQUIRE_FALSE(crosses);
          if (route.port != network.plane.ports[l] && route.port != network.plane.ports[l + 1]) continue;
          if (!route.repair) continue;
          REQUIRE(journey.end == Journey::End::kArrived);
          REQUIRE(meets_no_node_twice(topology, NodeId{from}, journey.links));
          ++repaired;
        }
      }
    }
  }
  CHECK(repaired > 12'000);
}

TEST_CASE("backups of a demand sum to 1, keep clear of the failed port and lead to the same node", "[southbound]") {
  std::size_t rescaled = 0, anew = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "backups"};
    const SteeredNetwork network = drawn_steered_network(rng, {});
    const Topology& topology = network.topology;
    const PathPlan plan = drawn_plan(rng, topology);
    const auto programs = node_programs(topology, network.plane, plan, {}, 1, "digest");
    REQUIRE(programs);
    REQUIRE(programs->problems.empty());
    PacketWalk walk{network, programs->by_node, rng};
    for (std::size_t n = 0; n < topology.node_count(); ++n) {
      for (const ProgrammedDemand& demand : programs->by_node[n].demands) {
        INFO("seed " << seed << ", n" << n << " > " << demand.destination);
        const NodeId to = *topology.find_node(demand.destination);
        std::set<std::string> ports, backed;
        for (const ProgrammedPath& path : demand.paths) ports.insert(path.port);
        for (const ProgrammedBackup& backup : demand.backups) {
          REQUIRE(backed.insert(backup.failed_port).second);
          REQUIRE(ports.contains(backup.failed_port));
          walk.fail(LinkId{std::stoul(backup.failed_port.substr(1))});
          double sum = 0.0;
          for (const ProgrammedPath& path : backup.paths) {
            REQUIRE(path.port != backup.failed_port);
            sum += path.fraction;
            const Journey journey = walk.send(NodeId{n}, path.port, path.segments);
            REQUIRE(journey.end == Journey::End::kArrived);
            REQUIRE(topology.link(journey.links.back()).to == to);
            REQUIRE(journey.links.size() == path.links.size());
            const auto same = [&](const ProgrammedPath& own) { return own.id == path.id; };
            const bool own = std::any_of(demand.paths.begin(), demand.paths.end(), same);
            REQUIRE(own == (ports.size() > 1));
            (own ? rescaled : anew) += 1;
          }
          REQUIRE(std::abs(sum - 1.0) < 1e-9);
        }
        for (const std::string& port : ports) {
          const LinkId link{std::stoul(port.substr(1))};
          const std::vector<LinkId> down{link, network.plane.reverse[link.index()]};
          REQUIRE(backed.contains(port) == (ports.size() > 1 || connected_without(topology, NodeId{n}, to, down)));
        }
      }
    }
  }
  CHECK(rescaled > 1'000);
  CHECK(anew > 1'000);
}

TEST_CASE("the plan that programs were made of is found in them again", "[southbound]") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Rng rng{seed, "adopted"};
    const SteeredNetwork network = drawn_steered_network(rng, {});
    const PathPlan plan = drawn_plan(rng, network.topology);
    const auto programs = node_programs(network.topology, network.plane, plan, {}, 1, "digest");
    REQUIRE(programs);
    const auto adopted = adopted_plan(network.topology, programs->by_node);
    INFO("seed " << seed);
    REQUIRE(adopted);
    REQUIRE(adopted->demand_count() == plan.demand_count());
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      REQUIRE(adopted->demands()[d] == plan.demands()[d]);
      REQUIRE(adopted->path_count(d) == plan.path_count(d));
      for (std::size_t p = 0; p < plan.path_count(d); ++p) {
        const auto was = plan.path(d, p);
        const auto is = adopted->path(d, p);
        REQUIRE(std::equal(was.links.begin(), was.links.end(), is.links.begin(), is.links.end()));
        REQUIRE(std::abs(was.fraction - is.fraction) < 1e-9);
      }
    }
    // One fraction or one path changed: another digest.
    const std::string digest = plan_digest(network.topology, plan);
    CHECK(digest.size() == 16);
    CHECK(digest == plan_digest(network.topology, PathPlan{plan}));
    const PathPlan other = drawn_plan(rng, network.topology);
    CHECK((digest == plan_digest(network.topology, other)) == (plan == other));
    PathPlanBuilder builder = PathPlanBuilder::keeping_fractions();
    const std::size_t changed = rng.below(plan.demand_count());
    bool changes = false;
    for (std::size_t d = 0; d < plan.demand_count(); ++d) {
      builder.begin_demand(plan.demands()[d]);
      const std::size_t paths = plan.path_count(d);
      for (std::size_t p = 0; p < paths; ++p) {
        const bool moves = d == changed && paths > 1 && p < 2;
        changes = changes || moves;
        builder.add_path(plan.path(d, p).fraction + (moves ? (p == 0 ? 1e-12 : -1e-12) : 0.0), plan.path(d, p).links);
      }
    }
    CHECK((plan_digest(network.topology, std::move(builder).build()) != digest) == changes);
  }
}

}  // namespace
}  // namespace wan::controller
