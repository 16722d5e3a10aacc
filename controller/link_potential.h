#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/topology.h"

namespace wan::controller {

/// Utilisation of every link in every column and the potential sum exp(eta (utilisation - shift)), whose logarithm over
/// eta is a soft maximum: the state of a pairwise descent, kept in step move by move.
///
/// A column holds the traffic of one priority level and of all levels above: what a demand of level i moves counts in
/// the columns from i on. Each column is counted in a unit of its own; one that is left out costs nothing.
/// Threads: one owner.
class LinkPotential {
 public:
  explicit LinkPotential(const Topology& topology, std::size_t column_count = 1);

  [[nodiscard]] std::size_t column_count() const { return highest_of_.size(); }
  /// Column j is counted in units of 1 / scale[j], 0: not at all. At first all are counted as they are. `set` follows.
  void set_scale(std::span<const double> scale);
  /// Sets all loads, [column][link] in bits per second, and the sharpness: eta = sharpness / largest utilisation.
  void set(std::span<const double> load_bps, double sharpness);

  [[nodiscard]] double max_utilization() const { return highest_; }  ///< in its column's unit, when last set
  /// Of a column, not scaled, whether it counts or not, when last set.
  [[nodiscard]] double column_utilization(std::size_t column) const { return highest_of_[column]; }
  /// In its column's unit.
  [[nodiscard]] double utilization(std::size_t column, std::size_t link) const {
    return utilization_[column * link_count() + link];
  }
  [[nodiscard]] double eta() const { return eta_; }
  [[nodiscard]] double potential() const { return sum_; }

  /// What one more bit per second of a level on links adds to the soft maximum. Sums to at most 1 a column, each times
  /// its capacity and in the column's unit.
  [[nodiscard]] double price(std::size_t level, std::uint32_t link) const { return price(level, std::span{&link, 1}); }
  [[nodiscard]] double price(std::size_t level, std::span<const std::uint32_t> links) const;

  /// So much load of a level that leaves one path for another.
  struct Move {
    std::size_t level = 0;
    std::span<const std::uint32_t> from;
    std::span<const std::uint32_t> to;
  };
  void move(const Move& move, double bps);
  /// The potential after that move.
  [[nodiscard]] double potential_after(const Move& move, double bps);
  /// How much load, at most `bps_max`, is best moved so, for the lowest potential; never raises it.
  [[nodiscard]] double best_move(const Move& move, double bps_max);

 private:
  struct Touched {
    std::size_t entry;
    double change;  ///< of utilisation, by bit per second moved
  };
  [[nodiscard]] std::size_t link_count() const { return inverse_capacity_.size(); }
  struct Slopes {
    double first;
    double second;
  };
  void touch(const Move& move);
  void touch(std::size_t level, std::uint32_t link, double sign);
  [[nodiscard]] Slopes slopes(double bps) const;

  std::vector<double> inverse_capacity_;           // by link; 0 for one that is down
  std::vector<double> weight_;                     // [column][link]: inverse capacity in the column's unit
  std::vector<double> utilization_, exponential_;  // likewise
  std::vector<double> highest_of_;                 // by column
  std::size_t columns_end_ = 1;                    // those from here on do not count
  std::vector<std::uint32_t> mark_;                // by link: which of two paths has it
  std::vector<Touched> touched_;                   // of the move looked at
  double eta_ = 1.0, shift_ = 0.0, sum_ = 0.0, highest_ = 0.0;
};

}  // namespace wan::controller
