#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace wan::models {

/// NMAE (sum of absolute errors / sum of what there was) one interval ahead over the last fifth of the training rows,
/// or over those that are new where training went on, each forecaster fitted on the rows before.
struct ValidationScores {
  std::size_t rows = 0;
  double model = 0.0;
  double last = 0.0;
  double ewma = 0.0;
  double ar12 = 0.0;
  bool operator==(const ValidationScores&) const = default;
};

/// What was chosen before and during training, enough to repeat it.
struct HyperParameters {
  std::size_t lag_models = 0;      ///< in the panel of experts, above zero
  std::size_t base_lag_model = 0;  ///< which of them the network corrects; chosen on the validation rows
  double further_ridge = 0.0;  ///< draw of each pair's weights to the shared ones, beyond one interval; chosen there
  double mix_rate = 0.0;       ///< how fast the experts' weights follow their losses; chosen there
  double correction = 1.0;     ///< share of the learned correction that is applied; chosen on the validation rows
  double shared_correction = 1.0;  ///< the same of the correction that all pairs share
  std::size_t epochs = 0;
  std::size_t rows_per_batch = 0;
  std::size_t embedding = 0;
  std::size_t hidden = 0;
  std::size_t members = 0;
  double learning_rate = 0.0;
  double weight_decay = 0.0;
  bool operator==(const HyperParameters&) const = default;
};

/// The file `card.json` of a model folder: for which network, from which data and how a model was made, and how good it
/// was where it was chosen. docs/formats/model.md describes the JSON.
struct ModelCard {
  static constexpr int kFormatVersion = 3;

  std::string network;         ///< for reports; may be empty
  std::size_t node_count = 0;  ///< above zero
  std::size_t link_count = 0;
  std::size_t class_count = 1;       ///< above zero
  std::string topology_digest;       ///< `Topology::digest`
  std::chrono::seconds interval{0};  ///< of the traffic matrices, above zero
  std::size_t history_intervals =
      0;                      ///< input shape: [history_intervals][class][node][node]; output: [class][node][node]
  std::size_t features = 0;   ///< numbers that describe a pair to the network
  Timestamp trained_from{};   ///< start of the first training interval
  Timestamp trained_until{};  ///< end of the last one, exclusive
  std::size_t trained_rows = 0;
  std::string data_digest;  ///< `TrafficSeries::digest` over the training rows
  std::uint64_t seed = 0;
  std::string resumed_from;  ///< `weights_digest` of the model whose training went on here; empty: trained afresh
  HyperParameters hyper_parameters;
  ValidationScores validation;
  double ewma_alpha = 1.0;      ///< of the EWMA baseline fitted on the training rows, in (0, 1]
  std::string library_version;  ///< of this project and of libtorch
  std::string weights_digest;   ///< of the file `weights.bin`

  bool operator==(const ModelCard&) const = default;
};

/// The text ends with a digest over everything else in it.
[[nodiscard]] std::string format_model_card(const ModelCard& card);

/// @param name  stands for the file in messages
/// @error kBadInput: no card, a damaged or edited one, another format version, a value out of its range
[[nodiscard]] Result<ModelCard> parse_model_card(std::string_view text, std::string_view name);

/// Reads `card.json` in a model folder.
/// @error kNotFound: no such file; kIo: it cannot be read; kBadInput: as above
[[nodiscard]] Result<ModelCard> read_model_card(const std::filesystem::path& folder);

}  // namespace wan::models
