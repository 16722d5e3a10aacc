#include "models/training.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>

#include "models/evaluation.h"
#include "models/model_file.h"
#include "tests/unit/core/scratch_folder.h"
#include "tests/unit/models/synthetic_traffic.h"

namespace wan::models {
namespace {

constexpr std::size_t kNodes = 4;
constexpr std::size_t kTrained = 300;

TrafficSeries first_rows(TrafficSeries series, std::size_t count) {
  series.intervals.resize(count);
  return series;
}

TrainOptions quick(std::uint64_t seed) {
  TrainOptions options;
  options.seed = seed;
  options.epochs = 3;
  options.network = "ring";
  return options;
}

ModelBundle trained(const TrafficSeries& series, std::uint64_t seed = 1) {
  auto model = train_model(test::ring(kNodes), series, quick(seed));
  REQUIRE(model);
  return *std::move(model);
}

TEST_CASE("a learned forecaster beats the last value on traffic that can be foreseen", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 400, 0.05, 1);
  const ModelBundle model = trained(first_rows(series, kTrained));
  const auto learned = score_forecaster(*model.learned, series.intervals, kTrained, 400);
  const auto last = score_forecaster(*make_last_value_forecaster(), series.intervals, kTrained, 400);
  REQUIRE(learned);
  REQUIRE(last);
  CHECK(learned->nmae < 0.7 * last->nmae);
  CHECK(model.card.validation.model < model.card.validation.last);
}

TEST_CASE("a model forecasts the same after it was saved and loaded", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 330, 0.05, 1, 2);
  ModelBundle model = trained(first_rows(series, kTrained));
  const test::ScratchFolder folder;
  REQUIRE(save_model(folder / "deep/model", model));
  const auto loaded = load_forecaster(folder / "deep/model", test::ring(kNodes));
  REQUIRE(loaded);
  for (std::size_t row = kTrained; row < 330; ++row) {
    const auto history = std::span{series.intervals}.subspan(row - 24, 24);
    const auto before = model.learned->next(history);
    const auto after = (*loaded)->next(history);
    REQUIRE(before);
    REQUIRE(after);
    CHECK(*before == *after);
    CHECK(after->measured_at() == series.intervals[row].measured_at());
  }
  const auto card = read_model_card(folder / "deep/model");
  REQUIRE(card);
  CHECK(*card == model.card);
  CHECK(card->trained_from == series.intervals[0].measured_at());
  CHECK(card->trained_until == series.intervals[kTrained].measured_at());
  CHECK(card->class_count == 2);
  CHECK(card->ewma_alpha == fit_ewma_alpha(first_rows(series, kTrained).intervals));
}

TEST_CASE("the same seed gives the same model and another seed another", "[models]") {
  const auto series = test::swinging_traffic(kNodes, kTrained, 0.05, 1);
  const std::string once = format_weights(trained(series, 1).learned->to_arrays());
  const std::string again = format_weights(trained(series, 1).learned->to_arrays());
  const ModelBundle other = trained(series, 2);
  CHECK(once == again);
  CHECK(once != format_weights(other.learned->to_arrays()));
  const ModelBundle first = trained(series, 1);
  CHECK(first.learned->next(series.intervals)->bps()[2] != other.learned->next(series.intervals)->bps()[2]);
}

TEST_CASE("a forecast depends on the newest intervals of its history alone", "[models]") {
  const auto series = test::swinging_traffic(kNodes, kTrained, 0.05, 1);
  const ModelBundle model = trained(series);
  const std::span<const TrafficMatrix> all = series.intervals;
  CHECK(*model.learned->next(all) == *model.learned->next(all.last(model.learned->history_intervals())));
  for (const std::size_t length : {1U, 2U, 11U, 13U, 23U}) {
    const auto forecast = model.learned->next(all.last(length));
    REQUIRE(forecast);
    for (const double bps : forecast->bps()) CHECK((std::isfinite(bps) && bps >= 0.0));
  }
}

TEST_CASE("a learned forecaster gives nothing below zero and little for silent pairs", "[models]") {
  const auto series = test::swinging_traffic(kNodes, kTrained, 0.05, 1);
  const ModelBundle model = trained(series);
  std::vector<TrafficMatrix> silence(30, TrafficMatrix{kNodes});
  const auto forecast = model.learned->next(silence);
  REQUIRE(forecast);
  for (const double bps : forecast->bps()) CHECK((std::isfinite(bps) && bps >= 0.0));
  CHECK(model.learned->next(series.intervals)->at(NodeId{0}, NodeId{1}).mbps() < 0.1);
  CHECK(model.learned->next(series.intervals)->at(NodeId{2}, NodeId{2}).bps() == 0.0);
}

