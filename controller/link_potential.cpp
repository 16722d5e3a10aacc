#include "controller/link_potential.h"

#include <algorithm>
#include <cmath>

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

constexpr int kStepsMax = 24;
constexpr double kStepPrecision = 1e-3;  // of a move

}  // namespace

LinkPotential::LinkPotential(const Topology& topology)
    : inverse_capacity_(topology.link_count(), 0.0),
      utilization_(topology.link_count(), 0.0),
      exponential_(topology.link_count(), 0.0),
      mark_(topology.link_count(), 0) {
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    if (link.up) inverse_capacity_[l] = 1.0 / link.capacity.bps();
  }
}

void LinkPotential::set(std::span<const double> load_bps, double sharpness) {
  highest_ = 0.0;
  for (std::size_t l = 0; l < load_bps.size(); ++l) {
    utilization_[l] = load_bps[l] * inverse_capacity_[l];
    highest_ = std::max(highest_, utilization_[l]);
  }
  eta_ = highest_ > 0.0 ? sharpness / highest_ : 1.0;
  shift_ = highest_;
  sum_ = 0.0;
  for (std::size_t l = 0; l < load_bps.size(); ++l) {
    exponential_[l] = inverse_capacity_[l] > 0.0 ? vector_exp(eta_ * (utilization_[l] - shift_)) : 0.0;
    sum_ += exponential_[l];
  }
}

double LinkPotential::price(std::span<const std::uint32_t> links) const {
  double total = 0.0;
  for (const std::uint32_t link : links) total += exponential_[link] * inverse_capacity_[link];
  return total / sum_;
}

void LinkPotential::touch(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to) {
  touched_.clear();
  for (const std::uint32_t link : from) mark_[link] = 1;
  for (const std::uint32_t link : to) {
    if (mark_[link] == 0) touched_.push_back({link, inverse_capacity_[link]});
    mark_[link] = 2;
  }
  for (const std::uint32_t link : from) {
    if (mark_[link] == 1) touched_.push_back({link, -inverse_capacity_[link]});
    mark_[link] = 0;
  }
  for (const std::uint32_t link : to) mark_[link] = 0;
}

LinkPotential::Slopes LinkPotential::slopes(double bps) const {
  Slopes found{0.0, 0.0};
  for (const Touched& touched : touched_) {
    const double change = eta_ * touched.change;
    const double slope = change * exponential_[touched.link] * vector_exp(change * bps);
    found.first += slope;
    found.second += slope * change;
  }
  return found;
}

void LinkPotential::move(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to, double bps) {
  touch(from, to);
  for (const Touched& touched : touched_) {
    double& u = utilization_[touched.link];
    u += touched.change * bps;
    const double before = exponential_[touched.link];
    exponential_[touched.link] = vector_exp(eta_ * (u - shift_));
    sum_ += exponential_[touched.link] - before;
  }
}

double LinkPotential::potential_after(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                                      double bps) {
  touch(from, to);
  double sum = sum_;
  for (const Touched& touched : touched_) {
    const double before = exponential_[touched.link];
    sum += vector_exp(eta_ * (utilization_[touched.link] + touched.change * bps - shift_)) - before;
  }
  return sum;
}

double LinkPotential::best_move(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                                double bps_max) {
  touch(from, to);
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
