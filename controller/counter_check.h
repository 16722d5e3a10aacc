#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::controller {

/// Whether a measured traffic matrix and the links' own counters tell the same story.
///
/// The matrix is counted where traffic enters, link loads where it is sent: two independent measurements that a broken
/// or forged one of them cannot keep in step. The matrix, laid along the plan in force, must be found on the links,
/// between what surely arrives (drops upstream thin it) and what could, with room for headers that encapsulation adds.
///
/// Threads: one owner. It learns how much encapsulation adds from the intervals that agree.
class CounterCheck {
 public:
  struct Options {
    double tolerance = 0.25;    ///< part by which a link may differ
    double floor_share = 0.01;  ///< of a link's capacity: differences below it are noise
  };
  CounterCheck() : CounterCheck{Options{}} {}
  explicit CounterCheck(const Options& options) : options_{options} {}

  struct Counters {
    std::span<const BitRate> rates;        ///< by link
    std::span<const std::uint64_t> drops;  ///< by link
    const std::vector<bool>& known;        ///< by link
  };

  /// @return  nothing when they agree; else one link that does not, for the operator. Without one known link they
  ///          cannot agree.
  [[nodiscard]] std::optional<std::string> disagreement(const Topology& topology, const PathPlan& in_force,
                                                        const TrafficMatrix& matrix, const Counters& counters);

 private:
  Options options_;
  double overhead_ = 1.0;  // frame bytes on a link for each byte that entered
};

}  // namespace wan::controller