TEST_CASE("a learned forecaster refuses another network", "[models]") {
  const auto series = test::swinging_traffic(kNodes, kTrained, 0.05, 1);
  ModelBundle model = trained(series);
  const test::ScratchFolder folder;
  REQUIRE(save_model(folder.path(), model));
  const auto larger = load_forecaster(folder.path(), test::ring(kNodes + 1));
  REQUIRE_FALSE(larger);
  CHECK(larger.error().code == ErrorCode::kShapeMismatch);
  const std::vector<TrafficMatrix> strange{TrafficMatrix{kNodes + 1}};
  CHECK(model.learned->next(strange).error().code == ErrorCode::kShapeMismatch);
  const std::vector<TrafficMatrix> classes{TrafficMatrix{kNodes, 2}};
  CHECK(model.learned->next(classes).error().code == ErrorCode::kShapeMismatch);
}

void overwrite(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
}

TEST_CASE("a damaged model folder is refused and crashes nothing", "[models]") {
  const Topology topology = test::ring(kNodes);
  ModelBundle model = trained(test::swinging_traffic(kNodes, kTrained, 0.05, 1));
  const test::ScratchFolder folder;
  REQUIRE(save_model(folder.path(), model));
  for (const char* name : {"weights.bin", "card.json"}) {
    const std::string sound = read_model_file(folder / name, 1 << 24).value();
    const std::size_t step = std::max<std::size_t>(sound.size() / 97, 1);
    for (std::size_t place = 0; place < sound.size(); place += step) {
      std::string damaged = sound;
      damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
      overwrite(folder / name, damaged);
      const auto loaded = load_forecaster(folder.path(), topology);
      INFO(name << " byte " << place);
      REQUIRE_FALSE(loaded);
      REQUIRE(loaded.error().code == ErrorCode::kBadInput);
    }
    overwrite(folder / name, sound.substr(0, sound.size() / 2));
    REQUIRE_FALSE(load_forecaster(folder.path(), topology));
    std::filesystem::remove(folder / name);
    REQUIRE(load_forecaster(folder.path(), topology).error().code == ErrorCode::kNotFound);
    overwrite(folder / name, sound);
  }
  CHECK(load_forecaster(folder.path(), topology));
}

TEST_CASE("weights of the wrong shape are refused though their digest is right", "[models]") {
  const Topology topology = test::ring(kNodes);
  ModelBundle model = trained(test::swinging_traffic(kNodes, kTrained, 0.05, 1));
  const test::ScratchFolder folder;
  REQUIRE(save_model(folder.path(), model));
  const auto sound = parse_weights(read_model_file(folder / "weights.bin", 1 << 24).value(), "weights.bin").value();
  const auto load_with = [&](const std::vector<NamedArray>& arrays, const ModelCard& card) {
    const std::string bytes = format_weights(arrays);
    overwrite(folder / "weights.bin", bytes);
    ModelCard signed_card = card;
    signed_card.weights_digest = digest_of_bytes(bytes);
    overwrite(folder / "card.json", format_model_card(signed_card));
    return load_forecaster(folder.path(), topology);
  };
  REQUIRE(load_with(sound, model.card));
  for (std::size_t i = 0; i < sound.size(); ++i) {
    auto arrays = sound;
    arrays[i].values.pop_back();
    CHECK(load_with(arrays, model.card).error().code == ErrorCode::kBadInput);
    arrays = sound;
    arrays.erase(arrays.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(load_with(arrays, model.card).error().code == ErrorCode::kBadInput);
  }
  ModelCard larger = model.card;
  larger.node_count = 1'000'000;
  larger.class_count = 65'536;
  CHECK(load_with(sound, larger).error().code == ErrorCode::kBadInput);
  ModelCard deeper = model.card;
  deeper.hyper_parameters.hidden = 4096;
  CHECK(load_with(sound, deeper).error().code == ErrorCode::kBadInput);
}

TEST_CASE("training survives gaps in time and refuses what it cannot learn from", "[models]") {
  const Topology topology = test::ring(kNodes);
  auto gappy = test::swinging_traffic(kNodes, kTrained, 0.05, 1);
  gappy.intervals.erase(gappy.intervals.begin() + 100, gappy.intervals.begin() + 103);
  CHECK(train_model(topology, gappy, quick(1)));

  const auto short_series = first_rows(gappy, kTrainingIntervalsMin - 1);
  CHECK(train_model(topology, short_series, quick(1)).error().code == ErrorCode::kBadInput);
  CHECK(train_model(topology, TrafficSeries{}, quick(1)).error().code == ErrorCode::kBadInput);
  CHECK(train_model(test::ring(5), gappy, quick(1)).error().code == ErrorCode::kShapeMismatch);
  auto silent = gappy;
  for (TrafficMatrix& matrix : silent.intervals) matrix = matrix.scaled(0.0);
  CHECK(train_model(topology, silent, quick(1)).error().code == ErrorCode::kBadInput);
}

}  // namespace
}  // namespace wan::models
