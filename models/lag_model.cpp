#include "models/lag_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "models/cholesky.h"

namespace wan::models {
namespace {

constexpr int kIterations = 5;
constexpr double kSquareBelow = 0.02;
constexpr double kForbidden = 1e9;  // a pull towards zero that no data outweighs

/// One pair's training observations, divided by their scales.
struct Observations {
  std::vector<double> inputs;   // [target][kInputs]
  std::vector<double> targets;  // by target
  std::vector<double> scales;   // by target, bit/s
  double scale_sum = 0.0;

  [[nodiscard]] std::span<const double> input(std::size_t i) const {
    return std::span{inputs}.subspan(i * LagModel::kInputs, LagModel::kInputs);
  }
};

void observe(const LagModel& model, std::size_t pair, std::span<const double> column,
             std::span<const std::uint32_t> targets, std::size_t horizon, Observations& out) {
  constexpr std::size_t kLags = LagModel::kLags;
  out.inputs.resize(targets.size() * LagModel::kInputs);
  out.targets.resize(targets.size());
  out.scales.resize(targets.size());
  out.scale_sum = 0.0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::size_t row = targets[i];
    assert(row >= kLags + horizon - 1 && row < column.size());
    const std::size_t origin = row - horizon + 1;  // one after the newest row that is known
    const std::span<double> input = std::span{out.inputs}.subspan(i * LagModel::kInputs, LagModel::kInputs);
    std::reverse_copy(column.begin() + static_cast<std::ptrdiff_t>(origin - kLags),
                      column.begin() + static_cast<std::ptrdiff_t>(origin), input.begin());
    const double scale = model.scale_bps(pair, input.first(kLags));
    for (std::size_t lag = 0; lag < kLags; ++lag) input[lag] /= scale;
    input[kLags] = static_cast<double>(model.mean_bps[pair]) / scale;
    input[kLags + 1] = 1.0;
    out.targets[i] = column[row] / scale;
    out.scales[i] = scale;
    out.scale_sum += scale;
  }
}

/// Adds a pair's observations, each weighted so that its square counts as its absolute error under `weights`.
void add_reweighted(const Observations& seen, std::span<const double> weights, double importance,
                    NormalEquations& equations) {
  for (std::size_t i = 0; i < seen.targets.size(); ++i) {
    const auto input = seen.input(i);
    const double error = std::abs(std::inner_product(input.begin(), input.end(), weights.begin(), -seen.targets[i]));
    equations.add(input, seen.targets[i], importance * seen.scales[i] / std::max(error, kSquareBelow));
  }
}

/// Draws the unknowns towards `centre`; those that the model does without, to zero.
void pull_all(NormalEquations& equations, std::span<const double> centre, double weight, bool level) {
  for (std::size_t i = 0; i < centre.size(); ++i) {
    const bool used = level || i < LagModel::kLags;
    equations.pull(i, used ? centre[i] : 0.0, used ? weight : kForbidden);
  }
}

/// Weights that all pairs share: they minimise the absolute error summed over the network.
std::vector<double> fit_shared(const LagModel& scales, const PairColumns& columns,
                               std::span<const std::uint32_t> targets, const LagFitOptions& options) {
  std::vector<double> weights(LagModel::kInputs, 0.0);
  weights[0] = 0.85;
  weights[1] = 0.15;
  Observations seen;
  const double network_bps = std::accumulate(scales.mean_bps.begin(), scales.mean_bps.end(), 0.0) + scales.floor_bps;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    NormalEquations equations{LagModel::kInputs};
    for (std::size_t pair = 0; pair < scales.pair_count(); ++pair) {
      observe(scales, pair, columns.column(pair), targets, options.horizon, seen);
      add_reweighted(seen, weights, 1.0 / network_bps, equations);
    }
    pull_all(equations, weights, 1e-6, options.level);
    std::vector<double> solved = equations.solve();
    if (solved.empty()) break;
    weights = std::move(solved);
  }
  return weights;
}

