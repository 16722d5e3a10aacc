#include "models/learned_model.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "models/history.h"

namespace wan::models {
namespace {

constexpr std::size_t kWeightsBytesMax = std::size_t{1} << 30;

std::vector<float> to_floats(std::span<const double> values) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

/// Hands out the arrays of a file by name and remembers the first that is missing or has another size than expected.
class ArrayShelf {
 public:
  explicit ArrayShelf(std::vector<NamedArray> arrays) : arrays_{std::move(arrays)} {}

  [[nodiscard]] std::vector<float> take(std::string_view name, std::size_t size, float minimum) {
    const auto found =
        std::find_if(arrays_.begin(), arrays_.end(), [&](const NamedArray& array) { return array.name == name; });
    const bool sound = found != arrays_.end() && found->values.size() == size &&
                       std::all_of(found->values.begin(), found->values.end(), [&](float v) { return v >= minimum; });
    if (sound) return std::move(found->values);
    if (problem_.empty()) problem_ = "array \"" + std::string{name} + "\" is missing or does not fit the card";
    return std::vector<float>(size, 0.0F);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::vector<NamedArray> arrays_;
  std::string problem_;
};

constexpr float kAnyValue = std::numeric_limits<float>::lowest();

CorrectionShape shape_of(const ModelCard& card, std::size_t pair_count) {
  return {.pairs = pair_count,
          .features = card.features,
          .embedding = card.hyper_parameters.embedding,
          .hidden = card.hyper_parameters.hidden,
          .members = card.hyper_parameters.members};
}

/// Lag models kept one after the other in one array.
std::vector<LagModel> to_lag_models(std::span<const float> weights, const std::vector<float>& mean_bps) {
  std::vector<LagModel> models;
  for (std::size_t first = 0; first < weights.size(); first += mean_bps.size() * LagModel::kInputs) {
    const auto own = weights.subspan(first, mean_bps.size() * LagModel::kInputs);
    models.push_back({.mean_bps = mean_bps, .weights = {own.begin(), own.end()}});
    models.back().derive_floor();
  }
  return models;
}

std::vector<float> all_weights(const std::vector<LagModel>& models) {
  std::vector<float> weights;
  for (const LagModel& model : models) weights.insert(weights.end(), model.weights.begin(), model.weights.end());
  return weights;
}

ExpertMix take_mix(ArrayShelf& shelf, std::size_t pairs, std::size_t experts, double rate) {
  constexpr float kTiny = std::numeric_limits<float>::min();
  return {.expert_count = experts,
          .rate = rate,
          .unit_bps = shelf.take("mix_unit_bps", pairs, kTiny),
          .prior = shelf.take("mix_prior", experts, kTiny),
          .losses = shelf.take("mix_losses", pairs * experts, kAnyValue)};
}

/// A network and its seasons, whose arrays' names begin with a prefix.
Result<Correction> take_correction(ArrayShelf& shelf, const ModelCard& card, std::size_t pairs,
                                   const std::string& prefix) {
  SeasonProfile seasons{pairs, card.interval};
  std::vector<float> counts = shelf.take(prefix + "season_counts", seasons.counts().size(), 0.0F);
  std::vector<float> sums = shelf.take(prefix + "season_sums", seasons.sums().size(), kAnyValue);
  const CorrectionShape shape = shape_of(card, pairs);
  const std::vector<float> parameters = shelf.take(prefix + "correction", shape.parameter_count(), kAnyValue);
  if (!shelf.problem().empty()) return fail(ErrorCode::kBadInput, shelf.problem());
  if (!seasons.restore(std::move(counts), std::move(sums))) {
    return fail(ErrorCode::kBadInput, "the seasons do not fit the card's interval");
  }
  auto net = CorrectionNet::from_parameters(shape, parameters);
  if (!net) return tl::unexpected{net.error()};
  return Correction{.base = 0, .seasons = std::move(seasons), .net = *std::move(net)};
}

Regressions take_regressions(ArrayShelf& shelf, const ModelCard& card, std::size_t pairs) {
  Regressions made{.daily = DailySteps{pairs, card.interval}, .fits = {}};
  const std::size_t each = pairs * kRegressionInputs;
  const std::vector<float> weights = shelf.take("regression_weights", ExpertPanel::kRegressions * each, kAnyValue);
  for (std::size_t i = 0; i < ExpertPanel::kRegressions; ++i) {
    const auto own = std::span{weights}.subspan(i * each, each);
    made.fits.push_back({.weights = {own.begin(), own.end()}});
  }
  std::vector<float> counts = shelf.take("daily_counts", made.daily.counts().size(), 0.0F);
  std::vector<float> sums = shelf.take("daily_sums", made.daily.sums().size(), kAnyValue);
  [[maybe_unused]] const bool fits = made.daily.restore(std::move(counts), std::move(sums));
  assert(fits);  // the shelf hands out the sizes asked for
  return made;
}

Result<std::unique_ptr<LearnedModel>> assemble_learned(const ModelCard& card, const PairIndex& pairs,
                                                       ArrayShelf& shelf) {
  const HyperParameters& chosen = card.hyper_parameters;
  const std::vector<float> mean_bps = shelf.take("pair_mean_bps", pairs.size(), 0.0F);
  const std::size_t weights = pairs.size() * LagModel::kInputs;
  const std::vector<float> lags = shelf.take("lag_weights", chosen.lag_models * weights, kAnyValue);
  const std::vector<float> further = shelf.take("further_weights", (kHorizonMax - 1) * weights, kAnyValue);
  std::vector<float> further_shares = shelf.take("further_shares", kHorizonMax - 1, 0.0F);
  auto best = take_correction(shelf, card, pairs.size(), "");
  if (!best) return tl::unexpected{best.error()};
  auto shared = take_correction(shelf, card, pairs.size(), "shared_");
  if (!shared) return tl::unexpected{shared.error()};
  best->base = chosen.base_lag_model;
  best->share = chosen.correction;
  shared->base = chosen.lag_models - 1;
  shared->share = chosen.shared_correction;
  ExpertMix mix = take_mix(shelf, pairs.size(), ExpertPanel::size_with(chosen.lag_models), chosen.mix_rate);
  Regressions regressions = take_regressions(shelf, card, pairs.size());
  if (!shelf.problem().empty()) return fail(ErrorCode::kBadInput, shelf.problem());
  std::vector<Correction> corrections;
  corrections.push_back(*std::move(best));
  corrections.push_back(*std::move(shared));
  ExpertPanel panel{
      pairs,        card.ewma_alpha, to_lag_models(lags, mean_bps), std::move(corrections), std::move(regressions),
      card.interval};
  return std::make_unique<LearnedModel>(
      std::move(panel), std::move(mix),
      LearnedModel::Further{.lags = to_lag_models(further, mean_bps), .shares = std::move(further_shares)},
      card.trained_until);
}

/// @error kBadInput, with a message that does not yet name the file
Result<ModelBundle> assemble(const ModelCard& card, std::vector<NamedArray> arrays) {
  if (card.features != kFeatureCount || card.history_intervals < LagModel::kLags) {
    return fail(ErrorCode::kBadInput, "the card's input shape is not the one of this version");
  }
  // The first array has a number a pair, so a card cannot claim more nodes than the file pays for.
  const std::size_t stored = arrays.empty() ? 0 : arrays.front().values.size();
  const std::size_t entries = card.class_count * card.node_count * card.node_count;
  if (stored != entries - card.class_count * card.node_count) {
    return fail(ErrorCode::kBadInput, "the weights are not those of the card's number of nodes and classes");
  }
  ArrayShelf shelf{std::move(arrays)};
  const std::vector<float> ar12_means = shelf.take("ar12_mean_bps", entries, 0.0F);
  const std::vector<float> ar12_weights = shelf.take("ar12_weights", entries * Ar12::kUnknowns, kAnyValue);
  PredictionBands bands{entries};
  const std::vector<float> band_numbers = shelf.take("bands", bands.to_numbers().size(), kAnyValue);
  auto learned = assemble_learned(card, PairIndex{card.node_count, card.class_count}, shelf);
  if (!learned) return tl::unexpected{learned.error()};
  if ((*learned)->history_intervals() != card.history_intervals) {
    return fail(ErrorCode::kBadInput, "the card's input shape is not the one of this version");
  }
  Ar12 ar12{.node_count = card.node_count,
            .class_count = card.class_count,
            .mean_bps = {ar12_means.begin(), ar12_means.end()},
            .weights = {ar12_weights.begin(), ar12_weights.end()}};
  if (!bands.restore(band_numbers)) return fail(ErrorCode::kBadInput, "the bands do not fit the card");
  return ModelBundle{.card = card, .learned = *std::move(learned), .ar12 = std::move(ar12), .bands = std::move(bands)};
}

}  // namespace

LearnedModel::LearnedModel(ExpertPanel panel, ExpertMix mix, Further further, Timestamp trained_until)
    : panel_{std::move(panel)},
      mix_{std::move(mix)},
      further_{std::move(further)},
      trained_until_{trained_until},
      finder_{std::make_unique<RecentLossFinder>()} {
  assert(mix_.expert_count == panel_.size() && further_.lags.size() == kHorizonMax - 1);
  assert(further_.shares.size() == kHorizonMax - 1);
  for (const LagModel& model : further_.lags) by_further_.emplace_back(model);
}

std::size_t LearnedModel::history_intervals() const {
  return LagModel::kLags + RecentLossFinder::rows_for(panel_.pairs().size(), panel_.size());
}

Result<RecentLosses> LearnedModel::look_back(std::span<const TrafficMatrix> history) const {
  const PairIndex& pairs = panel_.pairs();
  if (auto shape = check_history(history, pairs.node_count(), pairs.class_count()); !shape) {
    return tl::unexpected{shape.error()};
  }
  return finder_->look_back(panel_, mix_, history, trained_until_);
}

Result<bool> LearnedModel::falls_back(std::span<const TrafficMatrix> history) const {
  const auto recent = look_back(history);
  if (!recent) return tl::unexpected{recent.error()};
  return recent->drifted;
}

Result<TrafficMatrix> LearnedModel::next(std::span<const TrafficMatrix> history) const {
  const auto recent = look_back(history);
  if (!recent) return tl::unexpected{recent.error()};
  return nearest(history.back().measured_at(), *recent);
}

TrafficMatrix LearnedModel::nearest(Timestamp newest, const RecentLosses& recent) const {
  const PairIndex& pairs = panel_.pairs();
  const std::size_t experts = panel_.size();
  TrafficMatrix forecast{pairs.node_count(), pairs.class_count()};
  forecast.set_measured_at(newest + panel_.interval());
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    const auto of_pair = std::span<const float>{*recent.forecasts}.subspan(pair * experts, experts);
    const auto losses = std::span<const float>{recent.sums}.subspan(pair * experts, experts);
    forecast.bps()[pairs.position(pair)] =
        recent.drifted ? static_cast<double>(of_pair[ExpertPanel::kBaseline]) : mix_.mix(pair, of_pair, losses);
  }
  return forecast;
}

Result<std::vector<TrafficMatrix>> LearnedModel::ahead(std::span<const TrafficMatrix> history,
                                                       std::size_t horizon) const {
  assert(horizon >= 1 && horizon <= kHorizonMax);
  const auto recent = look_back(history);
  if (!recent) return tl::unexpected{recent.error()};
  std::vector<TrafficMatrix> made(horizon, nearest(history.back().measured_at(), *recent));
  const PairIndex& pairs = panel_.pairs();
  for (std::size_t step = 1; step < horizon; ++step) {
    made[step].set_measured_at(made[step - 1].measured_at() + panel_.interval());
  }
  if (recent->drifted) return made;  // an EWMA expects what it expects next for ever
  const RecentTraffic seen = recent_traffic(pairs, further_.lags.front(), history);
  std::vector<double> units(pairs.size());
  for (std::size_t step = 1; step < horizon; ++step) {
    by_further_[step - 1].predict(seen.bps, seen.scale_bps, units);
    const auto share = static_cast<double>(further_.shares[step - 1]);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      double& bps = made[step].bps()[pairs.position(pair)];
      bps += share * (units[pair] * seen.scale_bps[pair] - bps);
    }
  }
  return made;
}

