#include "models/baselines.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

#include "models/cholesky.h"
#include "models/history.h"

namespace wan::models {
namespace {

constexpr std::size_t kAr12TrainingIntervalsMin = 2 * Ar12::kUnknowns;

class LastValueForecaster final : public Forecaster {
 public:
  std::string_view name() const override { return "last"; }
  std::size_t history_intervals() const override { return 1; }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    if (auto shape = check_history(history); !shape) return tl::unexpected{shape.error()};
    TrafficMatrix forecast = history.back();
    forecast.set_measured_at(time_after(history));
    return forecast;
  }
};

class EwmaForecaster final : public Forecaster {
 public:
  explicit EwmaForecaster(double alpha) : alpha_{alpha} { assert(alpha > 0.0 && alpha <= 1.0); }

  std::string_view name() const override { return "ewma"; }

  /// As many as it takes for the weight of what is left out to fall below one in a million.
  std::size_t history_intervals() const override {
    if (alpha_ >= 1.0) return 1;
    return static_cast<std::size_t>(std::clamp(std::ceil(std::log(1e-6) / std::log1p(-alpha_)), 1.0, 10000.0));
  }

  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    if (auto shape = check_history(history); !shape) return tl::unexpected{shape.error()};
    const auto window = history.last(std::min(history.size(), history_intervals()));
    TrafficMatrix forecast = window.front();
    for (const TrafficMatrix& matrix : window.subspan(1)) {
      for (std::size_t i = 0; i < forecast.bps().size(); ++i) {
        forecast.bps()[i] += alpha_ * (matrix.bps()[i] - forecast.bps()[i]);
      }
    }
    forecast.set_measured_at(time_after(history));
    return forecast;
  }

 private:
  double alpha_;
};

class Ar12Forecaster final : public Forecaster {
 public:
  explicit Ar12Forecaster(Ar12 fitted) : fitted_{std::move(fitted)} {}

  std::string_view name() const override { return "ar12"; }
  std::size_t history_intervals() const override { return Ar12::kLags; }

  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    if (auto shape = check_history(history, fitted_.node_count, fitted_.class_count); !shape) {
      return tl::unexpected{shape.error()};
    }
    TrafficMatrix forecast{fitted_.node_count, fitted_.class_count};
    forecast.set_measured_at(time_after(history));
    for (std::size_t i = 0; i < forecast.bps().size(); ++i) {
      const double* const weights = &fitted_.weights[i * Ar12::kUnknowns];
      double sum = weights[0] * fitted_.mean_bps[i];
      for (std::size_t lag = 0; lag < Ar12::kLags; ++lag) sum += weights[lag + 1] * value_before(history, lag, i);
      forecast.bps()[i] = std::max(sum, 0.0);
    }
    return forecast;
  }

 private:
  Ar12 fitted_;
};

/// The weights of one entry of the matrix; zeros when it never carried anything.
std::vector<double> fit_entry(std::span<const TrafficMatrix> training, std::size_t position, double mean_bps) {
  constexpr double kRidge = 1e-4;
  std::vector<double> zeros(Ar12::kUnknowns, 0.0);
  if (mean_bps <= 0.0) return zeros;
  NormalEquations equations{Ar12::kUnknowns};
  std::vector<double> inputs(Ar12::kUnknowns, 1.0);
  for (std::size_t row = Ar12::kLags; row < training.size(); ++row) {
    for (std::size_t lag = 0; lag < Ar12::kLags; ++lag) {
      inputs[lag + 1] = training[row - 1 - lag].bps()[position] / mean_bps;
    }
    equations.add(inputs, training[row].bps()[position] / mean_bps, 1.0);
  }
  const double observations = static_cast<double>(training.size() - Ar12::kLags);
  for (std::size_t lag = 1; lag <= Ar12::kLags; ++lag) equations.pull(lag, 0.0, kRidge * observations);
  std::vector<double> solved = equations.solve();
  return solved.empty() ? zeros : solved;
}

}  // namespace

std::unique_ptr<Forecaster> make_last_value_forecaster() { return std::make_unique<LastValueForecaster>(); }

std::unique_ptr<Forecaster> make_ewma_forecaster(double alpha) { return std::make_unique<EwmaForecaster>(alpha); }

std::unique_ptr<Forecaster> fit_ewma_forecaster(std::span<const TrafficMatrix> training) {
  return make_ewma_forecaster(fit_ewma_alpha(training));
}

Result<std::unique_ptr<Forecaster>> fit_ar12_forecaster(std::span<const TrafficMatrix> training) {
  auto fitted = fit_ar12(training);
  if (!fitted) return tl::unexpected{fitted.error()};
  return make_ar12_forecaster(*std::move(fitted));
}

std::unique_ptr<Forecaster> make_ar12_forecaster(Ar12 fitted) {
  return std::make_unique<Ar12Forecaster>(std::move(fitted));
}

double fit_ewma_alpha(std::span<const TrafficMatrix> training) {
  if (training.size() < 2) return 1.0;
  double best_alpha = 1.0;
  double best_error = 0.0;
  for (int twentieths = 20; twentieths >= 1; --twentieths) {
    const double alpha = twentieths / 20.0;
    std::vector<double> average(training[0].bps().begin(), training[0].bps().end());
    double error = 0.0;
    for (const TrafficMatrix& matrix : training.subspan(1)) {
      assert(matrix.bps().size() == average.size());
      for (std::size_t i = 0; i < average.size(); ++i) {
        const double surprise = matrix.bps()[i] - average[i];
        error += std::abs(surprise);
        average[i] += alpha * surprise;
      }
    }
    if (twentieths == 20 || error < best_error) {
      best_alpha = alpha;
      best_error = error;
    }
  }
  return best_alpha;
}

Result<Ar12> fit_ar12(std::span<const TrafficMatrix> training) {
  if (training.size() < kAr12TrainingIntervalsMin) {
    return fail(ErrorCode::kBadInput, "an autoregression over 12 intervals needs at least " +
                                          std::to_string(kAr12TrainingIntervalsMin) + " intervals, not " +
                                          std::to_string(training.size()));
  }
  if (auto shape = check_history(training); !shape) return tl::unexpected{shape.error()};
  Ar12 fitted{.node_count = training[0].node_count(), .class_count = training[0].class_count()};
  fitted.mean_bps.assign(training[0].bps().size(), 0.0);
  for (const TrafficMatrix& matrix : training) {
    for (std::size_t i = 0; i < fitted.mean_bps.size(); ++i) {
      fitted.mean_bps[i] += matrix.bps()[i] / static_cast<double>(training.size());
    }
  }
  fitted.weights.reserve(fitted.mean_bps.size() * Ar12::kUnknowns);
  for (std::size_t i = 0; i < fitted.mean_bps.size(); ++i) {
    const std::vector<double> weights = fit_entry(training, i, fitted.mean_bps[i]);
    fitted.weights.insert(fitted.weights.end(), weights.begin(), weights.end());
  }
  return fitted;
}

}  // namespace wan::models
