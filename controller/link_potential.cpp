#include "controller/link_potential.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr int kStepsMax = 24;
constexpr double kStepPrecision = 1e-3;  // of a move

}  // namespace

LinkPotential::LinkPotential(const Topology& topology, std::size_t column_count)
    : inverse_capacity_(topology.link_count(), 0.0),
      weight_(column_count * topology.link_count(), 0.0),
      utilization_(weight_.size(), 0.0),
      exponential_(weight_.size(), 0.0),
      highest_of_(column_count, 0.0),
      mark_(topology.link_count(), 0) {
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    if (link.up) inverse_capacity_[l] = 1.0 / link.capacity.bps();
  }
  set_scale(std::vector<double>(column_count, 1.0));
}

void LinkPotential::set_scale(std::span<const double> scale) {
  columns_end_ = 0;
  for (std::size_t j = 0; j < scale.size(); ++j) {
    if (scale[j] > 0.0) columns_end_ = j + 1;
    for (std::size_t l = 0; l < link_count(); ++l) weight_[j * link_count() + l] = inverse_capacity_[l] * scale[j];
  }
}

void LinkPotential::set(std::span<const double> load_bps, double sharpness) {
  highest_ = 0.0;
  for (std::size_t j = 0; j < column_count(); ++j) {
    highest_of_[j] = 0.0;
    for (std::size_t l = 0; l < link_count(); ++l) {
      const std::size_t entry = j * link_count() + l;
      utilization_[entry] = load_bps[entry] * weight_[entry];
      highest_ = std::max(highest_, utilization_[entry]);
      highest_of_[j] = std::max(highest_of_[j], load_bps[entry] * inverse_capacity_[l]);
    }
  }
  eta_ = highest_ > 0.0 ? sharpness / highest_ : 1.0;
  shift_ = highest_;
  sum_ = 0.0;
  for (std::size_t entry = 0; entry < weight_.size(); ++entry) {
    exponential_[entry] = weight_[entry] > 0.0 ? vector_exp(eta_ * (utilization_[entry] - shift_)) : 0.0;
    sum_ += exponential_[entry];
  }
}

double LinkPotential::price(std::size_t level, std::span<const std::uint32_t> links) const {
  double total = 0.0;
  for (const std::uint32_t link : links) {
    for (std::size_t j = level; j < columns_end_; ++j) {
      const std::size_t entry = j * link_count() + link;
      total += exponential_[entry] * weight_[entry];
    }
  }
  return total / sum_;
}

void LinkPotential::touch(std::size_t level, std::uint32_t link, double sign) {
  for (std::size_t j = level; j < columns_end_; ++j) {
    const std::size_t entry = j * link_count() + link;
    if (weight_[entry] > 0.0) touched_.push_back({.entry = entry, .change = sign * weight_[entry]});
  }
}

void LinkPotential::touch(const Move& move) {
  touched_.clear();
  for (const std::uint32_t link : move.from) mark_[link] = 1;
  for (const std::uint32_t link : move.to) {
    if (mark_[link] == 0) touch(move.level, link, 1.0);
    mark_[link] = 2;
  }
  for (const std::uint32_t link : move.from) {
    if (mark_[link] == 1) touch(move.level, link, -1.0);
    mark_[link] = 0;
  }
  for (const std::uint32_t link : move.to) mark_[link] = 0;
}

LinkPotential::Slopes LinkPotential::slopes(double bps) const {
  Slopes found{0.0, 0.0};
  for (const Touched& touched : touched_) {
    const double change = eta_ * touched.change;
    const double slope = change * exponential_[touched.entry] * vector_exp(change * bps);
    found.first += slope;
    found.second += slope * change;
  }
  return found;
}

void LinkPotential::move(const Move& move, double bps) {
  touch(move);
  for (const Touched& touched : touched_) {
    double& u = utilization_[touched.entry];
    u += touched.change * bps;
    const double before = exponential_[touched.entry];
    exponential_[touched.entry] = vector_exp(eta_ * (u - shift_));
    sum_ += exponential_[touched.entry] - before;
  }
}

double LinkPotential::potential_after(const Move& move, double bps) {
  touch(move);
  double sum = sum_;
  for (const Touched& touched : touched_) {
    const double before = exponential_[touched.entry];
    sum += vector_exp(eta_ * (utilization_[touched.entry] + touched.change * bps - shift_)) - before;
  }
  return sum;
}

double LinkPotential::best_move(const Move& move, double bps_max) {
  touch(move);
  Slopes here = slopes(0.0);
  if (here.first >= 0.0) return 0.0;
  double least = 0.0;  // the potential still falls here
  double most = bps_max;
  if (slopes(bps_max).first <= 0.0) return bps_max;
  double at = 0.0;
  for (int i = 0; i < kStepsMax && most - least > kStepPrecision * most; ++i) {
    const double newton = at - here.first / here.second;
    at = newton > least && newton < most ? newton : 0.5 * (least + most);
    here = slopes(at);
    (here.first < 0.0 ? least : most) = at;
    if (std::abs(here.first) <= 1e-3 * here.second * at && here.first <= 0.0) break;
  }
  return least;
}

}  // namespace wan::controller
