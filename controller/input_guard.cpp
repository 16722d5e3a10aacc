#include "controller/input_guard.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace wan::controller {
namespace {

constexpr std::size_t kTrainingMin = 24;     // intervals needed to know what is usual
constexpr double kFloorShare = 1e-5;         // of all traffic: a pair below it never matters
constexpr double kSilentShare = 0.01;        // of a node's least traffic in training
constexpr double kSmallShareOfTotal = 5e-4;  // of all traffic: a smaller demand moves no plan and may jump further
constexpr double kSmallJumpScale = 5.0;
constexpr double kWildShareOfTotal = 5e-3;  // a wild jump matters from this part of all traffic on

std::string rate_text(double bps) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g Mbit/s", bps / 1e6);
  return text;
}

double sent_bps(std::span<const double> bps, std::size_t n, std::size_t node) {
  double total = 0.0;
  for (std::size_t t = 0; t < n; ++t) total += bps[node * n + t];
  return total;
}

double received_bps(std::span<const double> bps, std::size_t n, std::size_t node) {
  double total = 0.0;
  for (std::size_t s = 0; s < n; ++s) total += bps[s * n + node];
  return total;
}

/// In floating point: the difference of a forged time and ours need not fit into nanoseconds.
double age_s(const TrafficMatrix& matrix, Timestamp now) {
  return static_cast<double>(now.time_since_epoch().count()) -
         static_cast<double>(matrix.measured_at().time_since_epoch().count());
}

/// Whether everything that a node sends is the same number as before, and not nothing.
bool stands_still(std::span<const double> now, std::span<const double> before, std::size_t n, std::size_t node) {
  double total = 0.0;
  for (std::size_t t = 0; t < n; ++t) {
    if (now[node * n + t] != before[node * n + t]) return false;
    total += now[node * n + t];
  }
  return total > 0.0;
}

}  // namespace

InputGuard InputGuard::fit(const Topology& topology, std::span<const TrafficMatrix> training, Duration interval,
                           const InputGuardOptions& options) {
  InputGuard guard;
  guard.options_ = options;
  guard.interval_ = interval;
  guard.node_count_ = topology.node_count();
  for (const Node& node : topology.nodes()) guard.node_names_.push_back(node.name);
  const std::size_t n = guard.node_count_;
  guard.limits_.assign(n * n, {});
  guard.standstill_max_.assign(n, 0);
  guard.standstill_.assign(n, 0);
  guard.node_min_bps_.assign(n, INFINITY);
  guard.node_in_min_bps_.assign(n, INFINITY);
  guard.fitted_ = training.size() >= kTrainingMin;
  if (!training.empty()) guard.class_count_ = training.front().class_count();

  double total = 0.0;
  for (const TrafficMatrix& matrix : training) total += matrix.total().bps();
  if (!training.empty()) total /= static_cast<double>(training.size());
  for (const TrafficMatrix& matrix : training) {
    const TrafficMatrix summed = matrix.classes_summed();
    for (std::size_t p = 0; p < n * n; ++p) {
      guard.limits_[p].floor_bps += summed.bps()[p] / static_cast<double>(training.size());
    }
  }
  for (PairLimits& limits : guard.limits_) limits.floor_bps = std::max(limits.floor_bps, total * kFloorShare);

  for (const TrafficMatrix& matrix : training) {
    guard.learn(matrix);
    guard.record(matrix, matrix);
    for (std::size_t node = 0; node < n; ++node) {
      guard.standstill_max_[node] = std::max(guard.standstill_max_[node], guard.standstill_[node]);
    }
  }
  return guard;
}

void InputGuard::learn(const TrafficMatrix& believed) {
  const TrafficMatrix summed = believed.classes_summed();
  for (std::size_t p = 0; p < limits_.size() && !recent_.empty(); ++p) {
    const double reference = std::max(recent_max_bps(p), limits_[p].floor_bps);
    limits_[p].jump_max = std::max(limits_[p].jump_max, summed.bps()[p] / reference);
  }
  accept_level(believed);
}

double InputGuard::recent_max_bps(std::size_t pair) const {
  double highest = 0.0;
  for (const auto& matrix : recent_) highest = std::max(highest, matrix[pair]);
  return highest;
}

std::optional<InputFault> InputGuard::shape_fault(const TrafficMatrix& matrix) const {
  if (matrix.node_count() != node_count_) {
    return InputFault{InputFault::Kind::kShape, "the matrix has " + std::to_string(matrix.node_count()) +
                                                    " nodes, the network " + std::to_string(node_count_)};
  }
  if (class_count_ && matrix.class_count() != *class_count_) {
    return InputFault{InputFault::Kind::kShape, "the matrix has " + std::to_string(matrix.class_count()) +
                                                    " classes, the training " + std::to_string(*class_count_)};
  }
  for (const double entry : matrix.bps()) {
    if (!std::isfinite(entry) || entry < 0.0)
      return InputFault{InputFault::Kind::kShape, "the matrix holds a negative or non-finite entry"};
  }
  return std::nullopt;
}

bool InputGuard::in_time(const TrafficMatrix& latest, Timestamp now) const {
  return interval_ <= Duration{0} || age_s(latest, now) >= -options_.intervals_late_max * to_seconds(interval_);
}

