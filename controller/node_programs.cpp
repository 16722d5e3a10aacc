#include "controller/node_programs.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "controller/igp_table.h"
#include "controller/repair_paths.h"
#include "controller/segment_lists.h"
#include "core/digest.h"
#include "core/shortest_paths.h"

namespace wan::controller {
namespace {

/// Makes the programs of all nodes, one after the other.
class ProgramWriter {
 public:
  ProgramWriter(const SegmentLayout& layout, std::span<const ClassPolicy> classes)
      : layout_{layout}, topology_{layout.topology()}, igp_{topology_}, trees_around_(topology_.link_count()) {
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (!classes[c].dscps.empty()) rules_.push_back({.cls = TrafficClass{c}, .dscps = classes[c].dscps});
    }
    for (std::size_t n = 0; n < topology_.node_count(); ++n) {
      for (const IpPrefix& prefix : layout.plane().nodes[n].prefixes) {
        prefixes_.push_back({.prefix = prefix, .node = topology_.nodes()[n].name});
      }
    }
    std::sort(prefixes_.begin(), prefixes_.end(),
              [](const PrefixOwner& a, const PrefixOwner& b) { return a.prefix < b.prefix; });
  }

  /// All but the demands.
  NodeProgram program_of(NodeId node, std::uint64_t epoch, const std::string& digest);
  void add_demand(const PathPlan& plan, std::size_t d, NodeProgram& program);
  /// Gives back the memory that only the programs of this node needed.
  void done_with(NodeId node) {
    for (const LinkId link : layout_.links_leaving(node)) trees_around_[link.index()].reset();
  }

  std::vector<std::string> take_problems() && { return std::move(problems_); }

 private:
  struct Way {
    double fraction;
    std::span<const LinkId> links;
  };

  std::optional<SidRoute> route(NodeId from, NodeId to);
  /// The cheapest path from a link's near end with the link down, and what goes down with it. Empty: none.
  std::vector<LinkId> path_around(LinkId link, NodeId to);
  [[nodiscard]] ProgrammedPath without_segments(const Way& way) const;
  /// The ways that can be written, their fractions scaled to sum to 1; the others are taken from `ways` and named.
  std::vector<ProgrammedPath> programmed(std::vector<Way>& ways, const std::string& which);
  /// For one port of the node: what is left of the demand's paths without it, else the cheapest way around it.
  std::optional<ProgrammedBackup> backup(const Demand& demand, std::span<const ProgrammedPath> paths, LinkId failed);
  [[nodiscard]] std::string name_of(const Demand& demand) const;
  [[nodiscard]] const std::string& port(LinkId link) const { return layout_.plane().ports[link.index()]; }

