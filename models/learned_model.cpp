#include "models/learned_model.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "models/history.h"

namespace wan::models {
namespace {

constexpr std::size_t kWeightsBytesMax = std::size_t{1} << 30;
constexpr std::array<std::string_view, ExpertPanel::kCorrections> kCorrectionPrefixes{"", "shared_"};

std::vector<float> to_floats(std::span<const double> values) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) floats.push_back(static_cast<float>(value));
  return floats;
}

constexpr float kAnyValue = std::numeric_limits<float>::lowest();
constexpr float kTiny = std::numeric_limits<float>::min();

/// Hands out the arrays of a file by name and remembers the first that is missing or is not as expected.
class ArrayShelf {
 public:
  explicit ArrayShelf(std::vector<NamedArray> arrays) : arrays_{std::move(arrays)} {}

  /// @return  empty, and `problem` says why, unless there is such an array
  [[nodiscard]] std::vector<float> take(std::string_view name, std::size_t size, float minimum,
                                        float maximum = std::numeric_limits<float>::max()) {
    const auto found =
        std::find_if(arrays_.begin(), arrays_.end(), [&](const NamedArray& array) { return array.name == name; });
    if (found == arrays_.end() || found->values.size() != size) {
      note("array \"" + std::string{name} + "\" is missing or does not fit the card");
      return {};
    }
    std::vector<float> values = std::move(found->values);
    arrays_.erase(found);
    if (std::all_of(values.begin(), values.end(), [&](float v) { return v >= minimum && v <= maximum; })) return values;
    note("array \"" + std::string{name} + "\" holds a value that it cannot have");
    return {};
  }
  /// Nothing that was taken may be used while there is one.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] bool empty() const { return arrays_.empty(); }

 private:
  void note(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  std::vector<NamedArray> arrays_;
  std::string problem_;
};

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

/// All numbers of a model, each array of the size that the card asks for.
struct Numbers {
  struct OfCorrection {
    std::vector<float> season_counts, season_sums, parameters;
  };