std::vector<NamedArray> LearnedModel::to_arrays() const {
  std::vector<NamedArray> arrays{{"pair_mean_bps", panel_.lags().front().mean_bps},
                                 {"lag_weights", all_weights(panel_.lags())},
                                 {"further_weights", all_weights(further_.lags)},
                                 {"further_shares", further_.shares},
                                 {"mix_unit_bps", mix_.unit_bps},
                                 {"mix_prior", mix_.prior},
                                 {"mix_losses", mix_.losses}};
  const std::array<std::string, 2> prefixes{"", "shared_"};
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const Correction& correction = panel_.corrections()[i];
    const SeasonProfile& seasons = correction.seasons;
    arrays.push_back({prefixes[i] + "season_counts", {seasons.counts().begin(), seasons.counts().end()}});
    arrays.push_back({prefixes[i] + "season_sums", {seasons.sums().begin(), seasons.sums().end()}});
    arrays.push_back({prefixes[i] + "correction", correction.net.parameters()});
  }
  const Regressions& regressions = panel_.regressions();
  NamedArray& weights = arrays.emplace_back(NamedArray{"regression_weights", {}});
  for (const PanelRegression& fit : regressions.fits) {
    weights.values.insert(weights.values.end(), fit.weights.begin(), fit.weights.end());
  }
  const auto counts = regressions.daily.counts();
  const auto sums = regressions.daily.sums();
  arrays.push_back({"daily_counts", {counts.begin(), counts.end()}});
  arrays.push_back({"daily_sums", {sums.begin(), sums.end()}});
  return arrays;
}

