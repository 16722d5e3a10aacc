#include "models/model_card.h"

#include <catch2/catch.hpp>

#include "core/random.h"
#include "models/model_file.h"

namespace wan::models {
namespace {

ModelCard sample_card() {
  ModelCard card;
  card.network = "Köln \"test\"\n";
  card.node_count = 12;
  card.link_count = 30;
  card.class_count = 2;
  card.topology_digest = "0123456789abcdef";
  card.interval = std::chrono::seconds{300};
  card.history_intervals = 24;
  card.features = 30;
  card.trained_from = Timestamp{std::chrono::seconds{1'078'099'200}};
  card.trained_until = Timestamp{std::chrono::seconds{1'078'963'200}};
  card.trained_rows = 2880;
  card.data_digest = "fedcba9876543210";
  card.seed = 18'446'744'073'709'551'615U;
  card.resumed_from = "00112233aabbccdd";
  card.hyper_parameters = {.lag_models = 7,
                           .base_lag_model = 2,
                           .further_ridge = 0.1,
                           .mix_rate = 0.4,
                           .correction = 0.75,
                           .shared_correction = 0.5,
                           .epochs = 20,
                           .rows_per_batch = 32,
                           .embedding = 4,
                           .hidden = 32,
                           .members = 2,
                           .learning_rate = 2e-3,
                           .weight_decay = 1e-2};
  card.validation = {.rows = 576, .model = 0.1 / 3.0, .last = 0.11, .ewma = 0.12, .ar12 = 0.13};
  card.ewma_alpha = 0.85;
  card.library_version = "aiwan 0.1.0";
  card.weights_digest = "00000000ffffffff";
  return card;
}

TEST_CASE("a model card is read as it was written", "[models]") {
  const ModelCard card = sample_card();
  const auto read = parse_model_card(format_model_card(card), "card.json");
  REQUIRE(read);
  CHECK(*read == card);
}

TEST_CASE("a changed bit anywhere in a model card is found", "[models]") {
  const std::string text = format_model_card(sample_card());
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto read = parse_model_card(damaged, "card.json");
      INFO("byte " << i << " bit " << bit);
      REQUIRE_FALSE(read);
      REQUIRE(read.error().code == ErrorCode::kBadInput);
      REQUIRE(read.error().message.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("a model card that is cut off is refused", "[models]") {
  const std::string text = format_model_card(sample_card());
  for (std::size_t length = 0; length < text.size(); ++length) {
    REQUIRE_FALSE(parse_model_card(std::string_view{text}.substr(0, length), "card.json"));
  }
}

TEST_CASE("hostile model cards are refused with a reason", "[models]") {
  const auto refuse = [](std::string_view text) {
    const auto read = parse_model_card(text, "card.json");
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  CHECK(refuse("[]") == "card.json: not a model card: no JSON object");
  CHECK(refuse("{}") == "card.json: not a model card: its format is not \"aiwan-model\"");
  CHECK(refuse(R"({"format": "aiwan-model"})") == "card.json: \"format_version\" is missing");
  CHECK(refuse(R"({"format": "aiwan-model", "format_version": 1})") ==
        "card.json: its format version is 1, this program reads version 3; train the model again with `aiwan-models "
        "train`");
  CHECK(refuse(R"({"format": "aiwan-model", "format_version": 3, "library_version": 3})") ==
        "card.json: \"library_version\" must be text");
  CHECK(refuse(R"({"format": "aiwan-model", "format_version": 3, "library_version": "", "network": []})") ==
        "card.json: \"network\" must be an object");
  refuse(std::string(100'000, '['));
  refuse(std::string(100, '\0'));
}

TEST_CASE("random bytes put into a model card never get through", "[models]") {
  const std::string text = format_model_card(sample_card());
  Rng rng{5};
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = text;
    const auto edits = 1 + rng.below(4);
    for (std::uint64_t edit = 0; edit < edits; ++edit) {
      const std::size_t place = rng.below(damaged.size());
      if (rng.below(2) == 0) {
        damaged[place] = static_cast<char>(rng.below(256));
      } else {
        damaged.erase(place, rng.below(20));
      }
    }
    if (damaged == text) continue;
    REQUIRE_FALSE(parse_model_card(damaged, "card.json"));
  }
}

TEST_CASE("weights are read as they were written", "[models]") {
  const std::vector<NamedArray> arrays{{"a", {1.0F, -2.5F, 3e-39F}}, {"empty", {}}, {"b", {0.0F}}};
  const auto read = parse_weights(format_weights(arrays), "weights.bin");
  REQUIRE(read);
  CHECK(*read == arrays);
}

TEST_CASE("weights that are cut off, too long or lie about their size are refused", "[models]") {
  const std::string bytes = format_weights(std::vector<NamedArray>{{"a", {1.0F, 2.0F}}, {"b", {3.0F}}});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(parse_weights(std::string_view{bytes}.substr(0, length), "weights.bin"));
  }
  CHECK_FALSE(parse_weights(bytes + 'x', "weights.bin"));
  std::string huge = bytes;
  for (std::size_t i = 0; i < 8; ++i) huge[8 + 4 + 1 + 1 + i] = '\xff';  // the count of the first array
  CHECK_FALSE(parse_weights(huge, "weights.bin"));
}

TEST_CASE("changed bits in weights never crash the reader", "[models]") {
  const std::string bytes = format_weights(std::vector<NamedArray>{{"abc", {1.0F, 2.0F}}, {"b", {3.0F}}});
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string damaged = bytes;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    const auto read = parse_weights(damaged, "weights.bin");
    if (read) {
      CHECK(format_weights(*read) == damaged);
    }
    CHECK(digest_of_bytes(damaged) != digest_of_bytes(bytes));
  }
}

TEST_CASE("a model card in no folder is not found", "[models]") {
  const auto read = read_model_card("/nonexistent/model");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kNotFound);
}

}  // namespace
}  // namespace wan::models