  std::vector<float> mean_bps, lags, further, further_shares;
  std::array<OfCorrection, ExpertPanel::kCorrections> corrections;
  std::vector<float> regressions, daily_counts, daily_sums;
  std::vector<float> mix_unit_bps, mix_prior, mix_losses;
  std::vector<float> ar12_mean_bps, ar12_weights, bands;
};

/// @param pairs    of the card's network; there is an array with a number for each
/// @param entries  of its traffic matrix
/// @error kBadInput
Result<Numbers> take_all(const ModelCard& card, std::size_t pairs, std::size_t entries,
                         std::vector<NamedArray> arrays) {
  ArrayShelf shelf{std::move(arrays)};
  const std::size_t lag_models = card.hyper_parameters.lag_models;
  const std::size_t experts = ExpertPanel::size_with(lag_models);
  const std::size_t slots = SeasonProfile::slot_count(card.interval);
  const std::size_t days = DailySteps::slot_count(card.interval);
  Numbers taken;
  taken.mean_bps = shelf.take("pair_mean_bps", pairs, 0.0F);
  taken.lags = shelf.take("lag_weights", lag_models * pairs * LagModel::kInputs, kAnyValue);
  taken.further = shelf.take("further_weights", (kHorizonMax - 1) * pairs * LagModel::kInputs, kAnyValue);
  taken.further_shares = shelf.take("further_shares", kHorizonMax - 1, 0.0F, 1.0F);
  for (std::size_t i = 0; i < taken.corrections.size(); ++i) {
    const std::string prefix{kCorrectionPrefixes[i]};
    Numbers::OfCorrection& correction = taken.corrections[i];
    correction.season_counts = shelf.take(prefix + "season_counts", slots, 0.0F);
    correction.season_sums = shelf.take(prefix + "season_sums", slots * pairs, kAnyValue);
    correction.parameters = shelf.take(prefix + "correction", shape_of(card, pairs).parameter_count(), kAnyValue);
  }
  taken.regressions =
      shelf.take("regression_weights", ExpertPanel::kRegressions * pairs * kRegressionInputs, kAnyValue);
  taken.daily_counts = shelf.take("daily_counts", days, 0.0F);
  taken.daily_sums = shelf.take("daily_sums", days * pairs, kAnyValue);
  taken.mix_unit_bps = shelf.take("mix_unit_bps", pairs, kTiny);
  taken.mix_prior = shelf.take("mix_prior", experts, kTiny);
  taken.mix_losses = shelf.take("mix_losses", pairs * experts, kAnyValue);
  taken.ar12_mean_bps = shelf.take("ar12_mean_bps", entries, 0.0F);
  taken.ar12_weights = shelf.take("ar12_weights", entries * Ar12::kUnknowns, kAnyValue);
  taken.bands = shelf.take("bands", PredictionBands::number_count(entries), kAnyValue);
  if (!shelf.problem().empty()) return fail(ErrorCode::kBadInput, shelf.problem());
  if (!shelf.empty()) return fail(ErrorCode::kBadInput, "an array that this version does not know");
  return taken;
}

/// @param base   which lag model it corrects
/// @param share  of the correction that is applied
Result<Correction> make_correction(const ModelCard& card, std::size_t pairs, Numbers::OfCorrection numbers,
                                   std::size_t base, double share) {
  auto net = CorrectionNet::from_parameters(shape_of(card, pairs), numbers.parameters);
  if (!net) return tl::unexpected{net.error()};
  SeasonProfile seasons{pairs, card.interval};
  [[maybe_unused]] const bool fits = seasons.restore(std::move(numbers.season_counts), std::move(numbers.season_sums));
  assert(fits);  // taken by the sizes of such a profile
  return Correction{.base = base, .seasons = std::move(seasons), .net = *std::move(net), .share = share};
}

Regressions make_regressions(const ModelCard& card, std::size_t pairs, Numbers& numbers) {
  Regressions made{.daily = DailySteps{pairs, card.interval}, .fits = {}};
  const std::size_t each = pairs * kRegressionInputs;
  for (std::size_t i = 0; i < ExpertPanel::kRegressions; ++i) {
    const auto own = std::span<const float>{numbers.regressions}.subspan(i * each, each);
    made.fits.push_back({.weights = {own.begin(), own.end()}});
  }
  [[maybe_unused]] const bool fits = made.daily.restore(std::move(numbers.daily_counts), std::move(numbers.daily_sums));
  assert(fits);
  return made;
}

Result<std::unique_ptr<LearnedModel>> make_learned(const ModelCard& card, Numbers& numbers) {
  const HyperParameters& chosen = card.hyper_parameters;
  PairIndex pairs{card.node_count, card.class_count};
  const std::array<std::size_t, 2> bases{chosen.base_lag_model, chosen.lag_models - 1};
  const std::array<double, 2> shares{chosen.correction, chosen.shared_correction};
  std::vector<Correction> corrections;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    auto made = make_correction(card, pairs.size(), std::move(numbers.corrections[i]), bases[i], shares[i]);
    if (!made) return tl::unexpected{made.error()};
    corrections.push_back(*std::move(made));
  }
  ExpertMix mix{.expert_count = ExpertPanel::size_with(chosen.lag_models),
                .rate = chosen.mix_rate,
                .unit_bps = std::move(numbers.mix_unit_bps),
                .prior = std::move(numbers.mix_prior),
                .losses = std::move(numbers.mix_losses)};
  Regressions regressions = make_regressions(card, pairs.size(), numbers);
  ExpertPanel panel{std::move(pairs),       card.ewma_alpha,        to_lag_models(numbers.lags, numbers.mean_bps),
                    std::move(corrections), std::move(regressions), card.interval};
  LearnedModel::Further further{.lags = to_lag_models(numbers.further, numbers.mean_bps),
                                .shares = std::move(numbers.further_shares)};
  return std::make_unique<LearnedModel>(std::move(panel), std::move(mix), std::move(further), card.trained_until);
}

/// Numbers that no training gives can lead beyond what can be counted.
bool all_finite(const TrafficMatrix& forecast) {
  const auto bps = forecast.bps();
  return std::all_of(bps.begin(), bps.end(), [](double value) { return std::isfinite(value); });
}

constexpr std::string_view kNotFinite = "the model's forecast is not finite: its numbers are none that training gives";

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
  TrafficMatrix forecast = nearest(history.back().measured_at(), *recent);
  if (!all_finite(forecast)) return fail(ErrorCode::kInternal, std::string{kNotFinite});
  return forecast;
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
  for (std::size_t step = 1; step < horizon; ++step) {
    made[step].set_measured_at(made[step - 1].measured_at() + panel_.interval());
  }
  // An EWMA expects what it expects next for ever.
  if (!recent->drifted) move_towards_lag_models(history, std::span{made}.subspan(1));
  if (!std::all_of(made.begin(), made.end(), all_finite)) return fail(ErrorCode::kInternal, std::string{kNotFinite});
  return made;
}