std::vector<double> fit_pair(const Observations& seen, std::span<const double> shared, std::vector<double> start,
                             double ridge, bool level) {
  const double observations = static_cast<double>(seen.targets.size());
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    NormalEquations equations{LagModel::kInputs};
    add_reweighted(seen, start, observations / seen.scale_sum, equations);
    pull_all(equations, shared, ridge * observations, level);
    std::vector<double> solved = equations.solve();
    if (solved.empty()) break;
    start = std::move(solved);
  }
  return start;
}

}  // namespace

double LagModel::scale_bps(std::size_t pair, std::span<const double> newest_first) const {
  return scale_of(pair, std::accumulate(newest_first.begin(), newest_first.begin() + kScaleLags, 0.0) / kScaleLags);
}

double LagModel::predict(std::size_t pair, std::span<const double> newest_first, double scale_bps) const {
  const float* const weight = &weights[pair * kInputs];
  double sum = static_cast<double>(weight[kLags]) * static_cast<double>(mean_bps[pair]) +
               static_cast<double>(weight[kLags + 1]) * scale_bps;
  for (std::size_t lag = 0; lag < kLags; ++lag) sum += static_cast<double>(weight[lag]) * newest_first[lag];
  return std::max(sum / scale_bps, 0.0);
}

LagPredictor::LagPredictor(const LagModel& model)
    : mean_bps_{model.mean_bps}, weights_{turned(model.weights, LagModel::kInputs)} {}

void LagPredictor::predict(std::span<const double> bps, std::span<const double> scale_bps,
                           std::span<double> out) const {
  constexpr std::size_t kLags = LagModel::kLags;
  const std::size_t pairs = out.size();
  assert(pairs == mean_bps_.size() && scale_bps.size() == pairs && bps.size() == kLags * pairs);
  double* const __restrict sum = out.data();
  const float* weight = &weights_[kLags * pairs];
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    sum[pair] = static_cast<double>(weight[pair]) * static_cast<double>(mean_bps_[pair]) +
                static_cast<double>(weight[pairs + pair]) * scale_bps[pair];
  }
  for (std::size_t lag = 0; lag < kLags; ++lag) {
    weight = &weights_[lag * pairs];
    const double* const value = &bps[lag * pairs];
    for (std::size_t pair = 0; pair < pairs; ++pair) sum[pair] += static_cast<double>(weight[pair]) * value[pair];
  }
  for (std::size_t pair = 0; pair < pairs; ++pair) sum[pair] = std::max(sum[pair] / scale_bps[pair], 0.0);
}

void LagModel::derive_floor() {
  const double mean = std::accumulate(mean_bps.begin(), mean_bps.end(), 0.0) / static_cast<double>(mean_bps.size());
  floor_bps = std::max(1e-3 * mean, 1.0);
}

std::vector<LagModel> fit_lag_models(const PairColumns& columns, std::span<const std::uint32_t> targets,
                                     std::span<const double> ridges, const LagFitOptions& options) {
  assert(!targets.empty() && columns.rows > 0);
  const std::size_t pair_count = columns.bps.size() / columns.rows;
  LagModel blank;
  for (std::size_t pair = 0; pair < pair_count; ++pair) {
    const auto column = columns.column(pair);
    const double sum = std::accumulate(column.begin(), column.end(), 0.0);
    blank.mean_bps.push_back(static_cast<float>(sum / static_cast<double>(columns.rows)));
  }
  blank.derive_floor();
  blank.weights.reserve(pair_count * LagModel::kInputs);

  const std::vector<double> shared = fit_shared(blank, columns, targets, options);
  std::vector<LagModel> models(ridges.size(), blank);
  Observations seen;
  for (std::size_t pair = 0; pair < pair_count; ++pair) {
    observe(blank, pair, columns.column(pair), targets, options.horizon, seen);
    std::vector<double> weights = shared;
    for (std::size_t i = 0; i < ridges.size(); ++i) {
      weights = fit_pair(seen, shared, std::move(weights), ridges[i], options.level);
      for (const double weight : weights) models[i].weights.push_back(static_cast<float>(weight));
    }
  }
  return models;
}

}  // namespace wan::models
