#include "controller/failure_set.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace wan::controller {
namespace {

/// By link: its other direction, if it has one.
std::vector<std::optional<LinkId>> other_directions(const Topology& topology) {
  std::map<std::pair<NodeId, NodeId>, std::vector<LinkId>> between;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    between[{link.from, link.to}].push_back(LinkId{l});
  }
  std::vector<std::optional<LinkId>> other(topology.link_count());
  for (const auto& [ends, forward] : between) {
    const auto backward = between.find({ends.second, ends.first});
    if (backward == between.end()) continue;
    for (std::size_t k = 0; k < std::min(forward.size(), backward->second.size()); ++k) {
      other[forward[k].index()] = backward->second[k];
    }
  }
  return other;
}

/// The links of a flag array that are up, in order.
std::vector<LinkId> flagged(const Topology& topology, const std::vector<bool>& hit) {
  std::vector<LinkId> down;
  for (std::size_t l = 0; l < hit.size(); ++l) {
    if (hit[l] && topology.links()[l].up) down.push_back(LinkId{l});
  }
  return down;
}

/// "A>B#2" becomes "A<>B#2".
std::string both_ways(const Topology& topology, const Link& link) {
  const std::string one_way = topology.node(link.from).name + ">" + topology.node(link.to).name;
  const std::string both = topology.node(link.from).name + "<>" + topology.node(link.to).name;
  return link.name.starts_with(one_way) ? both + link.name.substr(one_way.size()) : both + " (" + link.name + ")";
}

}  // namespace

std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::kLink:
      return "link";
    case FailureKind::kSrlg:
      return "srlg";
    case FailureKind::kNode:
      return "node";
  }
  return "link";
}

std::vector<Failure> link_failures(const Topology& topology) {
  const auto other = other_directions(topology);
  std::vector<Failure> failures;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    const bool has_partner = other[l].has_value() && topology.link(*other[l]).up;
    if (!link.up || (has_partner && other[l]->index() < l)) continue;
    if (has_partner) {
      failures.push_back({FailureKind::kLink, both_ways(topology, link), {LinkId{l}, *other[l]}});
    } else {
      failures.push_back({FailureKind::kLink, link.name, {LinkId{l}}});
    }
  }
  return failures;
}

std::vector<Failure> node_failures(const Topology& topology) {
  std::vector<Failure> failures;
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    std::vector<bool> hit(topology.link_count(), false);
    for (const LinkId link : topology.out_links(NodeId{n})) hit[link.index()] = true;
    for (const LinkId link : topology.in_links(NodeId{n})) hit[link.index()] = true;
    auto down = flagged(topology, hit);
    if (!down.empty()) failures.push_back({FailureKind::kNode, topology.nodes()[n].name, std::move(down)});
  }
  return failures;
}

std::vector<Failure> srlg_failures(const Topology& topology, std::span<const std::string> names) {
  const auto other = other_directions(topology);
  std::map<SrlgId, std::vector<bool>> groups;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    for (const SrlgId group : topology.links()[l].srlgs) {
      auto& hit = groups.try_emplace(group, topology.link_count(), false).first->second;
      hit[l] = true;
      if (other[l]) hit[other[l]->index()] = true;
    }
  }
  std::vector<Failure> failures;
  for (const auto& [group, hit] : groups) {
    auto down = flagged(topology, hit);
    if (down.empty()) continue;
    const bool named = group.index() < names.size();
    failures.push_back(
        {FailureKind::kSrlg, named ? names[group.index()] : "srlg " + std::to_string(group.index()), std::move(down)});
  }
  return failures;
}

Topology after_failure(const Topology& topology, const Failure& failure) {
  std::vector<LinkId> down = failure.down;
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    if (!topology.links()[l].up) down.push_back(LinkId{l});
  }
  return topology.with_links_down(down);
}

}  // namespace wan::controller
