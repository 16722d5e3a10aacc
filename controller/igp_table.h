#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/ids.h"
#include "core/topology.h"

namespace wan::controller {

/// How the IGP reaches each node from every other one: cheapest paths by link weight over the links that are up.
///
/// Costs within one part in 10^9 count as equal: what an operator gave equal weights stays equal whatever the order of
/// adding. Each target's column is made when first asked for, O(L log N); a full table holds 12 bytes a pair.
/// Threads: one owner.
class IgpTable {
 public:
  /// `topology` outlives the table.
  explicit IgpTable(const Topology& topology) : topology_{topology}, columns_(topology.node_count()) {}

  /// Infinite where there is no way.
  [[nodiscard]] double cost(NodeId from, NodeId to) { return column(to).cost[from.index()]; }
  [[nodiscard]] bool reaches(NodeId from, NodeId to);
  /// The link that a cheapest path leaves through: of several the one with the lowest id. Nothing at the target itself
  /// and where there is no way.
  [[nodiscard]] std::optional<LinkId> next(NodeId from, NodeId to);
  /// Whether there is exactly one cheapest path; true at the target itself.
  [[nodiscard]] bool unique(NodeId from, NodeId to);
  /// Whether some cheapest path uses this link.
  [[nodiscard]] bool may_cross(NodeId from, NodeId to, LinkId link);

 private:
  struct Column {
    std::vector<double> cost;         // by node
    std::vector<std::uint32_t> next;  // by node: link index, kShared added when there are several cheapest paths
  };
  const Column& column(NodeId to);
  void search_costs(NodeId to, Column& column) const;
  void choose_links(NodeId to, Column& column) const;

  const Topology& topology_;
  std::vector<Column> columns_;  // by target; empty until asked for
};

/// Equal to a cost that is at most this one, but for rounding.
[[nodiscard]] inline bool as_cheap(double candidate, double best) { return candidate <= best * (1.0 + 1e-9); }

}  // namespace wan::controller
