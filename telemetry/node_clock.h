#pragma once

#include <cstdint>
#include <optional>

#include "core/units.h"

namespace wan::telemetry {

/// How far a node's clock is from ours in one of its lives, told from when its reports arrive: ours minus its.
///
/// A report can be held up but cannot arrive before it was made: the least distance seen is the closest to the truth
/// (it is let grow by one part in 500, far more than a clock drifts). So reports that pile up during an outage do not
/// look like a wrong clock, and those of a node that has always been late do. A clock that was set anew is noticed,
/// since a node's reports end whole intervals apart.
/// Threads: one owner.
class NodeClock {
 public:
  /// @param interval   of the reports
  /// @param ahead_max  how far a clock may be ahead of ours and still be believed
  /// @param behind_max likewise behind
  NodeClock(Duration interval, Duration ahead_max, Duration behind_max);

  /// A report of this number in the node's life, which ended then by its clock and arrived then by ours.
  void observe(std::uint64_t sequence, std::int64_t end_ns, std::int64_t now_ns);

  /// Nothing while the clock is believed. That it is behind takes two reports in a row to tell: one may be held up.
  [[nodiscard]] std::optional<Duration> correction() const;

 private:
  struct Report {
    std::uint64_t sequence;
    std::int64_t end_ns;
    std::int64_t distance_ns;
  };
  [[nodiscard]] bool was_set_anew(std::uint64_t sequence, std::int64_t end_ns) const;

  std::int64_t interval_ns_, ahead_max_ns_, behind_max_ns_;
  std::optional<Report> last_;  // the one of the highest number
  std::int64_t distance_ns_ = 0;
  bool wrong_ = false;
};

}  // namespace wan::telemetry
