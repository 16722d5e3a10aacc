#include "tests/unit/controller/day_traffic.h"

#include <cmath>
#include <numbers>

#include "core/random.h"
#include "tests/unit/controller/drawn_network.h"

namespace wan::test {
namespace {

constexpr Timestamp kFirstRow{std::chrono::seconds{1'078'099'200}};  // 2004-03-01

}  // namespace

DayTraffic::DayTraffic(std::uint64_t seed, double noise, double scale)
    : seed_{seed},
      noise_{noise},
      topology_{lines_network(kNodes, {{.from = 0, .to = 1},
                                       {.from = 1, .to = 0},
                                       {.from = 1, .to = 2},
                                       {.from = 2, .to = 1},
                                       {.from = 2, .to = 3},
                                       {.from = 3, .to = 2},
                                       {.from = 3, .to = 4},
                                       {.from = 4, .to = 3},
                                       {.from = 4, .to = 0},
                                       {.from = 0, .to = 4},
                                       {.from = 1, .to = 3, .delay_ms = 3},
                                       {.from = 3, .to = 1, .delay_ms = 3}})} {
  Rng rng{seed, "levels"};
  for (std::size_t pair = 0; pair < kNodes * kNodes; ++pair) {
    level_bps_.push_back(pair % (kNodes + 1) == 0 ? 0.0 : scale * 1e8 * std::exp(0.8 * rng.normal()));
    peak_row_.push_back(144.0 + 24.0 * rng.normal());
  }
}

TrafficMatrix DayTraffic::at(std::size_t row) const {
  Rng rng{seed_ * 1'000'003 + row, "noise"};
  TrafficMatrix matrix{kNodes};
  matrix.set_measured_at(kFirstRow + std::chrono::seconds{300} * static_cast<std::int64_t>(row));
  for (std::size_t pair = 0; pair < level_bps_.size(); ++pair) {
    const double angle = 2.0 * std::numbers::pi * (static_cast<double>(row) - peak_row_[pair]) / kRowsADay;
    matrix.bps()[pair] = level_bps_[pair] * (1.0 + 0.5 * std::cos(angle)) * std::exp(noise_ * rng.normal());
  }
  return matrix;
}

std::vector<TrafficMatrix> DayTraffic::days(std::size_t first_row, std::size_t count) const {
  std::vector<TrafficMatrix> rows;
  for (std::size_t row = first_row; row < first_row + count; ++row) rows.push_back(at(row));
  return rows;
}

Timestamp DayTraffic::due(std::size_t row) {
  return kFirstRow + std::chrono::seconds{300} * static_cast<std::int64_t>(row + 1);
}

TrafficMatrix two_classes(const TrafficMatrix& matrix) {
  TrafficMatrix split{matrix.node_count(), 2};
  split.set_measured_at(matrix.measured_at());
  for (std::size_t i = 0; i < matrix.bps().size(); ++i) {
    split.bps()[i] = split.bps()[i + matrix.bps().size()] = 0.5 * matrix.bps()[i];
  }
  return split;
}

}  // namespace wan::test
