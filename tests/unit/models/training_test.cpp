#include "models/training.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>

#include "core/random.h"
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
    const auto history = std::span{series.intervals}.subspan(row - 72, 72);
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

/// Swinging traffic whose rows from `from` up to `to` are another kind: noise around a mean that jumps now and then.
TrafficSeries swing_lost(std::size_t from, std::size_t to, std::size_t rows) {
  auto series = test::swinging_traffic(kNodes, rows, 0.05, 1);
  Rng rng{9};
  std::vector<double> level(series.intervals[0].bps().begin(), series.intervals[0].bps().end());
  for (std::size_t row = from; row < to; ++row) {
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (level[i] > 0.0 && rng.uniform() < 0.05) level[i] = 1e6 * (1.0 + 20.0 * rng.uniform());
      series.intervals[row].bps()[i] = level[i] * (1.0 + 0.01 * rng.uniform());
    }
  }
  return series;
}

TEST_CASE("a model falls back on the moving average while traffic is not what it learned, and comes back", "[models]") {
  constexpr std::size_t kLost = 340, kFound = 420, kRows = 500;
  const auto series = swing_lost(kLost, kFound, kRows);
  const ModelBundle model = trained(first_rows(series, kTrained));
  const std::span<const TrafficMatrix> all = series.intervals;
  const auto ewma = make_ewma_forecaster(model.card.ewma_alpha);
  CHECK_FALSE(model.learned->falls_back(all.first(kLost)).value());
  CHECK_FALSE(model.learned->falls_back(all.first(kRows)).value());
  REQUIRE(model.learned->falls_back(all.first(kFound)).value());
  const auto forecast = model.learned->next(all.first(kFound));
  const auto safe = ewma->next(all.first(kFound));
  const auto ahead = model.learned->ahead(all.first(kFound), kHorizonMax);
  REQUIRE(forecast);
  REQUIRE(ahead);
  for (std::size_t i = 0; i < forecast->bps().size(); ++i) {
    CHECK(forecast->bps()[i] == Approx(safe->bps()[i]).epsilon(1e-3));
    CHECK((*ahead)[kHorizonMax - 1].bps()[i] == forecast->bps()[i]);
  }
}

TEST_CASE("a model's forecast does not depend on what it was asked before", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 400, 0.2, 1);
  const ModelBundle asked = trained(first_rows(series, kTrained));
  const ModelBundle fresh = trained(first_rows(series, kTrained));
  const std::span<const TrafficMatrix> all = series.intervals;
  for (std::size_t row = kTrained; row < 390; ++row) REQUIRE(asked.learned->next(all.first(row)));
  CHECK(*asked.learned->next(all.first(395)) == *fresh.learned->next(all.first(395)));
  // A history that differs from one met before in a single entry is another history.
  auto other = series;
  other.intervals[380].bps()[1] *= 1.5;
  const ModelBundle unasked = trained(first_rows(series, kTrained));
  CHECK(*asked.learned->next(std::span<const TrafficMatrix>{other.intervals}.first(395)) ==
        *unasked.learned->next(std::span<const TrafficMatrix>{other.intervals}.first(395)));
}

TEST_CASE("a model foretells a swing several intervals ahead", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 400, 0.02, 1);
  const ModelBundle model = trained(first_rows(series, kTrained));
  const std::vector<std::size_t> horizons{1, 6, kHorizonMax};
  const auto learned = score_horizons(*model.learned, series.intervals, kTrained, 400, horizons);
  const auto last = score_horizons(*make_last_value_forecaster(), series.intervals, kTrained, 400, horizons);
  REQUIRE(learned);
  REQUIRE(last);
  for (std::size_t h = 0; h < horizons.size(); ++h) CHECK((*learned)[h].nmae < 0.5 * (*last)[h].nmae);
  const auto ahead = model.learned->ahead(series.intervals, 3);
  REQUIRE(ahead);
  CHECK((*ahead)[0] == *model.learned->next(series.intervals));
  CHECK((*ahead)[2].measured_at() == series.intervals.back().measured_at() + 3 * model.card.interval);
}

TEST_CASE("bands around a model's forecasts hold what they promise", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 500, 0.15, 1);
  const ModelBundle model = trained(first_rows(series, kTrained));
  const std::vector<std::size_t> horizons{1, 6, kHorizonMax};
  const auto scores = score_bands(*model.learned, model.bands, series.intervals, kTrained, kTrained, 500, horizons);
  REQUIRE(scores);
  for (const BandScore& score : *scores) {
    CHECK(score.coverage == Approx(0.9).margin(0.03));
    CHECK(score.width > 0.0);
    CHECK(score.pinball > 0.0);
  }
}

TEST_CASE("training goes on from a model, the same way each time", "[models]") {
  const auto series = test::swinging_traffic(kNodes, 500, 0.05, 1);
  const ModelBundle before = trained(first_rows(series, kTrained));
  const auto grown = first_rows(series, 400);
  const auto after = resume_training(test::ring(kNodes), grown, before, quick(1));
  const auto again = resume_training(test::ring(kNodes), grown, before, quick(1));
  REQUIRE(after);
  REQUIRE(again);
  CHECK(format_weights(after->learned->to_arrays()) == format_weights(again->learned->to_arrays()));
  CHECK(after->card.trained_rows == 400);
  CHECK(after->card.trained_until == series.intervals[400].measured_at());
  CHECK(after->card.resumed_from == before.card.weights_digest);
  CHECK(after->card.validation.rows == 100);
  CHECK(after->card.validation.model ==
        Approx(score_forecaster(*before.learned, series.intervals, kTrained, 400)->nmae));
  CHECK(score_forecaster(*after->learned, series.intervals, 400, 500)->nmae <
        0.7 * score_forecaster(*make_last_value_forecaster(), series.intervals, 400, 500)->nmae);

  const auto nothing_new = resume_training(test::ring(kNodes), first_rows(series, kTrained + 5), before, quick(1));
  CHECK(nothing_new.error().code == ErrorCode::kBadInput);
  auto only_new = series;
  only_new.intervals.erase(only_new.intervals.begin(), only_new.intervals.begin() + 290);
  CHECK(resume_training(test::ring(kNodes), only_new, before, quick(1)).error().code == ErrorCode::kBadInput);
  const auto classes = test::swinging_traffic(kNodes, 400, 0.05, 1, 2);
  CHECK(resume_training(test::ring(kNodes), classes, before, quick(1)).error().code == ErrorCode::kShapeMismatch);
}

}  // namespace
}  // namespace wan::models