std::optional<InputFault> InputGuard::fault(const TrafficMatrix& latest, Timestamp now) const {
  if (auto found = shape_fault(latest)) return found;
  if (has_last_ && latest.measured_at() <= last_measured_.measured_at()) {
    return InputFault{InputFault::Kind::kTime, "the matrix of " + format_timestamp(latest.measured_at()) +
                                                   " is not newer than the one before it"};
  }
  if (!in_time(latest, now))
    return InputFault{InputFault::Kind::kTime,
                      "the matrix of " + format_timestamp(latest.measured_at()) + " is from the future"};
  const double age = age_s(latest, now);
  if (interval_ > Duration{0} && age > options_.intervals_late_max * to_seconds(interval_)) {
    return InputFault{InputFault::Kind::kTime, "stale: the newest matrix is of " +
                                                   format_timestamp(latest.measured_at()) + ", " +
                                                   std::to_string(static_cast<long long>(age)) + " s ago"};
  }
  if (!fitted_) return std::nullopt;
  const TrafficMatrix summed = latest.classes_summed();
  if (auto found = demand_fault(latest)) return found;
  if (auto found = silence_fault(summed)) return found;
  return standstill_fault(summed);
}

std::optional<InputFault> InputGuard::demand_fault(const TrafficMatrix& matrix) const {
  if (auto found = shape_fault(matrix)) return found;
  if (!fitted_ || recent_.empty()) return std::nullopt;
  const TrafficMatrix summed = matrix.classes_summed();
  double usual_total = 0.0;
  for (const double entry : recent_.back()) usual_total += entry;
  for (std::size_t p = 0; p < limits_.size(); ++p) {
    const double now = summed.bps()[p];
    const PairLimits& limits = limits_[p];
    if (now <= limits.floor_bps) continue;
    const double reference = std::max(recent_max_bps(p), limits.floor_bps);
    const double jump = now / reference;
    const double level = std::max(limits.level_max_bps, limits.floor_bps);
    const double jump_allowed =
        options_.jump_factor * limits.jump_max * (now < kSmallShareOfTotal * usual_total ? kSmallJumpScale : 1.0);
    const bool high = now > options_.level_factor * level && jump > jump_allowed;
    const bool wild = jump > options_.wild_jump_factor * limits.jump_max && now > kWildShareOfTotal * usual_total;
    if (high || wild) {
      return InputFault{InputFault::Kind::kSpike, "spike: " + node_names_[p / node_count_] + " > " +
                                                      node_names_[p % node_count_] + " reads " + rate_text(now) +
                                                      "; at most " + rate_text(limits.level_max_bps) +
                                                      " in training, " + rate_text(recent_max_bps(p)) + " lately"};
    }
  }
  return std::nullopt;
}

std::optional<InputFault> InputGuard::silence_fault(const TrafficMatrix& latest) const {
  for (std::size_t node = 0; node < node_count_; ++node) {
    const double sent = sent_bps(latest.bps(), node_count_, node);
    const double received = received_bps(latest.bps(), node_count_, node);
    if (sent < kSilentShare * node_min_bps_[node]) {
      return InputFault{InputFault::Kind::kSilence, "zeroed node: " + node_names_[node] + " sends " + rate_text(sent) +
                                                        "; at least " + rate_text(node_min_bps_[node]) +
                                                        " in training"};
    }
    if (received < kSilentShare * node_in_min_bps_[node]) {
      return InputFault{InputFault::Kind::kSilence, "zeroed node: " + node_names_[node] + " receives " +
                                                        rate_text(received) + "; at least " +
                                                        rate_text(node_in_min_bps_[node]) + " in training"};
    }
  }
  return std::nullopt;
}

std::optional<InputFault> InputGuard::standstill_fault(const TrafficMatrix& latest) const {
  if (!has_last_) return std::nullopt;
  const TrafficMatrix before = last_measured_.classes_summed();
  std::size_t still = 0;
  std::size_t longest = 0;
  std::size_t which = 0;
  for (std::size_t node = 0; node < node_count_; ++node) {
    if (!stands_still(latest.bps(), before.bps(), node_count_, node)) continue;
    const std::size_t length = standstill_[node] + 1;
    if (length <= standstill_max_[node]) continue;
    if (still == 0 || length > longest) {
      longest = length;
      which = node;
    }
    ++still;
  }
  if (still == 0) return std::nullopt;
  return InputFault{InputFault::Kind::kStandstill,
                    "frozen: " + std::to_string(still) + " of " + std::to_string(node_count_) + " nodes (" +
                        node_names_[which] + (still > 1 ? ", ..." : "") +
                        ") repeat the interval before to the last digit, for " + std::to_string(longest) +
                        (longest == 1 ? " interval" : " intervals")};
}

void InputGuard::record(const TrafficMatrix& measured, const TrafficMatrix& believed) {
  const TrafficMatrix summed = measured.classes_summed();
  if (has_last_) {
    const TrafficMatrix before = last_measured_.classes_summed();
    for (std::size_t node = 0; node < node_count_; ++node) {
      const bool still = stands_still(summed.bps(), before.bps(), node_count_, node);
      standstill_[node] = still ? standstill_[node] + 1 : 0;
    }
  }
  last_measured_ = measured;
  has_last_ = true;
  const TrafficMatrix kept = believed.classes_summed();
  recent_.emplace_back(kept.bps().begin(), kept.bps().end());
  if (recent_.size() > kJumpWindow) recent_.erase(recent_.begin());
}

void InputGuard::accept_level(const TrafficMatrix& matrix) {
  const TrafficMatrix summed = matrix.classes_summed();
  for (std::size_t p = 0; p < limits_.size(); ++p) {
    limits_[p].level_max_bps = std::max(limits_[p].level_max_bps, summed.bps()[p]);
  }
  for (std::size_t node = 0; node < node_count_; ++node) {
    node_min_bps_[node] = std::min(node_min_bps_[node], sent_bps(summed.bps(), node_count_, node));
    node_in_min_bps_[node] = std::min(node_in_min_bps_[node], received_bps(summed.bps(), node_count_, node));
  }
}

}  // namespace wan::controller
