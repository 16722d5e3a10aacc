#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan {

/// What is routed: the traffic of one class from one node to another.
struct Demand {
  TrafficClass cls;
  NodeId from;
  NodeId to;
  friend constexpr auto operator<=>(const Demand&, const Demand&) = default;
};

/// One way a demand may take: links in travel order, and the share of the demand that takes it.
struct WeightedPath {
  double fraction = 0.0;
  std::span<const LinkId> links;
};

/// How every demand is split over paths.
///
/// Demands stand in increasing order (class, source, destination), each with at least one path; fractions are above
/// zero and sum to 1 within 1e-9; a path is a chain of links from source to destination that meets no node twice. Held
/// in flat arrays: a network of 754 nodes has over half a million demands.
///
/// Threads: any number of readers.
class PathPlan {
 public:
  [[nodiscard]] std::size_t demand_count() const { return demands_.size(); }
  [[nodiscard]] std::span<const Demand> demands() const { return demands_; }
  [[nodiscard]] std::size_t path_count() const { return fractions_.size(); }
  [[nodiscard]] std::size_t path_count(std::size_t demand) const {
    return first_path_[demand + 1] - first_path_[demand];
  }
  /// Path number `nth` of demand number `demand`.
  [[nodiscard]] WeightedPath path(std::size_t demand, std::size_t nth) const;
  /// The position of a demand, if the plan routes it.
  [[nodiscard]] std::optional<std::size_t> find(const Demand& demand) const;

  /// @error kBadInput: names the first demand that breaks what the class promises, or uses a link that is down
  [[nodiscard]] Result<void> check(const Topology& topology) const;

  bool operator==(const PathPlan&) const = default;

 private:
  friend class PathPlanBuilder;
  std::vector<Demand> demands_;
  std::vector<std::uint32_t> first_path_{0};  // demand -> its first path; one entry more than demands
  std::vector<double> fractions_;             // by path
  std::vector<std::uint32_t> first_link_{0};  // path -> its first link; one entry more than paths
  std::vector<LinkId> links_;
};

/// Collects a plan, demand by demand in increasing order.
class PathPlanBuilder {
 public:
  PathPlanBuilder() = default;
  /// A builder that takes paths and fractions as they are, for a reader that has checked them: nothing is merged or
  /// scaled.
  [[nodiscard]] static PathPlanBuilder keeping_fractions();
  /// Makes room at once for a plan of this size; a plan may grow beyond it.
  void reserve(std::size_t demands, std::size_t paths, std::size_t links);
  void begin_demand(const Demand& demand);
  /// Paths of fraction zero are left out; a path that the demand already has gets the fraction added.
  void add_path(double fraction, std::span<const LinkId> links);
  /// Scales each demand's fractions to sum to 1 and hands the plan over. Demands without a path are left out.
  [[nodiscard]] PathPlan build() &&;

 private:
  void close_demand();
  [[nodiscard]] bool merge_into_equal_path(double fraction, std::span<const LinkId> links);
  PathPlan plan_;
  bool keeps_fractions_ = false;
};

/// A proof of how good a plan is: no plan can be better than `lower_bound`.
///
/// For any prices w >= 0 on links, sum over demands of (demand x cheapest path) / sum over links of (w x capacity)
/// bounds the utilisation of every plan from below (LP duality); `duals` holds the prices that give this bound.
struct Certificate {
  double utilization = 0.0;   ///< largest load / capacity under the plan
  double lower_bound = 0.0;   ///< of the largest utilisation under any plan
  std::vector<double> duals;  ///< by link, in 1/bit/s; scale does not matter

  /// How far the plan may be from the best one, as a fraction of the bound; infinite without a bound.
  [[nodiscard]] double gap() const;
  bool operator==(const Certificate&) const = default;
};

}  // namespace wan
