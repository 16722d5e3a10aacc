#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/plan_constraints.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// What demands share that may be one row: the importance of their traffic, and which paths they may take.
struct RowGroup {
  std::size_t level = 0;  ///< position among the priority levels, most important first
  PathRule rule{};
  bool fixed = false;  ///< stays on the one path that it has
  bool operator==(const RowGroup&) const = default;
};

/// Which group each demand of a plan is of.
struct DemandGroups {
  std::vector<RowGroup> groups{RowGroup{}};
  std::vector<std::uint32_t> of_demand{};  ///< by demand of the plan; empty: all are of the first
  bool merged = true;  ///< false: every demand is a row of its own, so that those split alike may part
};

/// A plan taken apart so that its splits and paths can be changed: demands of one pair and one group with equal splits
/// are one row, where wanted.
///
/// Links of paths lie in one array that only grows; what is no longer used stays there.
/// Threads: one owner. Memory: what the plan takes, and what is added.
class SplitRows {
 public:
  struct Choice {
    std::uint32_t first;  ///< of its links
    std::uint32_t count;
    double share;
  };
  struct Row {
    NodeId from;
    NodeId to;
    std::uint32_t group = 0;
    std::size_t level = 0;  ///< the group's
    double rate_bps = 0.0;  ///< of all its demands together
    std::vector<Choice> choices{};
  };

  /// @param demand  of the plan's network; what it does not have counts as zero
  SplitRows(const Topology& topology, const PathPlan& plan, const TrafficMatrix& demand, DemandGroups groups = {});

  [[nodiscard]] std::span<const RowGroup> groups() const { return groups_.groups; }
  [[nodiscard]] const RowGroup& group(const Row& row) const { return groups_.groups[row.group]; }
  [[nodiscard]] std::span<Row> rows() { return rows_; }
  [[nodiscard]] std::span<const Row> rows() const { return rows_; }
  [[nodiscard]] std::span<const std::uint32_t> links(const Choice& choice) const {
    return std::span{links_}.subspan(choice.first, choice.count);
  }
  /// Adds a choice with share 0; it is the row's last one.
  void add(Row& row, std::span<const std::uint32_t> path);
  /// Whether the row has this path.
  [[nodiscard]] bool has(const Row& row, std::span<const std::uint32_t> path) const;

  /// The plan's first demand that the row holds.
  [[nodiscard]] const Demand& first_demand(std::size_t row) const;

  /// By the traffic of each level and of those above: [level][link].
  [[nodiscard]] std::vector<double> loads_bps(std::size_t link_count, std::size_t level_count) const;
  /// The plan with the rows as they are now; same demands in the same order.
  [[nodiscard]] PathPlan to_plan() const;

 private:
  [[nodiscard]] bool same_split(const Row& row, const PathPlan& plan, std::size_t demand) const;

  DemandGroups groups_;
  std::vector<Demand> demands_;
  std::vector<std::uint32_t> row_of_;  // by demand
  std::vector<Row> rows_;
  std::vector<std::uint32_t> links_;
};

}  // namespace wan::controller
