#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/traffic_matrix.h"

namespace wan::models {

/// The entries of a traffic matrix that a model forecasts: all but the diagonal, class by class, row by row.
class PairIndex {
 public:
  PairIndex(std::size_t node_count, std::size_t class_count);

  [[nodiscard]] std::size_t size() const { return position_.size(); }
  [[nodiscard]] std::size_t node_count() const { return node_count_; }
  [[nodiscard]] std::size_t class_count() const { return class_count_; }
  /// Where a pair stands in `TrafficMatrix::bps`.
  [[nodiscard]] std::size_t position(std::size_t pair) const { return position_[pair]; }
  /// [class * nodes + node] of the pair's source and destination.
  [[nodiscard]] std::size_t source(std::size_t pair) const { return source_[pair]; }
  [[nodiscard]] std::size_t destination(std::size_t pair) const { return destination_[pair]; }

 private:
  std::size_t node_count_;
  std::size_t class_count_;
  std::vector<std::uint32_t> position_, source_, destination_;
};

/// A traffic series turned on its side: what one pair sent, interval by interval, lies together.
struct PairColumns {
  std::size_t rows = 0;
  std::vector<double> bps;  ///< [pair][row]

  [[nodiscard]] std::span<const double> column(std::size_t pair) const {
    return std::span{bps}.subspan(pair * rows, rows);
  }
};

/// Numbers kept pair by pair, [pair][each], turned to [each][pair].
[[nodiscard]] std::vector<float> turned(std::span<const float> by_pair, std::size_t each);

[[nodiscard]] PairColumns to_columns(const PairIndex& pairs, std::span<const TrafficMatrix> intervals);

}  // namespace wan::models
