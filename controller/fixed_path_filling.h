#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "controller/block_routing.h"

namespace wan::controller {

/// Max-min fair fractions where every demand keeps its paths and their proportions: the lowest rise together until a
/// link on their way is full or they are whole.
///
/// Threads: one owner.  Cost: O(hops of all demands + steps x links); a step fills a link or reaches the next fraction.
/// Source: progressive filling (Bertsekas and Gallager, "Data Networks", 2nd ed., section 6.5.2).
class FixedPathFilling {
 public:
  /// @param room_bps  by link: what is left, beside what the demands have already
  explicit FixedPathFilling(std::vector<double> room_bps) : room_{std::move(room_bps)} {}

  /// @param fraction  that the demand has, below 1
  /// @param flows     what it puts on links at fraction 1; a link may stand there more than once
  void add(double fraction, std::span<const LinkFlow> flows);
  /// The fractions that all end up with, in the order in which they were added.
  [[nodiscard]] std::vector<double> fill();

 private:
  std::vector<double> room_;
  std::vector<double> fraction_;            // by demand
  std::vector<std::size_t> first_flow_{0};  // by demand; one more than demands
  std::vector<LinkFlow> flows_;
};

}  // namespace wan::controller
