#include "controller/congestion_risk.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/link_load.h"

namespace wan::controller {
namespace {

constexpr double kWidthMin = 1e-3;  // of the threshold: a kernel narrower than that is a step

std::vector<double> utilizations(const Topology& topology, const PathPlan& plan, const TrafficMatrix& matrix) {
  std::vector<double> utilization = link_loads_bps(topology, plan, matrix);
  for (std::size_t l = 0; l < utilization.size(); ++l) {
    const Link& link = topology.links()[l];
    utilization[l] = link.up ? utilization[l] / link.capacity.bps() : 0.0;
  }
  return utilization;
}

double soft_share_above(std::span<const double> peaks, double threshold) {
  const auto count = static_cast<double>(peaks.size());
  double mean = 0.0;
  for (const double peak : peaks) mean += peak / count;
  double variance = 0.0;
  for (const double peak : peaks) variance += (peak - mean) * (peak - mean) / count;
  const double width =
      std::max(1.06 * std::sqrt(variance) * std::pow(count, -0.2), kWidthMin * std::max(threshold, 1e-9));
  double above = 0.0;
  for (const double peak : peaks) above += 0.5 * std::erfc((threshold - peak) / (width * std::sqrt(2.0)));
  return above / count;
}

}  // namespace

std::vector<double> congestion_probability(const Topology& topology, const PathPlan& plan,
                                           std::span<const models::Trajectory> trajectories,
                                           std::span<const double> threshold) {
  assert(!trajectories.empty() && threshold.size() == topology.link_count());
  const std::size_t count = trajectories.size();
  std::vector<double> peak(topology.link_count() * count, 0.0);  // [link][trajectory]
  for (std::size_t k = 0; k < count; ++k) {
    for (const TrafficMatrix& matrix : trajectories[k]) {
      const std::vector<double> utilization = utilizations(topology, plan, matrix);
      for (std::size_t l = 0; l < utilization.size(); ++l) {
        peak[l * count + k] = std::max(peak[l * count + k], utilization[l]);
      }
    }
  }
  std::vector<double> probability(topology.link_count(), 0.0);
  for (std::size_t l = 0; l < probability.size(); ++l) {
    if (!topology.links()[l].up) continue;
    probability[l] = soft_share_above(std::span{peak}.subspan(l * count, count), threshold[l]);
  }
  return probability;
}

std::vector<double> utilization_quantile(const Topology& topology, const PathPlan& plan,
                                         std::span<const TrafficMatrix> matrices, double share) {
  assert(!matrices.empty() && share > 0.0 && share <= 1.0);
  const std::size_t links = topology.link_count();
  std::vector<double> sample(links * matrices.size());  // [link][matrix]
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    const std::vector<double> utilization = utilizations(topology, plan, matrices[m]);
    for (std::size_t l = 0; l < links; ++l) sample[l * matrices.size() + m] = utilization[l];
  }
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(matrices.size()))) - 1;
  std::vector<double> quantile(links);
  for (std::size_t l = 0; l < links; ++l) {
    const auto first = sample.begin() + static_cast<std::ptrdiff_t>(l * matrices.size());
    const auto last = first + static_cast<std::ptrdiff_t>(matrices.size());
    std::nth_element(first, first + static_cast<std::ptrdiff_t>(rank), last);
    quantile[l] = first[static_cast<std::ptrdiff_t>(rank)];
  }
  return quantile;
}

}  // namespace wan::controller
