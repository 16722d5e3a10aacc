#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "core/units.h"

namespace wan {

/// How much every node sends to every other one, by traffic class, averaged over one interval.
///
/// Shape [class][source][destination] in bits per second; the diagonal is zero. Entries are finite and not negative.
class TrafficMatrix {
 public:
  TrafficMatrix() = default;
  explicit TrafficMatrix(std::size_t node_count, std::size_t class_count = 1)
      : node_count_{node_count}, class_count_{class_count}, bps_(class_count * node_count * node_count, 0.0) {}

  [[nodiscard]] std::size_t node_count() const { return node_count_; }
  [[nodiscard]] std::size_t class_count() const { return class_count_; }

  [[nodiscard]] BitRate at(TrafficClass cls, NodeId from, NodeId to) const {
    return BitRate::bps(bps_[position(cls, from, to)]);
  }
  void set(TrafficClass cls, NodeId from, NodeId to, BitRate rate) { bps_[position(cls, from, to)] = rate.bps(); }
  [[nodiscard]] BitRate at(NodeId from, NodeId to) const { return at(TrafficClass{0}, from, to); }
  void set(NodeId from, NodeId to, BitRate rate) { set(TrafficClass{0}, from, to, rate); }

  /// All entries, class by class, row by row.
  [[nodiscard]] std::span<const double> bps() const { return bps_; }
  [[nodiscard]] std::span<double> bps() { return bps_; }

  [[nodiscard]] BitRate total() const;
  /// Every entry times `factor`, same interval.
  [[nodiscard]] TrafficMatrix scaled(double factor) const;
  /// All classes added into one.
  [[nodiscard]] TrafficMatrix classes_summed() const;

  [[nodiscard]] Timestamp measured_at() const { return measured_at_; }
  void set_measured_at(Timestamp time) { measured_at_ = time; }

  bool operator==(const TrafficMatrix&) const = default;

 private:
  [[nodiscard]] std::size_t position(TrafficClass cls, NodeId from, NodeId to) const {
    return (cls.index() * node_count_ + from.index()) * node_count_ + to.index();
  }

  std::size_t node_count_ = 0;
  std::size_t class_count_ = 1;
  Timestamp measured_at_{};  // start of the interval
  std::vector<double> bps_;
};

/// Consecutive matrices of one network, oldest first, times strictly increasing.
struct TrafficSeries {
  std::vector<TrafficMatrix> intervals;

  /// The usual distance between two intervals: the median one. Zero for fewer than two intervals.
  [[nodiscard]] Duration interval() const;
  /// Digest over times and entries of the first `count` intervals.
  [[nodiscard]] std::string digest(std::size_t count) const;
};

}  // namespace wan
