#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/units.h"

namespace wan {

/// Where a node stands, in degrees.
struct GeoPoint {
  double latitude = 0.0;
  double longitude = 0.0;
  bool operator==(const GeoPoint&) const = default;
};

struct Node {
  std::string name;  ///< unique in its topology
  std::optional<GeoPoint> location;
  bool operator==(const Node&) const = default;
};

/// One direction of a link between two nodes. Parallel links are separate links.
struct Link {
  std::string name;  ///< unique in its topology; names the link in reports
  NodeId from;
  NodeId to;
  BitRate capacity;     ///< above zero
  Duration delay{0};    ///< propagation only
  double weight = 1.0;  ///< IGP metric, above zero
  std::vector<SrlgId> srlgs;
  bool up = true;
  bool operator==(const Link&) const = default;
};

/// A directed network with parallel links. Immutable: a failure gives a new value with the same ids.
///
/// Threads: any number of readers.
class Topology {
 public:
  Topology() = default;

  /// @error kBadInput: no node; a repeated node or link name; an end that does not exist; a link from a node to itself;
  ///        a capacity or weight that is not finite and above zero; a negative delay
  [[nodiscard]] static Result<Topology> make(std::vector<Node> nodes, std::vector<Link> links);

  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  [[nodiscard]] std::size_t link_count() const { return links_.size(); }
  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }
  [[nodiscard]] std::span<const Link> links() const { return links_; }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id.index()]; }
  [[nodiscard]] const Link& link(LinkId id) const { return links_[id.index()]; }

  /// Links that leave / enter a node and are up, in the order of their ids.
  [[nodiscard]] std::span<const LinkId> out_links(NodeId id) const;
  [[nodiscard]] std::span<const LinkId> in_links(NodeId id) const;

  [[nodiscard]] std::optional<NodeId> find_node(std::string_view name) const;
  [[nodiscard]] std::optional<LinkId> find_link(std::string_view name) const;
  /// All links, up or down, from one node to another, in the order of their ids.
  [[nodiscard]] std::vector<LinkId> links_between(NodeId from, NodeId to) const;

  /// The same network with exactly these links down and all others up.
  [[nodiscard]] Topology with_links_down(std::span<const LinkId> down) const;

  /// 16 hexadecimal digits over names, ends, capacities, delays and weights: equal networks, equal digest.
  [[nodiscard]] std::string digest() const;

 private:
  void index_adjacency();

  std::vector<Node> nodes_;
  std::vector<Link> links_;
  std::vector<LinkId> out_links_, in_links_;       // grouped by node
  std::vector<std::size_t> out_first_, in_first_;  // node -> first of its group; node_count + 1 entries
};

}  // namespace wan
