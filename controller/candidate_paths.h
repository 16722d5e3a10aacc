#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/path_plan.h"

namespace wan::controller {

/// One demand with the paths among which the scenario planner splits it, in flat arrays.
struct CandidatePaths {
  Demand demand;
  std::vector<std::uint32_t> first{0};  ///< path -> first of its links; one more than paths
  std::vector<std::uint32_t> links;
  std::vector<double> delay;        ///< by path, seconds
  std::vector<double> delay_price;  ///< by path
  std::vector<double> share;        ///< by path
  std::vector<double> anchor;       ///< by path: its share in the plan in force
  std::vector<double> free;         ///< by path: its share in the newest plan to which change was free
  std::vector<std::vector<double>>
      alone;                  ///< by priority level, path: its share in the newest plan for levels down to it
  double change_price = 0.0;  ///< of moving all of it away from that plan
  std::vector<int> idle;      ///< by path: decisions since it last carried anything

  [[nodiscard]] std::size_t size() const { return share.size(); }
  [[nodiscard]] std::span<const std::uint32_t> path(std::size_t p) const {
    return std::span{links}.subspan(first[p], first[p + 1] - first[p]);
  }
  /// Position of a path; `size()` if there is none such.
  [[nodiscard]] std::size_t find(std::span<const std::uint32_t> wanted) const;
  /// With no share.
  void add(std::span<const std::uint32_t> path_links, double path_delay);
  void remove(std::size_t p);
  /// Takes the shares of an earlier plan; false when too little of them is on paths still held to be a start.
  bool start_from(std::span<const double> earlier);
};

}  // namespace wan::controller