  const SegmentLayout& layout_;
  const Topology& topology_;
  IgpTable igp_;
  std::vector<std::optional<ShortestPathTree>> trees_around_;  // by failed link; none until asked for
  std::vector<ClassRule> rules_;
  std::vector<PrefixOwner> prefixes_;
  std::vector<std::string> problems_;
};

std::string ProgramWriter::name_of(const Demand& demand) const {
  std::string name = topology_.node(demand.from).name;
  name.append(" > ").append(topology_.node(demand.to).name);
  return name.append(", class ").append(std::to_string(demand.cls.index()));
}

std::vector<LinkId> ProgramWriter::path_around(LinkId link, NodeId to) {
  auto& tree = trees_around_[link.index()];
  if (!tree) tree = tree_without(topology_, topology_.link(link).from, failing_with(layout_, link));
  return tree->reaches(to) ? tree->path_to(topology_, to) : std::vector<LinkId>{};
}

std::optional<SidRoute> ProgramWriter::route(NodeId from, NodeId to) {
  const auto link = igp_.next(from, to);
  if (!link) return std::nullopt;
  SidRoute route{.locator = layout_.plane().nodes[to.index()].locator, .port = port(*link), .repair = {}};
  const auto failed = failing_with(layout_, *link);
  auto repair = repair_path(layout_, igp_, to, failed, path_around(*link, to));
  if (repair) route.repair = {.port = port(repair->first), .segments = std::move(repair->segments)};
  return route;
}

NodeProgram ProgramWriter::program_of(NodeId node, std::uint64_t epoch, const std::string& digest) {
  NodeProgram program{.epoch = epoch,
                      .digest = digest,
                      .classes = rules_,
                      .egresses = {},
                      .prefixes = prefixes_,
                      .routes = {},
                      .adjacencies = {},
                      .demands = {}};
  for (std::size_t n = 0; n < topology_.node_count(); ++n) {
    const NodeId other{n};
    if (other == node) continue;
    if (layout_.managed(other)) program.egresses.push_back({topology_.node(other).name, layout_.end_dt46(other)});
    if (auto found = route(node, other)) program.routes.push_back(*std::move(found));
  }
  for (const LinkId link : layout_.links_leaving(node)) {
    program.adjacencies.push_back({.sid = layout_.end_x(link), .port = port(link)});
  }
  return program;
}

/// A way as its ingress node knows it, but for the segments.
ProgrammedPath ProgramWriter::without_segments(const Way& way) const {
  ProgrammedPath path{.id = 0, .fraction = way.fraction, .port = port(way.links[0]), .segments = {}, .links = {}};
  Digest id;
  for (const LinkId link : way.links) {
    path.links.push_back(topology_.link(link).name);
    id.add(path.links.back());
  }
  path.id = id.value();
  return path;
}

std::vector<ProgrammedPath> ProgramWriter::programmed(std::vector<Way>& ways, const std::string& which) {
  std::vector<ProgrammedPath> paths;
  double sum = 0.0;
  std::erase_if(ways, [&](const Way& way) {
    auto segments = segment_list(layout_, igp_, way.links);
    ProgrammedPath path = without_segments(way);
    if (!segments) {
      std::string problem = which;
      problem.append(": the path");
      for (const std::string& name : path.links) problem.append(" ").append(name);
      problems_.push_back(problem.append(" cannot be written as segments: ").append(segments.error().message));
      return true;
    }
    path.segments = *std::move(segments);
    sum += way.fraction;
    paths.push_back(std::move(path));
    return false;
  });
  if (std::abs(sum - 1.0) <= 1e-9) return paths;
  for (ProgrammedPath& path : paths) path.fraction /= sum;
  return paths;
}

std::optional<ProgrammedBackup> ProgramWriter::backup(const Demand& demand, std::span<const ProgrammedPath> paths,
                                                      LinkId failed) {
  ProgrammedBackup backup{.failed_port = port(failed), .paths = {}};
  double sum = 0.0;
  for (const ProgrammedPath& path : paths) {
    if (path.port == backup.failed_port) continue;
    backup.paths.push_back(path);
    sum += path.fraction;
  }
  for (ProgrammedPath& path : backup.paths) path.fraction /= sum;
  if (!backup.paths.empty()) return backup;

  const auto around = path_around(failed, demand.to);
  if (around.empty()) return std::nullopt;  // nothing else leads there
  auto segments = segment_list(layout_, igp_, around);
  if (!segments) {
    if (auto other = detour(layout_, igp_, failing_with(layout_, failed), around)) segments = *std::move(other);
  }
  if (!segments) {
    problems_.push_back(name_of(demand) + ": no backup for port " + backup.failed_port + ": " +
                        segments.error().message);
    return std::nullopt;
  }
  backup.paths.push_back(without_segments({.fraction = 1.0, .links = around}));
  backup.paths[0].segments = *std::move(segments);
  return backup;
}

void ProgramWriter::add_demand(const PathPlan& plan, std::size_t d, NodeProgram& program) {
  const Demand& demand = plan.demands()[d];
  std::vector<Way> ways;
  for (std::size_t p = 0; p < plan.path_count(d); ++p) {
    const auto [fraction, links] = plan.path(d, p);
    ways.push_back({fraction, links});
  }
  ProgrammedDemand programmed_demand{.cls = demand.cls,
                                     .destination = topology_.node(demand.to).name,
                                     .paths = programmed(ways, name_of(demand)),
                                     .backups = {}};
  if (ways.empty()) {
    problems_.push_back(name_of(demand) + ": takes the IGP's way");
    return;
  }
  std::vector<LinkId> first_links;
  for (const Way& way : ways) first_links.push_back(way.links[0]);
  std::sort(first_links.begin(), first_links.end());
  first_links.erase(std::unique(first_links.begin(), first_links.end()), first_links.end());
  for (const LinkId link : first_links) {
    auto found = backup(demand, programmed_demand.paths, link);
    if (found) programmed_demand.backups.push_back(*std::move(found));
  }
  program.demands.push_back(std::move(programmed_demand));
}

}  // namespace

Result<NodePrograms> node_programs(const Topology& topology, const ForwardingPlane& plane, const PathPlan& plan,
                                   std::span<const ClassPolicy> classes, std::uint64_t epoch,
                                   const std::string& digest) {
  const auto layout = SegmentLayout::make(topology, plane);
  if (!layout) return tl::unexpected<Error>{layout.error()};
  if (const auto sound = plan.check(topology); !sound) return tl::unexpected<Error>{sound.error()};

  ProgramWriter writer{*layout, classes};
  NodePrograms programs;
  programs.by_node.resize(topology.node_count());
  std::vector<std::vector<std::size_t>> demands_from(topology.node_count());
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    const Demand& demand = plan.demands()[d];
    if (layout->managed(demand.to)) demands_from[demand.from.index()].push_back(d);
  }
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    const NodeId node{n};
    if (!layout->managed(node)) continue;
    programs.by_node[n] = writer.program_of(node, epoch, digest);
    for (const std::size_t d : demands_from[n]) writer.add_demand(plan, d, programs.by_node[n]);
    std::ranges::sort(programs.by_node[n].demands, {}, [](const ProgrammedDemand& demand) {
      return std::pair<TrafficClass, std::string_view>{demand.cls, demand.destination};
    });  // by name, as the bus asks, whatever the nodes' ids
    writer.done_with(node);
  }
  programs.problems = std::move(writer).take_problems();
  return programs;
}

}  // namespace wan::controller
