#include "models/model_card.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/digest.h"
#include "models/model_file.h"

namespace wan::models {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "aiwan-model";
constexpr std::size_t kCardBytesMax = 1 << 20;

std::string digest_of(const ordered_json& json) {
  Digest digest;
  digest.add(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  return digest.hex();
}

/// Takes typed members out of a JSON object and remembers the first that is missing or wrong.
class Fields {
 public:
  explicit Fields(const ordered_json& object, std::string path = {}) : object_{object}, path_{std::move(path)} {}

  void text(const char* key, std::string& out) {
    const ordered_json* const value = find(key);
    if (!value) return;
    if (!value->is_string()) return wrong(key, "must be text");
    out = value->get<std::string>();
  }

  void count(const char* key, std::uint64_t minimum, std::uint64_t maximum, std::uint64_t& out) {
    const ordered_json* const value = find(key);
    if (!value) return;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() < minimum ||
        value->get<std::uint64_t>() > maximum) {
      return wrong(key, "must be a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
    }
    out = value->get<std::uint64_t>();
  }

  void number(const char* key, double minimum, double maximum, double& out) {
    const ordered_json* const value = find(key);
    if (!value) return;
    if (!value->is_number() || !(value->get<double>() >= minimum && value->get<double>() <= maximum)) {
      return wrong(key, "is out of its range");
    }
    out = value->get<double>();
  }

  void time(const char* key, Timestamp& out) {
    std::string written;
    text(key, written);
    if (!problem_.empty()) return;
    const auto parsed = parse_timestamp(written);
    if (!parsed) return wrong(key, "must be a time");
    out = *parsed;
  }

  /// An object inside this one; an empty one when it is missing.
  const ordered_json& object(const char* key) {
    static const ordered_json kEmpty = ordered_json::object();
    const ordered_json* const value = find(key);
    if (!value) return kEmpty;
    if (value->is_object()) return *value;
    wrong(key, "must be an object");
    return kEmpty;
  }

  void adopt_problem(const Fields& inner) {
    if (problem_.empty()) problem_ = inner.problem_;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const ordered_json* find(const char* key) {
    if (!problem_.empty()) return nullptr;
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    wrong(key, "is missing");
    return nullptr;
  }
  void wrong(const char* key, const std::string& what) {
    if (problem_.empty()) problem_ = '"' + path_ + key + "\" " + what;
  }

  const ordered_json& object_;
  std::string path_;
  std::string problem_;
};

ordered_json to_json(const HyperParameters& chosen) {
  return {{"lag_models", chosen.lag_models},
          {"base_lag_model", chosen.base_lag_model},
          {"further_ridge", chosen.further_ridge},
          {"mix_rate", chosen.mix_rate},
          {"correction", chosen.correction},
          {"shared_correction", chosen.shared_correction},
          {"epochs", chosen.epochs},
          {"rows_per_batch", chosen.rows_per_batch},
          {"embedding", chosen.embedding},
          {"hidden", chosen.hidden},
          {"members", chosen.members},
          {"learning_rate", chosen.learning_rate},
          {"weight_decay", chosen.weight_decay}};
}

ordered_json to_json(const ValidationScores& scores) {
  return {{"rows", scores.rows},
          {"nmae", {{"model", scores.model}, {"last", scores.last}, {"ewma", scores.ewma}, {"ar12", scores.ar12}}}};
}

/// All but the digest.
ordered_json to_json(const ModelCard& card) {
  const ordered_json matrix = {card.class_count, card.node_count, card.node_count};
  return {{"format", kFormat},
          {"format_version", ModelCard::kFormatVersion},
          {"library_version", card.library_version},
          {"network",
           {{"name", card.network},
            {"nodes", card.node_count},
            {"links", card.link_count},
            {"topology_digest", card.topology_digest}}},
          {"traffic_classes", card.class_count},
          {"interval_s", card.interval.count()},
          {"input_shape", {card.history_intervals, matrix[0], matrix[1], matrix[2]}},
          {"output_shape", matrix},
          {"features_per_pair", card.features},
          {"normalisation",
           {{"divide_by", "0.9 * mean of the pair's last 12 intervals + 0.1 * its training mean + floor"},
            {"training_means", "weights.bin: pair_mean_bps"}}},
          {"training",
           {{"from", format_timestamp(card.trained_from)},
            {"until", format_timestamp(card.trained_until)},
            {"rows", card.trained_rows},
            {"data_digest", card.data_digest},
            {"seed", card.seed},
            {"resumed_from", card.resumed_from}}},
          {"hyper_parameters", to_json(card.hyper_parameters)},
          {"validation", to_json(card.validation)},
          {"baselines", {{"ewma_alpha", card.ewma_alpha}}},
          {"weights_digest", card.weights_digest}};
}

constexpr std::uint64_t kCountMax = 1'000'000'000;
constexpr double kNumberMax = std::numeric_limits<double>::max();

void read_network(Fields& fields, ModelCard& card) {
  Fields network{fields.object("network"), "network."};
  network.text("name", card.network);
  network.count("nodes", 1, 1'000'000, card.node_count);
  network.count("links", 0, kCountMax, card.link_count);
  network.text("topology_digest", card.topology_digest);
  fields.adopt_problem(network);
}

void read_training(Fields& fields, ModelCard& card) {
  Fields training{fields.object("training"), "training."};
  training.time("from", card.trained_from);
  training.time("until", card.trained_until);
  training.count("rows", 1, kCountMax, card.trained_rows);
  training.text("data_digest", card.data_digest);
  training.count("seed", 0, std::numeric_limits<std::uint64_t>::max(), card.seed);
  training.text("resumed_from", card.resumed_from);
  fields.adopt_problem(training);
}

void read_hyper_parameters(Fields& fields, HyperParameters& chosen) {
  Fields inner{fields.object("hyper_parameters"), "hyper_parameters."};
  inner.count("lag_models", 1, 64, chosen.lag_models);
  inner.count("base_lag_model", 0, 63, chosen.base_lag_model);
  inner.number("further_ridge", 0.0, kNumberMax, chosen.further_ridge);
  inner.number("mix_rate", 0.0, 1000.0, chosen.mix_rate);
  inner.number("correction", 0.0, 1.0, chosen.correction);
  inner.number("shared_correction", 0.0, 1.0, chosen.shared_correction);
  inner.count("epochs", 0, kCountMax, chosen.epochs);
  inner.count("rows_per_batch", 1, kCountMax, chosen.rows_per_batch);
  inner.count("embedding", 1, 4096, chosen.embedding);
  inner.count("hidden", 1, 4096, chosen.hidden);
  inner.count("members", 1, 64, chosen.members);
  inner.number("learning_rate", 0.0, kNumberMax, chosen.learning_rate);
  inner.number("weight_decay", 0.0, kNumberMax, chosen.weight_decay);
  fields.adopt_problem(inner);
}

void read_validation(Fields& fields, ValidationScores& scores) {
  Fields validation{fields.object("validation"), "validation."};
  validation.count("rows", 0, kCountMax, scores.rows);
  Fields nmae{validation.object("nmae"), "validation.nmae."};
  nmae.number("model", 0.0, kNumberMax, scores.model);
  nmae.number("last", 0.0, kNumberMax, scores.last);
  nmae.number("ewma", 0.0, kNumberMax, scores.ewma);
  nmae.number("ar12", 0.0, kNumberMax, scores.ar12);
  validation.adopt_problem(nmae);
  fields.adopt_problem(validation);
}

void read_shapes(Fields& fields, const ordered_json& json, ModelCard& card) {
  std::uint64_t interval_s = 0;
  fields.count("traffic_classes", 1, 65536, card.class_count);
  fields.count("interval_s", 1, kCountMax, interval_s);
  fields.count("features_per_pair", 1, 65536, card.features);
  card.interval = std::chrono::seconds{static_cast<std::int64_t>(interval_s)};
  const auto input = json.find("input_shape");
  if (input != json.end() && input->is_array() && !input->empty() && input->front().is_number_unsigned()) {
    card.history_intervals = input->front().get<std::size_t>();
  }
}

}  // namespace

std::string format_model_card(const ModelCard& card) {
  ordered_json json = to_json(card);
  const std::string digest = digest_of(json);
  json["card_digest"] = digest;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

Result<ModelCard> parse_model_card(std::string_view text, std::string_view name) {
  const auto bad = [&](const std::string& what) { return fail(ErrorCode::kBadInput, std::string{name} + ": " + what); };
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return bad("not a model card: no JSON object");
  const auto format = json.find("format");
  if (format == json.end() || *format != kFormat) return bad("not a model card: its format is not \"aiwan-model\"");

  ModelCard card;
  Fields fields{json};
  std::uint64_t version = 0;
  std::string digest;
  fields.count("format_version", 1, kCountMax, version);
  if (fields.problem().empty() && version != ModelCard::kFormatVersion) {
    return bad("its format version is " + std::to_string(version) + ", this program reads version " +
               std::to_string(ModelCard::kFormatVersion) + "; train the model again with `aiwan-models train`");
  }
  fields.text("library_version", card.library_version);
  read_network(fields, card);
  read_shapes(fields, json, card);
  read_training(fields, card);
  read_hyper_parameters(fields, card.hyper_parameters);
  read_validation(fields, card.validation);
  Fields baselines{fields.object("baselines"), "baselines."};
  baselines.number("ewma_alpha", 1e-6, 1.0, card.ewma_alpha);
  fields.adopt_problem(baselines);
  fields.text("weights_digest", card.weights_digest);
  fields.text("card_digest", digest);
  if (!fields.problem().empty()) return bad(fields.problem());
  if (card.trained_until <= card.trained_from) return bad("its training ends before it begins");
  if (card.hyper_parameters.base_lag_model >= card.hyper_parameters.lag_models) {
    return bad("\"hyper_parameters.base_lag_model\" is not one of its lag models");
  }
  // Comparing with a card written from what was understood also finds damage in members that are there for people only.
  if (format_model_card(card) != text) return bad("damaged or edited: it does not match its digest");
  return card;
}

Result<ModelCard> read_model_card(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "card.json";
  auto text = read_model_file(file, kCardBytesMax);
  if (!text) return tl::unexpected{text.error()};
  return parse_model_card(*text, file.string());
}

}  // namespace wan::models