void LearnedModel::move_towards_lag_models(std::span<const TrafficMatrix> history,
                                           std::span<TrafficMatrix> further) const {
  const PairIndex& pairs = panel_.pairs();
  const RecentTraffic seen = recent_traffic(pairs, further_.lags.front(), history);
  std::vector<double> units(pairs.size());
  for (std::size_t step = 0; step < further.size(); ++step) {
    by_further_[step].predict(seen.bps, seen.scale_bps, units);
    const auto share = static_cast<double>(further_.shares[step]);
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      double& bps = further[step].bps()[pairs.position(pair)];
      bps += share * (units[pair] * seen.scale_bps[pair] - bps);
    }
  }
}

std::vector<NamedArray> LearnedModel::to_arrays() const {
  std::vector<NamedArray> arrays{{"pair_mean_bps", panel_.lags().front().mean_bps},
                                 {"lag_weights", all_weights(panel_.lags())},
                                 {"further_weights", all_weights(further_.lags)},
                                 {"further_shares", further_.shares},
                                 {"mix_unit_bps", mix_.unit_bps},
                                 {"mix_prior", mix_.prior},
                                 {"mix_losses", mix_.losses}};
  for (std::size_t i = 0; i < kCorrectionPrefixes.size(); ++i) {
    const std::string prefix{kCorrectionPrefixes[i]};
    const Correction& correction = panel_.corrections()[i];
    const SeasonProfile& seasons = correction.seasons;
    arrays.push_back({prefix + "season_counts", {seasons.counts().begin(), seasons.counts().end()}});
    arrays.push_back({prefix + "season_sums", {seasons.sums().begin(), seasons.sums().end()}});
    arrays.push_back({prefix + "correction", correction.net.parameters()});
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

std::vector<NamedArray> to_arrays(const ModelBundle& model) {
  std::vector<NamedArray> arrays = model.learned->to_arrays();
  arrays.push_back({"ar12_mean_bps", to_floats(model.ar12.mean_bps)});
  arrays.push_back({"ar12_weights", to_floats(model.ar12.weights)});
  arrays.push_back({"bands", model.bands.to_numbers()});
  return arrays;
}

Result<ModelBundle> assemble_model(const ModelCard& card, std::vector<NamedArray> arrays) {
  if (card.features != kFeatureCount || card.history_intervals < LagModel::kLags) {
    return fail(ErrorCode::kBadInput, "the card's input shape is not the one of this version");
  }
  // The first array has a number a pair, so a card cannot claim more nodes than the file pays for.
  const std::size_t stored = arrays.empty() ? 0 : arrays.front().values.size();
  const std::size_t entries = card.class_count * card.node_count * card.node_count;
  const std::size_t pairs = entries - card.class_count * card.node_count;
  if (stored != pairs) {
    return fail(ErrorCode::kBadInput, "the weights are not those of the card's number of nodes and classes");
  }
  if (pairs == 0) return fail(ErrorCode::kBadInput, "the card's network has no two nodes");
  auto numbers = take_all(card, pairs, entries, std::move(arrays));
  if (!numbers) return tl::unexpected{numbers.error()};
  PredictionBands bands{entries};
  if (!bands.restore(numbers->bands)) {
    return fail(ErrorCode::kBadInput, "array \"bands\" holds a value that it cannot have");
  }
  Ar12 ar12{.node_count = card.node_count,
            .class_count = card.class_count,
            .mean_bps = {numbers->ar12_mean_bps.begin(), numbers->ar12_mean_bps.end()},
            .weights = {numbers->ar12_weights.begin(), numbers->ar12_weights.end()}};
  auto learned = make_learned(card, *numbers);
  if (!learned) return tl::unexpected{learned.error()};
  if ((*learned)->history_intervals() != card.history_intervals) {
    return fail(ErrorCode::kBadInput, "the card's input shape is not the one of this version");
  }
  return ModelBundle{.card = card, .learned = *std::move(learned), .ar12 = std::move(ar12), .bands = std::move(bands)};
}

Result<void> make_model_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, folder.string() + ": cannot be made: " + error.message());
  return {};
}

Result<void> save_model(const std::filesystem::path& folder, ModelBundle& model) {
  if (auto made = make_model_folder(folder); !made) return made;
  const std::string weights = format_weights(to_arrays(model));
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
  auto bundle = assemble_model(*card, *std::move(arrays));
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
