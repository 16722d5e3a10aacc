#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/topology.h"

namespace wan::controller {

/// Utilisation of every link and the potential sum exp(eta (utilisation - shift)), whose logarithm over eta is a soft
/// maximum: the state of a pairwise descent, kept in step move by move.
///
/// Threads: one owner.
class LinkPotential {
 public:
  explicit LinkPotential(const Topology& topology);

  /// Sets all loads, in bits per second, and the sharpness: eta = sharpness / largest utilisation.
  void set(std::span<const double> load_bps, double sharpness);

  [[nodiscard]] double max_utilization() const { return highest_; }  ///< when last set
  [[nodiscard]] double utilization(std::uint32_t link) const { return utilization_[link]; }
  [[nodiscard]] double eta() const { return eta_; }
  [[nodiscard]] double potential() const { return sum_; }

  /// What one more bit per second on a link adds to the soft maximum. Sums to at most 1, each times its capacity.
  [[nodiscard]] double price(std::uint32_t link) const { return exponential_[link] * inverse_capacity_[link] / sum_; }
  [[nodiscard]] double price(std::span<const std::uint32_t> links) const;

  /// Moves so much load from one path to another.
  void move(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to, double bps);
  /// The potential after that move.
  [[nodiscard]] double potential_after(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                                       double bps);
  /// How much load, at most `bps_max`, is best moved so, for the lowest potential; never raises it.
  [[nodiscard]] double best_move(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                                 double bps_max);

 private:
  struct Touched {
    std::uint32_t link;
    double change;  ///< of utilisation, by bit per second moved
  };
  struct Slopes {
    double first;
    double second;
  };
  void touch(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to);
  [[nodiscard]] Slopes slopes(double bps) const;

  std::vector<double> inverse_capacity_;  // by link; 0 for one that is down
  std::vector<double> utilization_, exponential_;
  std::vector<std::uint32_t> mark_;  // by link: which of two paths has it
  std::vector<Touched> touched_;     // of the move looked at
  double eta_ = 1.0, shift_ = 0.0, sum_ = 0.0, highest_ = 0.0;
};

}  // namespace wan::controller
