#include "telemetry/node_clock.h"

#include <algorithm>
#include <cstdlib>

namespace wan::telemetry {

NodeClock::NodeClock(Duration interval, Duration ahead_max, Duration behind_max)
    : interval_ns_{interval.count()}, ahead_max_ns_{ahead_max.count()}, behind_max_ns_{behind_max.count()} {}

bool NodeClock::was_set_anew(std::uint64_t sequence, std::int64_t end_ns) const {
  constexpr std::uint64_t kStepsMax = 1'000'000;  // beyond, there is nothing to compare with
  const std::uint64_t steps = sequence - last_->sequence;
  if (steps > kStepsMax) return true;
  const std::int64_t expected_ns = static_cast<std::int64_t>(steps) * interval_ns_;
  return std::abs(end_ns - last_->end_ns - expected_ns) > interval_ns_ / 4;
}

void NodeClock::observe(std::uint64_t sequence, std::int64_t end_ns, std::int64_t now_ns) {
  constexpr std::int64_t kDriftParts = 500;
  const std::int64_t distance = now_ns - end_ns;
  const bool newer = !last_ || sequence > last_->sequence;
  const bool starts_anew = !last_ || (newer && was_set_anew(sequence, end_ns));
  bool steady = false;
  if (starts_anew) {
    distance_ns_ = distance;
    wrong_ = false;
  } else {
    const std::int64_t drift =
        newer ? static_cast<std::int64_t>(sequence - last_->sequence) * interval_ns_ / kDriftParts : 0;
    steady = newer && std::abs(distance - last_->distance_ns) <= interval_ns_ / 4;
    distance_ns_ = std::min(distance, distance_ns_ + drift);
  }
  if (distance_ns_ < -ahead_max_ns_) {
    wrong_ = true;  // nothing arrives before it was sent
  } else if (distance_ns_ <= behind_max_ns_) {
    wrong_ = false;
  } else if (steady) {
    wrong_ = true;
  }
  if (newer) last_ = Report{.sequence = sequence, .end_ns = end_ns, .distance_ns = distance};
}

std::optional<Duration> NodeClock::correction() const {
  return wrong_ ? std::optional{Duration{distance_ns_}} : std::nullopt;
}

}  // namespace wan::telemetry
