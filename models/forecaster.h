#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::models {

/// How many intervals ahead forecasts are made at most.
inline constexpr std::size_t kHorizonMax = 12;

/// Says what the next intervals' traffic matrices will be, from the matrices before them.
///
/// Threads: `next` and `ahead` are reentrant. What they return depends on their arguments alone.
class Forecaster {
 public:
  virtual ~Forecaster() = default;

  /// For reports: "last", "ewma", "ar12", "gru".
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// How many of the newest intervals `next` looks at. Fewer may be given (at least one): it then does its best.
  [[nodiscard]] virtual std::size_t history_intervals() const = 0;

  /// @param history  oldest first, same shape throughout, not empty
  /// @return         same shape, entries >= 0, measured_at one interval after the newest
  /// @error kShapeMismatch: the matrices are not of the network that the forecaster was made for
  [[nodiscard]] virtual Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const = 0;

  /// The next `horizon` intervals. Unless a forecaster knows better, each is forecast as if the ones before it had come
  /// as forecast.
  ///
  /// @param horizon  1 to kHorizonMax
  /// @return         `horizon` matrices, the nearest first; the first is what `next` returns
  /// @error as `next`
  [[nodiscard]] virtual Result<std::vector<TrafficMatrix>> ahead(std::span<const TrafficMatrix> history,
                                                                 std::size_t horizon) const;
};

/// Tomorrow is as today.
[[nodiscard]] std::unique_ptr<Forecaster> make_last_value_forecaster();

/// Exponentially weighted moving average; `alpha` is the weight of the newest interval, in (0, 1].
[[nodiscard]] std::unique_ptr<Forecaster> make_ewma_forecaster(double alpha);

/// The same with the alpha that forecasts `training` best (least absolute error), found on a grid.
[[nodiscard]] std::unique_ptr<Forecaster> fit_ewma_forecaster(std::span<const TrafficMatrix> training);

/// Per pair of nodes, a linear autoregression over the last 12 intervals, fitted by ridge regression.
/// @error kBadInput: too few intervals to fit
[[nodiscard]] Result<std::unique_ptr<Forecaster>> fit_ar12_forecaster(std::span<const TrafficMatrix> training);

/// A trained model from a folder that `aiwan-models train` wrote: its card is checked against the topology.
/// @error kNotFound, kBadInput: no model or a damaged one; kShapeMismatch: trained for another network
[[nodiscard]] Result<std::unique_ptr<Forecaster>> load_forecaster(const std::filesystem::path& folder,
                                                                  const Topology& topology);

}  // namespace wan::models
