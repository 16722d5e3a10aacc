#include "core/topology.h"

#include <cmath>
#include <unordered_set>
#include <utility>

#include "core/digest.h"

namespace wan {
namespace {

std::optional<Error> first_fault(const std::vector<Node>& nodes, const std::vector<Link>& links) {
  const auto bad = [](std::string message) { return Error{ErrorCode::kBadInput, std::move(message)}; };
  if (nodes.empty()) return bad("a topology needs at least one node");

  std::unordered_set<std::string_view> names;
  for (const Node& node : nodes) {
    if (!names.insert(node.name).second) return bad("node name \"" + node.name + "\" is used twice");
  }
  names.clear();
  for (const Link& link : links) {
    const std::string which = "link \"" + link.name + "\"";
    if (!names.insert(link.name).second) return bad(which + " appears twice");
    if (link.from.index() >= nodes.size() || link.to.index() >= nodes.size()) {
      return bad(which + " ends at a node that does not exist");
    }
    if (link.from == link.to) return bad(which + " leads from a node to itself");
    if (!std::isfinite(link.capacity.bps()) || link.capacity.bps() <= 0.0) {
      return bad(which + " needs a capacity above zero");
    }
    if (!std::isfinite(link.weight) || link.weight <= 0.0) return bad(which + " needs a weight above zero");
    if (link.delay < Duration{0}) return bad(which + " has a negative delay");
  }
  return std::nullopt;
}

}  // namespace

Result<Topology> Topology::make(std::vector<Node> nodes, std::vector<Link> links) {
  if (auto fault = first_fault(nodes, links)) return tl::unexpected<Error>{*std::move(fault)};
  Topology topology;
  topology.nodes_ = std::move(nodes);
  topology.links_ = std::move(links);
  topology.index_adjacency();
  return topology;
}

void Topology::index_adjacency() {
  const auto group_by = [this](auto end_of, std::vector<LinkId>& grouped, std::vector<std::size_t>& first) {
    first.assign(nodes_.size() + 1, 0);
    for (const Link& link : links_) {
      if (link.up) ++first[end_of(link).index() + 1];
    }
    for (std::size_t n = 0; n < nodes_.size(); ++n) first[n + 1] += first[n];
    grouped.assign(first.back(), LinkId{});
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (links_[l].up) grouped[next[end_of(links_[l]).index()]++] = LinkId{l};
    }
  };
  group_by([](const Link& link) { return link.from; }, out_links_, out_first_);
  group_by([](const Link& link) { return link.to; }, in_links_, in_first_);
}

std::span<const LinkId> Topology::out_links(NodeId id) const {
  const std::size_t n = id.index();
  return std::span{out_links_}.subspan(out_first_[n], out_first_[n + 1] - out_first_[n]);
}

std::span<const LinkId> Topology::in_links(NodeId id) const {
  const std::size_t n = id.index();
  return std::span{in_links_}.subspan(in_first_[n], in_first_[n + 1] - in_first_[n]);
}

std::optional<NodeId> Topology::find_node(std::string_view name) const {
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].name == name) return NodeId{n};
  }
  return std::nullopt;
}

std::optional<LinkId> Topology::find_link(std::string_view name) const {
  for (std::size_t l = 0; l < links_.size(); ++l) {
    if (links_[l].name == name) return LinkId{l};
  }
  return std::nullopt;
}

std::vector<LinkId> Topology::links_between(NodeId from, NodeId to) const {
  std::vector<LinkId> found;
  for (std::size_t l = 0; l < links_.size(); ++l) {
    if (links_[l].from == from && links_[l].to == to) found.push_back(LinkId{l});
  }
  return found;
}

Topology Topology::with_links_down(std::span<const LinkId> down) const {
  Topology changed = *this;
  for (Link& link : changed.links_) link.up = true;
  for (const LinkId id : down) changed.links_[id.index()].up = false;
  changed.index_adjacency();
  return changed;
}

std::string Topology::digest() const {
  Digest digest;
  for (const Node& node : nodes_) digest.add(node.name);
  for (const Link& link : links_) {
    digest.add(std::uint64_t{link.from.index()});
    digest.add(std::uint64_t{link.to.index()});
    digest.add(link.capacity.bps());
    digest.add(static_cast<std::uint64_t>(link.delay.count()));
    digest.add(link.weight);
  }
  return digest.hex();
}

}  // namespace wan
