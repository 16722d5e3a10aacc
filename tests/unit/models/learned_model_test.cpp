#include "models/learned_model.h"

#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

namespace wan::models {
namespace {

constexpr std::chrono::seconds kInterval = std::chrono::hours{6};

/// Of a network of two nodes, with the smallest networks that correct.
ModelCard small_card() {
  ModelCard card;
  card.node_count = 2;
  card.interval = kInterval;
  card.history_intervals = 72;
  card.features = kFeatureCount;
  card.trained_until = Timestamp{std::chrono::days{10'000}};
  card.ewma_alpha = 0.5;
  card.hyper_parameters = {.lag_models = 1, .mix_rate = 0.4, .embedding = 1, .hidden = 1, .members = 1};
  return card;
}

/// Made up: the lag model says what was last, and weighs as much as any other expert.
std::vector<NamedArray> small_model() {
  constexpr std::size_t kPairs = 2;
  constexpr std::size_t kEntries = 4;
  constexpr std::size_t kSlots = 1 + 1 + 4;  // of the hour, the quarter day and the day
  constexpr std::size_t kDays = 4;
  constexpr std::size_t kNetwork = kPairs + kFeatureCount + 6;
  constexpr std::size_t kExperts = ExpertPanel::size_with(1);
  const auto of = [](const char* name, std::size_t size, float value) {
    return NamedArray{.name = name, .values = std::vector<float>(size, value)};
  };
  std::vector<NamedArray> arrays{of("pair_mean_bps", kPairs, 1e6F),
                                 of("lag_weights", kPairs * LagModel::kInputs, 0.0F),
                                 of("further_weights", (kHorizonMax - 1) * kPairs * LagModel::kInputs, 0.0F),
                                 of("further_shares", kHorizonMax - 1, 0.5F),
                                 of("season_counts", kSlots, 10.0F),
                                 of("season_sums", kSlots * kPairs, 0.1F),
                                 of("correction", kNetwork, 0.01F),
                                 of("shared_season_counts", kSlots, 10.0F),
                                 of("shared_season_sums", kSlots * kPairs, 0.1F),
                                 of("shared_correction", kNetwork, 0.01F),
                                 of("regression_weights", 2 * kPairs * kRegressionInputs, 0.01F),
                                 of("daily_counts", kDays, 10.0F),
                                 of("daily_sums", kDays * kPairs, 0.1F),
                                 of("mix_unit_bps", kPairs, 1e5F),
                                 of("mix_prior", kExperts, 1.0F / kExperts),
                                 of("mix_losses", kPairs * kExperts, 0.0F),
                                 of("ar12_mean_bps", kEntries, 1e6F),
                                 of("ar12_weights", kEntries * Ar12::kUnknowns, 0.05F),
                                 NamedArray{.name = "bands", .values = PredictionBands{kEntries}.to_numbers()}};
  for (std::size_t pair = 0; pair < kPairs; ++pair) arrays[1].values[pair * LagModel::kInputs] = 1.0F;
  return arrays;
}

std::vector<float>& values_of(std::vector<NamedArray>& arrays, const std::string& name) {
  return std::find_if(arrays.begin(), arrays.end(), [&](const NamedArray& array) { return array.name == name; })
      ->values;
}

std::vector<TrafficMatrix> steady_traffic() {
  std::vector<TrafficMatrix> history(30, TrafficMatrix{2, 1});
  for (std::size_t row = 0; row < history.size(); ++row) {
    history[row].set_measured_at(small_card().trained_until + static_cast<std::int64_t>(row) * kInterval);
    history[row].set(NodeId{0}, NodeId{1}, BitRate::mbps(1));
  }
  return history;
}

/// What comes of a small model with one thing changed.
Result<ModelBundle> changed(const std::string& name, const std::function<void(std::vector<float>&)>& change) {
  auto arrays = small_model();
  change(values_of(arrays, name));
  return assemble_model(small_card(), arrays);
}

std::string refusal(const Result<ModelBundle>& model) {
  if (model) return "accepted";
  return model.error().code == ErrorCode::kBadInput ? model.error().message : "refused as something else";
}

TEST_CASE("a model is put together from its arrays in any order, and gives them back", "[models]") {
  auto arrays = small_model();
  std::rotate(arrays.begin() + 1, arrays.begin() + 5, arrays.end());
  const auto model = assemble_model(small_card(), arrays);
  REQUIRE(model);
  auto back = to_arrays(*model);
  const auto by_name = [](const NamedArray& a, const NamedArray& b) { return a.name < b.name; };
  std::sort(arrays.begin(), arrays.end(), by_name);
  std::sort(back.begin(), back.end(), by_name);
  CHECK(back == arrays);
  const auto ahead = model->learned->ahead(steady_traffic(), kHorizonMax);
  REQUIRE(ahead);
  CHECK(ahead->front().at(NodeId{0}, NodeId{1}).bps() == Approx(1e6).epsilon(0.2));
  CHECK(ahead->front() == model->learned->next(steady_traffic()).value());
}

TEST_CASE("a card that claims more than the weights hold is refused before anything is made for it", "[models]") {
  const auto resident_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto before = resident_kib();
  ModelCard card = small_card();
  card.hyper_parameters.hidden = 4096;  // networks of 4 GiB
  card.hyper_parameters.members = 64;
  CHECK(refusal(assemble_model(card, small_model())) == "array \"correction\" is missing or does not fit the card");
  // A network of 2,000 nodes whose file holds no more than a number a pair: seasons by the second would take 69 GB.
  card = small_card();
  card.node_count = 2000;
  card.interval = std::chrono::seconds{1};
  const std::vector<NamedArray> means{{.name = "pair_mean_bps", .values = std::vector<float>(2000 * 1999, 1e6F)}};
  CHECK(refusal(assemble_model(card, means)) == "array \"lag_weights\" is missing or does not fit the card");
  CHECK(resident_kib() - before < 200 * 1024);
}

TEST_CASE("a model of a network without two nodes is refused", "[models]") {
  ModelCard card = small_card();
  card.node_count = 1;
  auto arrays = small_model();
  for (NamedArray& array : arrays) array.values.clear();
  CHECK(refusal(assemble_model(card, arrays)) == "the card's network has no two nodes");
  CHECK(refusal(assemble_model(card, {})) == "the card's network has no two nodes");
}

TEST_CASE("an array that no version knows, or that is there twice, is refused", "[models]") {
  auto arrays = small_model();
  arrays.push_back({.name = "more\n", .values = {1.0F}});
  CHECK(refusal(assemble_model(small_card(), arrays)) == "an array that this version does not know");
  arrays.back() = arrays.front();
  CHECK(refusal(assemble_model(small_card(), arrays)) == "an array that this version does not know");
}

TEST_CASE("a share beyond 1, which would forecast less than nothing, is refused", "[models]") {
  const auto with_share = [](float share) {
    return changed("further_shares", [&](std::vector<float>& values) { values[3] = share; });
  };
  CHECK(with_share(1.0F));
  for (const float share : {1.01F, -0.01F, 3e38F}) {
    CHECK(refusal(with_share(share)) == "array \"further_shares\" holds a value that it cannot have");
  }
}

TEST_CASE("bands that misses never leave behind are refused", "[models]") {
  // [4] level; then by horizon: widening, usual misses [4], offsets [5][4].
  struct Change {
    std::size_t place;
    float value;
  };
  const auto with = [](Change change) {
    return changed("bands", [&](std::vector<float>& values) { values.at(change.place) = change.value; });
  };
  constexpr std::size_t kLast = 4 + 11 * 25;
  CHECK(with({kLast, 5.0F}));
  for (const Change change :
       {Change{0, -1.0F}, Change{3, 2e30F}, Change{kLast, 0.1F}, Change{kLast, 5.1F}, Change{kLast + 1, 0.0F},
        Change{kLast + 4, 2e30F}, Change{kLast + 5, -2e30F}, Change{kLast + 24, 2e30F}}) {
    INFO(change.place << ": " << change.value);
    CHECK(refusal(with(change)) == "array \"bands\" holds a value that it cannot have");
  }
}

TEST_CASE("numbers that no training gives lead to an error instead of a forecast that is no rate", "[models]") {
  static constexpr float kHuge = std::numeric_limits<float>::max();
  for (const char* const name : {"lag_weights", "correction", "shared_correction", "regression_weights"}) {
    INFO(name);
    const auto model =
        changed(name, [](std::vector<float>& values) { std::fill(values.begin(), values.end(), kHuge); });
    REQUIRE(model);
    const auto next = model->learned->next(steady_traffic());
    REQUIRE_FALSE(next);
    CHECK(next.error().code == ErrorCode::kInternal);
    CHECK_FALSE(model->learned->ahead(steady_traffic(), 2));
  }
  // Losses beyond all measure weigh an expert out, but another one is left.
  const auto model = changed("mix_losses", [](std::vector<float>& values) { values.back() = kHuge; });
  REQUIRE(model);
  CHECK(model->learned->next(steady_traffic()));
}

}  // namespace
}  // namespace wan::models
