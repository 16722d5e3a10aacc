#pragma once

#include <cstdint>
#include <vector>

#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::test {

/// Five-minute traffic of a network of five nodes that rises and falls with the day, each pair with a level and noise
/// of its own. Any row can be asked for by number; equal seeds give equal rows.
class DayTraffic {
 public:
  static constexpr std::size_t kNodes = 5;
  static constexpr std::size_t kRowsADay = 288;
  static constexpr Duration kInterval = std::chrono::seconds{300};

  /// @param noise  standard deviation of the logarithm of every reading
  /// @param scale  of all rates; at 1 the network below is well filled at noon
  explicit DayTraffic(std::uint64_t seed, double noise = 0.2, double scale = 1.0);

  /// A ring with one chord; 1 Gbit/s each way.
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] TrafficMatrix at(std::size_t row) const;
  [[nodiscard]] std::vector<TrafficMatrix> days(std::size_t first_row, std::size_t count) const;
  /// When row number `row` has been measured: a decision is due.
  [[nodiscard]] static Timestamp due(std::size_t row);

 private:
  std::uint64_t seed_;
  double noise_;
  Topology topology_;
  std::vector<double> level_bps_;  // by pair
  std::vector<double> peak_row_;   // by pair: when its day is highest
};

/// The same traffic, half of it in each of two classes.
[[nodiscard]] TrafficMatrix two_classes(const TrafficMatrix& matrix);

}  // namespace wan::test
