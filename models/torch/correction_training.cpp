#include "models/torch/correction_training.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <future>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"

namespace wan::models {
namespace {

std::int64_t to_dim(std::size_t size) { return static_cast<std::int64_t>(size); }

/// weights [out][in] times input [rows][in][pairs], plus biases: [rows][out][pairs].
///
/// A convolution of width 1, not a matrix product: that would run in whatever BLAS is installed (seven times slower in
/// Debian's reference one); a convolution runs in oneDNN, which libtorch brings along.
torch::Tensor layer(const torch::Tensor& input, const torch::Tensor& weights, const torch::Tensor& biases) {
  return torch::conv1d(input, weights.unsqueeze(-1), biases);
}

/// One network: embedding, then (features, embedding) -> hidden -> hidden -> 1, SiLU between.
struct Member {
  torch::Tensor embedding;                 // [pairs][embedding]
  torch::Tensor feature_in, embedding_in;  // [hidden][features], [embedding][hidden]: the first layer in two parts
  torch::Tensor bias_in, hidden, bias_hidden, out, bias_out;

  [[nodiscard]] std::array<torch::Tensor*, 8> all() {
    return {&embedding, &feature_in, &embedding_in, &bias_in, &hidden, &bias_hidden, &out, &bias_out};
  }
  [[nodiscard]] std::array<const torch::Tensor*, 8> all() const {
    return {&embedding, &feature_in, &embedding_in, &bias_in, &hidden, &bias_hidden, &out, &bias_out};
  }

  /// What the embeddings add to the first layer: [hidden][pairs].
  [[nodiscard]] torch::Tensor of_pairs() const { return torch::addmm(bias_in, embedding, embedding_in).t(); }

  /// [rows][features][pairs] -> [rows][pairs]
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& features, const torch::Tensor& of_pairs) const {
    const torch::Tensor first = torch::silu(layer(features, feature_in, {}) + of_pairs);
    const torch::Tensor second = torch::silu(layer(first, hidden, bias_hidden));
    return layer(second, out, bias_out).squeeze(1);
  }
};

std::array<std::vector<std::int64_t>, 8> dims_of(const CorrectionShape& shape) {
  const std::int64_t pairs = to_dim(shape.pairs);
  const std::int64_t features = to_dim(shape.features);
  const std::int64_t embedding = to_dim(shape.embedding);
  const std::int64_t hidden = to_dim(shape.hidden);
  return {{{pairs, embedding},
           {hidden, features},
           {embedding, hidden},
           {hidden},
           {hidden, hidden},
           {hidden},
           {1, hidden},
           {1}}};
}

torch::Tensor uniform(const std::vector<std::int64_t>& dims, double bound, Rng& rng) {
  torch::Tensor tensor = torch::empty(dims, torch::kFloat32);
  float* const values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(bound * (2.0 * rng.uniform() - 1.0));
  return tensor;
}

/// The last layer begins at zero: an untrained network corrects nothing.
Member make_member(const CorrectionShape& shape, Rng& rng) {
  const auto dims = dims_of(shape);
  const double bound_in = 1.0 / std::sqrt(static_cast<double>(shape.features + shape.embedding));
  const double bound_hidden = 1.0 / std::sqrt(static_cast<double>(shape.hidden));
  return Member{.embedding = uniform(dims[0], 0.15, rng),
                .feature_in = uniform(dims[1], bound_in, rng),
                .embedding_in = uniform(dims[2], bound_in, rng),
                .bias_in = uniform(dims[3], bound_in, rng),
                .hidden = uniform(dims[4], bound_hidden, rng),
                .bias_hidden = uniform(dims[5], bound_hidden, rng),
                .out = torch::zeros(dims[6]),
                .bias_out = torch::zeros(dims[7])};
}

/// One of the members whose parameters lie one after the other.
Member read_member(const CorrectionShape& shape, std::span<const float> parameters, std::size_t index) {
  const std::size_t each = shape.member_count();
  auto own = parameters.subspan(index * each, each);
  const auto dims = dims_of(shape);
  Member member;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    torch::Tensor& tensor = *member.all()[i];
    tensor = torch::empty(dims[i], torch::kFloat32);
    const auto count = static_cast<std::size_t>(tensor.numel());
    std::copy_n(own.begin(), count, tensor.data_ptr<float>());
    own = own.subspan(count);
  }
  return member;
}

torch::Tensor view(std::span<const float> values, std::vector<std::int64_t> dims) {
  // from_blob asks for a mutable pointer; the tensors made here are only read.
  return torch::from_blob(const_cast<float*>(values.data()), dims, torch::kFloat32);
}

struct ExampleTensors {
  torch::Tensor features, base, target, weight;

  ExampleTensors(const CorrectionShape& shape, const CorrectionExamples& examples) {
    const std::int64_t rows = to_dim(examples.rows);
    const std::int64_t pairs = to_dim(shape.pairs);
    features = view(examples.features, {rows, to_dim(shape.features), pairs});
    base = view(examples.base, {rows, pairs});
    target = view(examples.target, {rows, pairs});
    weight = view(examples.weight, {rows, pairs});
  }
};

