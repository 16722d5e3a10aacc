#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "models/baselines.h"
#include "models/learned_model.h"
#include "tests/fuzz/expectations.h"

namespace wan::fuzz {
namespace {

using namespace wan::models;

// The input begins with numbers of the model's card, for the digests of a real card let nothing through. What follows
// are the bytes of weights.bin. The seeds `two_nodes` and `two_classes` are models that `train_model` (two passes, one
// member) fitted on 120 rows of `swinging_traffic` (noise 0.05, seed 1) between two nodes, six hours apart and, in two
// classes, four hours apart; for their size its networks had one hidden unit and one number in an embedding. The seed
// of model_card is the card of `two_nodes`.
constexpr std::size_t kCardBytes = 24;

std::uint64_t number(const unsigned char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8) | bytes[i];
  return value;
}

/// A card that says what the bytes say and is sound otherwise.
ModelCard card_of(const unsigned char* bytes) {
  ModelCard card;
  card.node_count = number(bytes, 3);
  card.class_count = number(bytes + 3, 2);
  card.interval = std::chrono::seconds{number(bytes + 5, 3)};
  card.history_intervals = bytes[8];
  card.features = bytes[9];
  card.trained_from = Timestamp{std::chrono::seconds{0}};
  card.trained_until = Timestamp{std::chrono::hours{1}};
  card.trained_rows = 1;
  card.ewma_alpha = bytes[10] / 255.0;
  card.hyper_parameters = {.lag_models = bytes[11],
                           .base_lag_model = bytes[12],
                           .mix_rate = bytes[13] / 16.0,
                           .correction = bytes[14] / 255.0,
                           .shared_correction = bytes[15] / 255.0,
                           .rows_per_batch = 1,
                           .embedding = number(bytes + 16, 2),
                           .hidden = number(bytes + 18, 2),
                           .members = bytes[20]};
  return card;
}

/// Eight intervals of traffic that jumps and falls silent: enough for experts to be judged and for the model to fall
/// back.
std::vector<TrafficMatrix> some_traffic(const ModelCard& card) {
  std::vector<TrafficMatrix> history(8, TrafficMatrix{card.node_count, card.class_count});
  for (std::size_t row = 0; row < history.size(); ++row) {
    history[row].set_measured_at(card.trained_until + static_cast<std::int64_t>(row) * card.interval);
    const auto bps = history[row].bps();
    for (std::size_t i = 0; i < bps.size(); ++i) {
      const bool diagonal = i % card.node_count == i / card.node_count % card.node_count;
      bps[i] = diagonal || (row + i) % 7 == 0 ? 0.0 : 1e6 * static_cast<double>(1 + (row * i) % 11);
    }
  }
  return history;
}

void expect_forecast(const Result<TrafficMatrix>& forecast, const ModelCard& card) {
  if (!forecast) return;  // numbers that no training gives may lead nowhere, and the model says so
  expect(forecast->node_count() == card.node_count && forecast->class_count() == card.class_count, "a shape is kept");
  for (const double bps : forecast->bps()) expect(std::isfinite(bps) && bps >= 0.0, "a forecast is a rate");
}

void expect_sound(const ModelBundle& model) {
  const std::vector<TrafficMatrix> history = some_traffic(model.card);
  expect_forecast(model.learned->next(history), model.card);
  expect_forecast(make_ar12_forecaster(model.ar12)->next(history), model.card);
  const auto ahead = model.learned->ahead(history, kHorizonMax);
  if (!ahead) return;
  for (std::size_t step = 0; step < ahead->size(); ++step) {
    expect_forecast((*ahead)[step], model.card);
    for (const double bps : model.bands.around(step + 1, (*ahead)[step].bps())) {
      expect(std::isfinite(bps) && bps >= 0.0, "a band is made of rates");
    }
  }
}

int fuzz_model(const unsigned char* data, std::size_t size) {
  const auto arrays = parse_weights({reinterpret_cast<const char*>(data) + kCardBytes, size - kCardBytes}, "input");
  if (!arrays) {
    expect_good_message(arrays.error());
    return 0;
  }
  const auto card = parse_model_card(format_model_card(card_of(data)), "input");
  if (!card) {
    expect_good_message(card.error());
    return 0;
  }
  const auto model = assemble_model(*card, *arrays);
  if (!model) {
    expect(model.error().code == ErrorCode::kBadInput && !model.error().message.empty(),
           "arrays can only be bad input");
    return 0;
  }
  for (const NamedArray& array : to_arrays(*model)) {
    expect(std::find(arrays->begin(), arrays->end(), array) != arrays->end(), "a model is kept as it was read");
  }
  expect_sound(*model);
  return 0;
}

}  // namespace
}  // namespace wan::fuzz

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  return size < wan::fuzz::kCardBytes ? 0 : wan::fuzz::fuzz_model(data, size);
}
