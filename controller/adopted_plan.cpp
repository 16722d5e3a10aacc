#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "controller/node_programs.h"
#include "core/digest.h"

namespace wan::controller {
namespace {

/// What a program says of one demand, with names looked up.
struct FoundDemand {
  Demand demand;
  std::vector<std::pair<double, std::vector<LinkId>>> paths;
};

using LinksByName = std::unordered_map<std::string_view, LinkId>;  // looked up only
using NodesByName = std::unordered_map<std::string_view, NodeId>;  // looked up only

Result<FoundDemand> found_demand(const ProgrammedDemand& programmed, NodeId from, const NodesByName& nodes,
                                 const LinksByName& links) {
  const auto to = nodes.find(programmed.destination);
  if (to == nodes.end()) return fail(ErrorCode::kBadInput, "there is no node " + programmed.destination);
  FoundDemand found{.demand = {programmed.cls, from, to->second}, .paths = {}};
  for (const ProgrammedPath& path : programmed.paths) {
    auto& [fraction, path_links] = found.paths.emplace_back();
    fraction = path.fraction;
    for (const std::string& name : path.links) {
      const auto link = links.find(name);
      if (link == links.end()) return fail(ErrorCode::kBadInput, "there is no link " + name);
      path_links.push_back(link->second);
    }
  }
  return found;
}

}  // namespace

Result<PathPlan> adopted_plan(const Topology& topology, std::span<const NodeProgram> by_node) {
  if (by_node.size() != topology.node_count()) {
    return fail(ErrorCode::kShapeMismatch, "not one program for each node of the network");
  }
  LinksByName links;
  for (std::size_t l = 0; l < topology.link_count(); ++l) links.emplace(topology.links()[l].name, LinkId{l});
  NodesByName nodes;
  for (std::size_t n = 0; n < topology.node_count(); ++n) nodes.emplace(topology.nodes()[n].name, NodeId{n});

  std::vector<FoundDemand> demands;
  for (std::size_t n = 0; n < by_node.size(); ++n) {
    if (by_node[n].epoch == 0) continue;
    for (const ProgrammedDemand& programmed : by_node[n].demands) {
      auto found = found_demand(programmed, NodeId{n}, nodes, links);
      if (!found) return fail(found.error().code, topology.nodes()[n].name + ": " + found.error().message);
      demands.push_back(*std::move(found));
    }
  }
  std::stable_sort(demands.begin(), demands.end(),
                   [](const FoundDemand& a, const FoundDemand& b) { return a.demand < b.demand; });
  PathPlanBuilder builder;
  for (const FoundDemand& found : demands) {
    builder.begin_demand(found.demand);
    for (const auto& [fraction, path] : found.paths) builder.add_path(fraction, path);
  }
  PathPlan plan = std::move(builder).build();
  if (const auto sound = plan.check(topology.with_links_down({})); !sound) {
    return tl::unexpected<Error>{sound.error()};
  }
  return plan;
}

std::string plan_digest(const Topology& topology, const PathPlan& plan) {
  Digest digest;
  digest.add(std::uint64_t{plan.demand_count()});
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    digest.add(std::uint64_t{demand.cls.index()});
    digest.add(topology.node(demand.from).name);
    digest.add(topology.node(demand.to).name);
    digest.add(std::uint64_t{plan.path_count(d)});
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      digest.add(fraction);
      digest.add(std::uint64_t{links.size()});
      for (const LinkId link : links) digest.add(topology.link(link).name);
    }
  }
  return digest.hex();
}

}  // namespace wan::controller