/// Warm-up over the first tenth, then half a cosine down to zero.
double learning_rate_at(double peak, std::size_t step, std::size_t steps) {
  const double done = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
  constexpr double kWarmUp = 0.1;
  if (done < kWarmUp) return peak * (0.04 + 0.96 * done / kWarmUp);
  return peak * 0.5 * (1.0 + std::cos(std::numbers::pi * (done - kWarmUp) / (1.0 - kWarmUp)));
}

std::vector<std::int64_t> shuffled(std::size_t count, Rng& rng) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

void train_member(Member& member, const ExampleTensors& examples, const CorrectionSchedule& schedule, Rng& rng,
                  const std::function<void()>& on_batch) {
  std::vector<torch::Tensor> parameters;
  for (torch::Tensor* const tensor : member.all()) parameters.push_back(tensor->set_requires_grad(true));
  torch::optim::AdamW optimizer{parameters,
                                torch::optim::AdamWOptions{schedule.learning_rate}.weight_decay(schedule.weight_decay)};
  const auto rows = static_cast<std::size_t>(examples.base.size(0));
  const std::size_t batches = (rows + schedule.rows_per_batch - 1) / schedule.rows_per_batch;
  for (std::size_t epoch = 0; epoch < schedule.epochs; ++epoch) {
    std::vector<std::int64_t> order = shuffled(rows, rng);
    for (std::size_t batch = 0; batch < batches; ++batch) {
      const std::size_t first = batch * schedule.rows_per_batch;
      const std::size_t count = std::min(schedule.rows_per_batch, rows - first);
      const torch::Tensor chosen = torch::from_blob(&order[first], {to_dim(count)}, torch::kInt64);
      const torch::Tensor corrected = (examples.base.index_select(0, chosen) +
                                       member.forward(examples.features.index_select(0, chosen), member.of_pairs()))
                                          .clamp_min(0);
      const torch::Tensor loss =
          ((corrected - examples.target.index_select(0, chosen)).abs() * examples.weight.index_select(0, chosen))
              .mean();
      optimizer.zero_grad();
      loss.backward();
      torch::nn::utils::clip_grad_norm_(parameters, 1.0);
      static_cast<torch::optim::AdamWOptions&>(optimizer.param_groups()[0].options())
          .lr(learning_rate_at(schedule.learning_rate, epoch * batches + batch, schedule.epochs * batches));
      optimizer.step();
      on_batch();
    }
  }
  for (torch::Tensor* const tensor : member.all()) *tensor = tensor->detach();
}

/// Member by member, as CorrectionNet keeps them.
std::vector<float> all_parameters(const CorrectionShape& shape, const std::vector<Member>& members) {
  std::vector<float> values;
  values.reserve(shape.parameter_count());
  for (const Member& member : members) {
    for (const torch::Tensor* const tensor : member.all()) {
      const torch::Tensor flat = tensor->contiguous();
      values.insert(values.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
    }
  }
  return values;
}

}  // namespace

Result<CorrectionNet> train_correction_net(const CorrectionShape& shape, const CorrectionExamples& examples,
                                           const CorrectionSchedule& schedule,
                                           const std::function<void(std::size_t, std::size_t)>& on_batch) try {
  // One thread a member: splitting a member's own small tensors over threads costs more than it saves.
  at::set_num_threads(1);
  const ExampleTensors tensors{shape, examples};
  const std::size_t batches = (examples.rows + schedule.rows_per_batch - 1) / schedule.rows_per_batch;
  const std::size_t batches_in_all = shape.members * schedule.epochs * batches;
  std::atomic<std::size_t> done = 0;
  const auto trained = [&](std::size_t member_index, const std::function<void()>& tell) {
    Rng rng{schedule.seed, "correction network " + std::to_string(member_index)};
    Member member = schedule.start.empty() ? make_member(shape, rng) : read_member(shape, schedule.start, member_index);
    train_member(member, tensors, schedule, rng, [&] {
      ++done;
      tell();
    });
    return member;
  };
  std::vector<std::future<Member>> others;  // waits for the threads also when something is thrown
  for (std::size_t i = 1; i < shape.members; ++i) {
    others.push_back(std::async(std::launch::async, trained, i, [] {}));
  }
  std::vector<Member> members;
  members.push_back(trained(0, [&] {
    if (on_batch) on_batch(done, batches_in_all);
  }));
  for (std::future<Member>& other : others) members.push_back(other.get());
  const std::vector<float> parameters = all_parameters(shape, members);
  if (!std::all_of(parameters.begin(), parameters.end(), [](float value) { return std::isfinite(value); })) {
    return fail(ErrorCode::kInternal, "training the forecaster did not stay finite");
  }
  return CorrectionNet::from_parameters(shape, parameters);
} catch (const std::exception& failure) {
  const std::string_view what = failure.what();
  return fail(ErrorCode::kInternal, "libtorch failed in training: " + std::string{what.substr(0, what.find('\n'))});
}

}  // namespace wan::models
