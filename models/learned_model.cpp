#include "models/learned_model.h"

#include <algorithm>
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

/// @error kBadInput, with a message that does not yet name the file
Result<ModelBundle> assemble(const ModelCard& card, std::vector<NamedArray> arrays) {
  if (card.features != kFeatureCount || card.history_intervals != LagModel::kLags) {
    return fail(ErrorCode::kBadInput, "the card's input shape is not the one of this version");
  }
  // The network has at least as many weights as pairs, so a card cannot claim more nodes than the file pays for.
  const std::size_t stored = arrays.empty() ? 0 : arrays.front().values.size();
  const std::size_t entries = card.class_count * card.node_count * card.node_count;
  if (stored != entries - card.class_count * card.node_count) {
    return fail(ErrorCode::kBadInput, "the weights are not those of the card's number of nodes and classes");
  }
  PairIndex pairs{card.node_count, card.class_count};
  SeasonProfile seasons{pairs.size(), card.interval};
  ArrayShelf shelf{std::move(arrays)};

  LagModel lags;
  lags.mean_bps = shelf.take("pair_mean_bps", pairs.size(), 0.0F);
  lags.weights = shelf.take("lag_weights", pairs.size() * LagModel::kLags, kAnyValue);
  lags.derive_floor();
  std::vector<float> season_counts = shelf.take("season_counts", seasons.counts().size(), 0.0F);
  std::vector<float> season_sums = shelf.take("season_sums", seasons.sums().size(), kAnyValue);
  const CorrectionShape shape = shape_of(card, pairs.size());
  const std::vector<float> parameters = shelf.take("correction", shape.parameter_count(), kAnyValue);
  const std::vector<float> ar12_means = shelf.take("ar12_mean_bps", entries, 0.0F);
  const std::vector<float> ar12_weights = shelf.take("ar12_weights", entries * Ar12::kUnknowns, kAnyValue);
  if (!shelf.problem().empty()) return fail(ErrorCode::kBadInput, shelf.problem());
  if (!seasons.restore(std::move(season_counts), std::move(season_sums))) {
    return fail(ErrorCode::kBadInput, "the seasons do not fit the card's interval");
  }
  auto net = CorrectionNet::from_parameters(shape, parameters);
  if (!net) return tl::unexpected{net.error()};

  Ar12 ar12{.node_count = card.node_count,
            .class_count = card.class_count,
            .mean_bps = {ar12_means.begin(), ar12_means.end()},
            .weights = {ar12_weights.begin(), ar12_weights.end()}};
  auto learned = std::make_unique<LearnedModel>(std::move(pairs), std::move(lags), std::move(seasons), *std::move(net),
                                                card.hyper_parameters.correction, card.interval);
  return ModelBundle{.card = card, .learned = std::move(learned), .ar12 = std::move(ar12)};
}

}  // namespace

LearnedModel::LearnedModel(PairIndex pairs, LagModel lags, SeasonProfile seasons, CorrectionNet net,
                           double correction_share, std::chrono::seconds interval)
    : pairs_{std::move(pairs)},
      lags_{std::move(lags)},
      seasons_{std::move(seasons)},
      net_{std::move(net)},
      correction_share_{correction_share},
      interval_{interval} {}

Result<PairForecast> LearnedModel::forecast_pairs(std::span<const TrafficMatrix> history) const {
  PairForecast forecast{.base = forecast_base(pairs_, lags_, history), .correction = std::vector<float>(pairs_.size())};
  std::vector<float> features(pairs_.size() * kFeatureCount);
  const Timestamp target = history.back().measured_at() + interval_;
  describe(pairs_, lags_, seasons_, history, target, forecast.base, {}, features);
  if (auto corrected = net_.correct(features, forecast.correction); !corrected) {
    return tl::unexpected{corrected.error()};
  }
  return forecast;
}

Result<TrafficMatrix> LearnedModel::next(std::span<const TrafficMatrix> history) const {
  if (auto shape = check_history(history, pairs_.node_count(), pairs_.class_count()); !shape) {
    return tl::unexpected{shape.error()};
  }
  const auto pieces = forecast_pairs(history);
  if (!pieces) return tl::unexpected{pieces.error()};
  TrafficMatrix forecast{pairs_.node_count(), pairs_.class_count()};
  forecast.set_measured_at(history.back().measured_at() + interval_);
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    const double units = static_cast<double>(pieces->base.forecast[pair]) +
                         correction_share_ * static_cast<double>(pieces->correction[pair]);
    forecast.bps()[pairs_.position(pair)] = std::max(units, 0.0) * pieces->base.scale_bps[pair];
  }
  return forecast;
}

std::vector<NamedArray> LearnedModel::to_arrays() const {
  return {{"pair_mean_bps", lags_.mean_bps},
          {"lag_weights", lags_.weights},
          {"season_counts", {seasons_.counts().begin(), seasons_.counts().end()}},
          {"season_sums", {seasons_.sums().begin(), seasons_.sums().end()}},
          {"correction", net_.parameters()}};
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
