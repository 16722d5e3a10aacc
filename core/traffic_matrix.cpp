#include "core/traffic_matrix.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/digest.h"

namespace wan {

BitRate TrafficMatrix::total() const { return BitRate::bps(std::accumulate(bps_.begin(), bps_.end(), 0.0)); }

TrafficMatrix TrafficMatrix::scaled(double factor) const {
  TrafficMatrix result = *this;
  for (double& entry : result.bps_) entry *= factor;
  return result;
}

TrafficMatrix TrafficMatrix::classes_summed() const {
  TrafficMatrix sum{node_count_};
  sum.measured_at_ = measured_at_;
  const std::size_t plane = node_count_ * node_count_;
  for (std::size_t i = 0; i < bps_.size(); ++i) sum.bps_[i % plane] += bps_[i];
  return sum;
}

Duration TrafficSeries::interval() const {
  if (intervals.size() < 2) return Duration{0};
  std::vector<std::chrono::seconds> gaps;
  for (std::size_t i = 1; i < intervals.size(); ++i) {
    gaps.push_back(intervals[i].measured_at() - intervals[i - 1].measured_at());
  }
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return *middle;
}

std::string TrafficSeries::digest(std::size_t count) const {
  Digest digest;
  for (std::size_t i = 0; i < std::min(count, intervals.size()); ++i) {
    digest.add(static_cast<std::uint64_t>(intervals[i].measured_at().time_since_epoch().count()));
    for (const double entry : intervals[i].bps()) digest.add(entry);
  }
  return digest.hex();
}

}  // namespace wan
