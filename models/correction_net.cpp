#include "models/correction_net.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

// Compiled once for each kind of vector register; the right one is chosen when the program starts. Sanitizers run
// before that choice can be made, so there the plain version stands alone: the same answers, much later, as on machines
// that have no fused multiply-add.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
#define WAN_FUSED_CLONES
#else
#define WAN_FUSED_CLONES __attribute__((target_clones("avx512f", "fma", "default")))
#endif

namespace wan::models {
namespace {

constexpr std::size_t kLanes = 16;  // pairs side by side
constexpr std::size_t kTile = 8;    // units of a layer side by side: their sums fit in registers

/// Numbers of a block of pairs: [unit][kLanes].
using Block = std::vector<float>;

std::size_t tiles(std::size_t units) { return (units + kTile - 1) / kTile; }

/// The weights of a layer, [unit][input], as [tile][input][kTile]; missing units of the last tile are zero.
std::vector<float> in_tiles(std::span<const float> weights, std::size_t units, std::size_t inputs) {
  std::vector<float> tiled(tiles(units) * inputs * kTile, 0.0F);
  for (std::size_t unit = 0; unit < units; ++unit) {
    for (std::size_t input = 0; input < inputs; ++input) {
      tiled[((unit / kTile) * inputs + input) * kTile + unit % kTile] = weights[unit * inputs + input];
    }
  }
  return tiled;
}

/// e^x as SLEEF's expf with an error below 1 ULP makes it (Shibata and Petrogalli, "SLEEF: A Portable Vectorized
/// Library of C Standard Mathematical Functions", IEEE TPDS 2020), so that a loop over it becomes vector code.
[[gnu::always_inline]] inline float vector_exp(float x) {
  constexpr float kRound = 12582912.0F;      // 1.5 * 2^23: adding it rounds to the nearest integer
  float within = x < -105.0F ? -105.0F : x;  // e^-105 is zero as a float, e^101 infinite
  within = within > 101.0F ? 101.0F : within;
  const float shifted = within * 1.4426950408889634F + kRound;
  const float whole = shifted - kRound;
  float r = std::fma(whole, -0.693145751953125F, within);
  r = std::fma(whole, -1.428606765330187045e-06F, r);
  float p = 0.000198527617612853646278381F;
  p = std::fma(p, r, 0.00139304355252534151077271F);
  p = std::fma(p, r, 0.00833336077630519866943359F);
  p = std::fma(p, r, 0.0416664853692054748535156F);
  p = std::fma(p, r, 0.166666671633720397949219F);
  p = std::fma(p, r, 0.5F);
  p = 1.0F + std::fma(r * r, p, r);
  // 2^whole in two halves: the whole may be below what one float can be.
  const std::int32_t power = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - 0x4b400000U);
  const std::int32_t half = power >> 1;
  const auto power_of_two = [](std::int32_t exponent) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
  };
  return p * power_of_two(half) * power_of_two(power - half);
}

[[gnu::always_inline]] inline float silu(float x) { return x / (1.0F + vector_exp(-x)); }

/// kTile units of a layer for kLanes pairs: out[unit] = start[unit] + the sum over inputs, from the first on.
[[gnu::always_inline]] inline void add_inputs(const float* __restrict weights, std::size_t inputs,
                                              const float* __restrict in, const float* __restrict start,
                                              float* __restrict out) {
  float sum[kTile][kLanes];
  for (std::size_t unit = 0; unit < kTile; ++unit) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum[unit][lane] = start[unit];
  }
  for (std::size_t input = 0; input < inputs; ++input) {
#pragma GCC unroll 8
    for (std::size_t unit = 0; unit < kTile; ++unit) {
      const float weight = weights[input * kTile + unit];
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum[unit][lane] = std::fma(weight, in[input * kLanes + lane], sum[unit][lane]);
      }
    }
  }
  for (std::size_t unit = 0; unit < kTile; ++unit) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) out[unit * kLanes + lane] = sum[unit][lane];
  }
}

/// out[unit] = silu(start[unit] + of_pairs[unit] + sum over inputs), unit by unit, for kLanes pairs.
WAN_FUSED_CLONES void first_layer(const float* weights, std::size_t inputs, std::size_t tile_count, const float* in,
                                  const float* __restrict of_pairs, float* __restrict out) {
  constexpr std::array<float, kTile> kNothing{};
  for (std::size_t tile = 0; tile < tile_count; ++tile) {
    float* const __restrict units = out + tile * kTile * kLanes;
    add_inputs(weights + tile * inputs * kTile, inputs, in, kNothing.data(), units);
    const float* const own = of_pairs + tile * kTile * kLanes;
    for (std::size_t i = 0; i < kTile * kLanes; ++i) units[i] = silu(units[i] + own[i]);
  }
}

WAN_FUSED_CLONES void second_layer(const float* weights, std::size_t inputs, std::size_t tile_count, const float* in,
                                   const float* biases, float* __restrict out) {
  for (std::size_t tile = 0; tile < tile_count; ++tile) {
    float* const __restrict units = out + tile * kTile * kLanes;
    add_inputs(weights + tile * inputs * kTile, inputs, in, biases + tile * kTile, units);
    for (std::size_t i = 0; i < kTile * kLanes; ++i) units[i] = silu(units[i]);
  }
}

