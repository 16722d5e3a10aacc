#include "models/expert_mix.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

namespace wan::models {
namespace {

constexpr std::array<double, 4> kRates{0.1, 0.2, 0.4, 0.8};
constexpr int kGradientSteps = 60;
/// Keeps an expert that the network as a whole has no use for within reach of the pair that has.
constexpr double kPriorFloor = 1e-3;

std::span<const float> forecasts_of(const ExpertRecord& record, std::size_t experts, std::size_t at) {
  return std::span{record.forecasts}.subspan(at * experts, experts);
}

/// The direction in which the summed error of the mixture grows, relative to the first expert's error.
std::vector<double> error_gradient(const ExpertRecord& record, const ExpertMix& mix) {
  std::vector<double> gradient(mix.expert_count, 0.0);
  double errors = 0.0;
  for (std::size_t at = 0; at < record.truth.size(); ++at) {
    const auto forecasts = forecasts_of(record, mix.expert_count, at);
    const double mixed = mix.by_prior(forecasts);
    errors += std::abs(static_cast<double>(forecasts[0]) - record.truth[at]);
    const double sign = mixed > record.truth[at] ? 1.0 : -1.0;
    for (std::size_t e = 0; e < gradient.size(); ++e) gradient[e] += sign * (static_cast<double>(forecasts[e]) - mixed);
  }
  for (double& part : gradient) part = errors > 0.0 ? part / errors : 0.0;
  return gradient;
}

void normalise(std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
}

std::vector<float> fit_prior(const ExpertRecord& record, ExpertMix mix) {
  std::vector<double> weights(mix.expert_count, 1.0 / static_cast<double>(mix.expert_count));
  for (int step = 0; step < kGradientSteps; ++step) {
    mix.prior.assign(weights.begin(), weights.end());
    const std::vector<double> gradient = error_gradient(record, mix);
    for (std::size_t e = 0; e < weights.size(); ++e) weights[e] *= std::exp(-gradient[e]);
    normalise(weights);
  }
  for (double& weight : weights) weight += kPriorFloor;
  normalise(weights);
  return {weights.begin(), weights.end()};
}

/// Forecasts the record row by row from losses on the rows before; returns the summed error. The losses are left
/// behind.
double play(const ExpertRecord& record, ExpertMix& mix) {
  mix.losses.assign(mix.pair_count() * mix.expert_count, 0.0F);
  const std::vector<float> none(mix.expert_count, 0.0F);
  double errors = 0.0;
  for (std::size_t at = 0; at < record.truth.size(); ++at) {
    const std::size_t pair = at % mix.pair_count();
    const auto forecasts = forecasts_of(record, mix.expert_count, at);
    errors += std::abs(mix.mix(pair, forecasts, none) - record.truth[at]);
    mix.add_losses(pair, forecasts, record.truth[at],
                   std::span{mix.losses}.subspan(pair * mix.expert_count, mix.expert_count));
  }
  return errors;
}

}  // namespace

double ExpertMix::by_prior(std::span<const float> forecasts) const {
  double sum = 0.0;
  for (std::size_t e = 0; e < expert_count; ++e) {
    sum += static_cast<double>(prior[e]) * static_cast<double>(forecasts[e]);
  }
  return sum;
}

void ExpertMix::add_losses(std::size_t pair, std::span<const float> forecasts, double truth_bps,
                           std::span<float> sums) const {
  const auto truth = static_cast<float>(truth_bps);
  const float usual = std::abs(static_cast<float>(by_prior(forecasts)) - truth);
  const float per_unit = 1.0F / unit_bps[pair];
  for (std::size_t e = 0; e < expert_count; ++e) {
    const float loss = (std::abs(forecasts[e] - truth) - usual) * per_unit;
    sums[e] += std::clamp(loss, -kLossMax, kLossMax);
  }
}

double ExpertMix::mix(std::size_t pair, std::span<const float> forecasts, std::span<const float> recent) const {
  const float* const before = &losses[pair * expert_count];
  float least = before[0] + recent[0];
  for (std::size_t e = 1; e < expert_count; ++e) least = std::min(least, before[e] + recent[e]);
  double sum = 0.0, weights = 0.0;
  for (std::size_t e = 0; e < expert_count; ++e) {
    const float beyond = before[e] + recent[e] - least;
    const double weight = static_cast<double>(prior[e]) * std::exp(-rate * static_cast<double>(beyond));
    weights += weight;
    sum += weight * static_cast<double>(forecasts[e]);
  }
  return sum / weights;
}

ExpertMix fit_expert_mix(std::size_t expert_count, std::vector<float> unit_bps, const ExpertRecord& record) {
  assert(expert_count > 0 && record.rows > 0 && record.truth.size() == record.rows * unit_bps.size());
  ExpertMix mix{.expert_count = expert_count, .rate = 0.0, .unit_bps = std::move(unit_bps), .prior = {}, .losses = {}};
  mix.prior = fit_prior(record, mix);
  double best_rate = kRates[0];
  double least = 0.0;
  for (const double rate : kRates) {
    mix.rate = rate;
    const double errors = play(record, mix);
    if (rate == kRates[0] || errors < least) {
      least = errors;
      best_rate = rate;
    }
  }
  mix.rate = best_rate;
  return mix;
}

}  // namespace wan::models
