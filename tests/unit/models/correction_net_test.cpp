#include "models/correction_net.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "core/random.h"

namespace wan::models {
namespace {

std::vector<float> uniform(std::size_t count, double low, double high, Rng& rng) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>((high - low) * rng.uniform() + low);
  return values;
}

struct Asked {
  CorrectionNet net;
  std::vector<float> features;

  [[nodiscard]] std::vector<float> answer() const {
    std::vector<float> out(net.shape().pairs);
    net.correct(features, out);
    return out;
  }
};

/// Of made-up numbers within plus and minus `gain`.
Asked made_up(const CorrectionShape& shape, float gain) {
  Rng rng{1, "correction net"};
  std::vector<float> parameters = uniform(shape.parameter_count(), -1.0, 1.0, rng);
  for (float& value : parameters) value *= gain;
  std::vector<float> features = uniform(shape.pairs * shape.features, -4.0, 6.0, rng);
  return {.net = CorrectionNet::from_parameters(shape, parameters).value(), .features = std::move(features)};
}

constexpr CorrectionShape kOddShape{.pairs = 19, .features = 6, .embedding = 3, .hidden = 11, .members = 2};

TEST_CASE("a correction network answers to the last bit what libtorch answered", "[models]") {
  // By libtorch 1.13.1 with oneDNN 2.6.3 on a machine with AVX-512, when networks still answered through it.
  const std::vector<float> usual{0x1.3952dp-1F,  0x1.e52af6p+1F,  -0x1.2f91cep+0F, -0x1.4e3f1p+1F, -0x1.609e82p+2F,
                                 0x1.6d3a56p+1F, -0x1.1afeeap+3F, 0x1.53223ap+2F,  0x1.fd57ap+1F,  0x1.c4d14p-5F,
                                 0x1.8ecbacp+1F, -0x1.11a1f8p+3F, 0x1.05cebp-2F,   0x1.c8519cp+1F, -0x1.125c9ap+2F,
                                 0x1.004b18p+1F, 0x1.644318p+2F,  -0x1.2e1e64p+1F, -0x1.96e866p+0F};
  const std::vector<float> far_out{-0x1.e95f3p+16F,  0x1.12e8e8p+15F,  -0x1.4b3e7p+16F,  -0x1.b5eae4p+12F,
                                   -0x1.7752aap+14F, -0x1.e71424p+16F, -0x1.5a4c4p+16F,  -0x1.5e88e4p+17F,
                                   0x1.4a1568p+15F,  0x1.2d9496p+14F,  -0x1.496016p+14F, -0x1.0c29fap+16F,
                                   -0x1.330336p+16F, 0x1.7f2d44p+15F,  -0x1.34117cp+17F, -0x1.0addcp+13F,
                                   0x1.c68c4cp+15F,  0x1.90b392p+16F,  -0x1.bf2dbap+15F};
  CHECK(made_up(kOddShape, 1.0F).answer() == usual);
  CHECK(made_up(kOddShape, 20.0F).answer() == far_out);
}

TEST_CASE("what a correction network says of a pair does not depend on the pairs beside it", "[models]") {
  CorrectionShape shape = kOddShape;
  shape.pairs = 40;
  shape.members = 1;
  const Asked all = made_up(shape, 0.5F);
  const std::vector<float> together = all.answer();
  for (std::size_t count = 1; count < shape.pairs; ++count) {
    CorrectionShape fewer = shape;
    fewer.pairs = count;
    std::vector<float> parameters = all.net.parameters();
    parameters.erase(parameters.begin() + static_cast<std::ptrdiff_t>(count * shape.embedding),
                     parameters.begin() + static_cast<std::ptrdiff_t>(shape.pairs * shape.embedding));
    Asked some{.net = CorrectionNet::from_parameters(fewer, parameters).value(), .features = {}};
    for (std::size_t feature = 0; feature < shape.features; ++feature) {
      const auto row = std::span{all.features}.subspan(feature * shape.pairs, count);
      some.features.insert(some.features.end(), row.begin(), row.end());
    }
    REQUIRE(some.answer() ==
            std::vector<float>{together.begin(), together.begin() + static_cast<std::ptrdiff_t>(count)});
  }
}

TEST_CASE("a correction network is as the formula says", "[models]") {
  const CorrectionShape shape{.pairs = 1, .features = 1, .embedding = 1, .hidden = 1, .members = 1};
  const auto silu = [](double x) { return x / (1.0 + std::exp(-x)); };
  // embedding, weight of the feature, weight of the embedding, bias; second layer; last layer
  const std::vector<float> parameters{0.5F, 2.0F, -1.0F, 0.25F, 1.5F, -0.5F, 3.0F, 0.125F};
  const auto net = CorrectionNet::from_parameters(shape, parameters);
  REQUIRE(net);
  for (const double x : {-4.0, -1.0, 0.0, 0.3, 6.0}) {
    std::vector<float> out(1);
    net->correct(std::array{static_cast<float>(x)}, out);
    const double first = silu(2.0 * x - 0.5 + 0.25);
    CHECK(static_cast<double>(out[0]) == Approx(3.0 * silu(1.5 * first - 0.5) + 0.125).epsilon(1e-5));
  }
}

TEST_CASE("a correction network refuses numbers that are too few, too many or not finite", "[models]") {
  const auto code_of = [](const std::vector<float>& parameters) {
    const auto net = CorrectionNet::from_parameters(kOddShape, parameters);
    return net ? ErrorCode::kInternal : net.error().code;
  };
  const std::size_t count = kOddShape.parameter_count();
  CHECK(CorrectionNet::from_parameters(kOddShape, std::vector<float>(count)));
  CHECK(code_of(std::vector<float>(count - 1)) == ErrorCode::kBadInput);
  CHECK(code_of(std::vector<float>(count + 1)) == ErrorCode::kBadInput);
  for (const float odd : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> parameters(count);
    parameters.back() = odd;
    CHECK(code_of(parameters) == ErrorCode::kBadInput);
  }
}

}  // namespace
}  // namespace wan::models