Result<void> make_model_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, folder.string() + ": cannot be made: " + error.message());
  return {};
}

Result<void> save_model(const std::filesystem::path& folder, ModelBundle& model) {
  if (auto made = make_model_folder(folder); !made) return made;
  std::vector<NamedArray> arrays = model.learned->to_arrays();
  arrays.push_back({"ar12_mean_bps", to_floats(model.ar12.mean_bps)});
  arrays.push_back({"ar12_weights", to_floats(model.ar12.weights)});
  arrays.push_back({"bands", model.bands.to_numbers()});
  const std::string weights = format_weights(arrays);
  model.card.weights_digest = digest_of_bytes(weights);
  if (auto written = write_model_file(folder / "weights.bin", weights); !written) return written;
  return write_model_file(folder / "card.json", format_model_card(model.card));
}

Result<ModelBundle> load_model(const std::filesystem::path& folder) {
  auto card = read_model_card(folder);
  if (!card) return tl::unexpected{card.error()};
  const std::filesystem::path file = folder / "weights.bin";
  const auto bytes = read_model_file(file, kWeightsBytesMax);
  if (!bytes) return tl::unexpected{bytes.error()};
  if (digest_of_bytes(*bytes) != card->weights_digest) {
    return fail(ErrorCode::kBadInput, file.string() + ": damaged: it does not match the digest on the model's card");
  }
  auto arrays = parse_weights(*bytes, file.string());
  if (!arrays) return tl::unexpected{arrays.error()};
  auto bundle = assemble(*card, *std::move(arrays));
  if (!bundle) return fail(bundle.error().code, file.string() + ": " + bundle.error().message);
  return bundle;
}

Result<void> check_model_fits(const ModelCard& card, const Topology& topology) {
  if (card.topology_digest == topology.digest() && card.node_count == topology.node_count()) return {};
  const std::string trained_for = card.network.empty() ? "another network" : '"' + card.network + '"';
  return fail(ErrorCode::kShapeMismatch,
              "the model was trained for " + trained_for + " (" + std::to_string(card.node_count) +
                  " nodes, topology digest " + card.topology_digest + "), not for this topology (" +
                  std::to_string(topology.node_count()) + " nodes, digest " + topology.digest() + ')');
}

Result<std::unique_ptr<Forecaster>> load_forecaster(const std::filesystem::path& folder, const Topology& topology) {
  auto model = load_model(folder);
  if (!model) return tl::unexpected{model.error()};
  if (auto fits = check_model_fits(model->card, topology); !fits) {
    return fail(fits.error().code, folder.string() + ": " + fits.error().message);
  }
  return std::unique_ptr<Forecaster>{std::move(model->learned)};
}

}  // namespace wan::models