WAN_FUSED_CLONES void last_layer(const float* __restrict weights, std::size_t inputs, const float* __restrict in,
                                 float bias, float* __restrict out) {
  float sum[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) sum[lane] = bias;
  for (std::size_t input = 0; input < inputs; ++input) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sum[lane] = std::fma(weights[input], in[input * kLanes + lane], sum[lane]);
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) out[lane] += sum[lane];
}

/// What a member's embeddings and biases give to the first layer: [block of pairs][unit, whole tiles][kLanes].
std::vector<float> input_of_pairs(const CorrectionShape& shape, std::span<const float> embedding,
                                  std::span<const float> weights, std::span<const float> biases) {
  const std::size_t units = tiles(shape.hidden) * kTile;
  std::vector<float> given((shape.pairs + kLanes - 1) / kLanes * units * kLanes, 0.0F);
  for (std::size_t pair = 0; pair < shape.pairs; ++pair) {
    for (std::size_t unit = 0; unit < shape.hidden; ++unit) {
      float sum = biases[unit];
      for (std::size_t i = 0; i < shape.embedding; ++i) {
        sum += embedding[pair * shape.embedding + i] * weights[i * shape.hidden + unit];
      }
      given[(pair / kLanes * units + unit) * kLanes + pair % kLanes] = sum;
    }
  }
  return given;
}

}  // namespace

std::size_t CorrectionShape::member_count() const {
  return pairs * embedding + hidden * features + embedding * hidden + hidden + hidden * hidden + hidden + hidden + 1;
}

Result<CorrectionNet> CorrectionNet::from_parameters(const CorrectionShape& shape, std::span<const float> parameters) {
  if (parameters.size() != shape.parameter_count()) {
    return fail(ErrorCode::kBadInput, "the network has " + std::to_string(parameters.size()) +
                                          " parameters instead of " + std::to_string(shape.parameter_count()));
  }
  if (!std::all_of(parameters.begin(), parameters.end(), [](float value) { return std::isfinite(value); })) {
    return fail(ErrorCode::kBadInput, "a parameter of the network is not finite");
  }
  return CorrectionNet{shape, {parameters.begin(), parameters.end()}};
}

CorrectionNet::CorrectionNet(const CorrectionShape& shape, std::vector<float> parameters)
    : shape_{shape}, parameters_{std::move(parameters)} {
  std::span<const float> rest{parameters_};
  const auto take = [&](std::size_t count) {
    const auto taken = rest.first(count);
    rest = rest.subspan(count);
    return taken;
  };
  for (std::size_t i = 0; i < shape.members; ++i) {
    const auto embedding = take(shape.pairs * shape.embedding);
    const auto feature_in = take(shape.hidden * shape.features);
    const auto embedding_in = take(shape.embedding * shape.hidden);
    const auto bias_in = take(shape.hidden);
    const auto hidden = take(shape.hidden * shape.hidden);
    const auto bias_hidden = take(shape.hidden);
    const auto out = take(shape.hidden);
    Member& member = members_.emplace_back();
    member.of_pairs = input_of_pairs(shape, embedding, embedding_in, bias_in);
    member.first = in_tiles(feature_in, shape.hidden, shape.features);
    member.second = in_tiles(hidden, shape.hidden, shape.hidden);
    member.second_biases.assign(tiles(shape.hidden) * kTile, 0.0F);
    std::copy(bias_hidden.begin(), bias_hidden.end(), member.second_biases.begin());
    member.last.assign(out.begin(), out.end());
    member.last_bias = take(1).front();
  }
}

void CorrectionNet::correct(std::span<const float> features, std::span<float> out) const {
  assert(features.size() == shape_.pairs * shape_.features && out.size() == shape_.pairs);
  const std::size_t tile_count = tiles(shape_.hidden);
  const std::size_t units = tile_count * kTile;
  const float share = 1.0F / static_cast<float>(shape_.members);
  Block in(shape_.features * kLanes, 0.0F), first(units * kLanes), second(units * kLanes);
  for (std::size_t pair = 0; pair < shape_.pairs; pair += kLanes) {
    const std::size_t lanes = std::min(kLanes, shape_.pairs - pair);
    for (std::size_t feature = 0; feature < shape_.features; ++feature) {
      std::copy_n(&features[feature * shape_.pairs + pair], lanes, &in[feature * kLanes]);
    }
    std::array<float, kLanes> sum{};
    for (const Member& member : members_) {
      first_layer(member.first.data(), shape_.features, tile_count, in.data(), &member.of_pairs[pair * units],
                  first.data());
      second_layer(member.second.data(), shape_.hidden, tile_count, first.data(), member.second_biases.data(),
                   second.data());
      last_layer(member.last.data(), shape_.hidden, second.data(), member.last_bias, sum.data());
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) out[pair + lane] = share * sum[lane];
  }
}

}  // namespace wan::models
