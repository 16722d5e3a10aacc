#include <algorithm>
#include <cassert>
#include <utility>

#include "models/baselines.h"
#include "models/history.h"

namespace wan::models {
namespace {

/// One forecast for each of the next intervals.
std::vector<TrafficMatrix> repeated(const TrafficMatrix& forecast, std::size_t horizon, Timestamp newest) {
  std::vector<TrafficMatrix> made(horizon, forecast);
  const auto interval = forecast.measured_at() - newest;
  for (std::size_t step = 1; step < horizon; ++step) {
    made[step].set_measured_at(made[step - 1].measured_at() + interval);
  }
  return made;
}

class WindowForecaster : public Forecaster {
 public:
  explicit WindowForecaster(std::size_t intervals) : intervals_{intervals} { assert(intervals > 0); }

  std::size_t history_intervals() const override { return intervals_; }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    if (auto shape = check_history(history); !shape) return tl::unexpected{shape.error()};
    TrafficMatrix forecast = summary(history.last(std::min(history.size(), intervals_)));
    forecast.set_measured_at(time_after(history));
    return forecast;
  }
  Result<std::vector<TrafficMatrix>> ahead(std::span<const TrafficMatrix> history, std::size_t horizon) const override {
    const auto forecast = next(history);
    if (!forecast) return tl::unexpected{forecast.error()};
    return repeated(*forecast, horizon, history.back().measured_at());
  }

 private:
  [[nodiscard]] virtual TrafficMatrix summary(std::span<const TrafficMatrix> window) const = 0;
  std::size_t intervals_;
};

class MovingAverageForecaster final : public WindowForecaster {
 public:
  using WindowForecaster::WindowForecaster;
  std::string_view name() const override { return "moving average"; }

 private:
  TrafficMatrix summary(std::span<const TrafficMatrix> window) const override {
    TrafficMatrix mean{window[0].node_count(), window[0].class_count()};
    for (const TrafficMatrix& matrix : window) {
      for (std::size_t i = 0; i < mean.bps().size(); ++i) {
        mean.bps()[i] += matrix.bps()[i] / static_cast<double>(window.size());
      }
    }
    return mean;
  }
};

class PeakForecaster final : public WindowForecaster {
 public:
  using WindowForecaster::WindowForecaster;
  std::string_view name() const override { return "peak"; }

 private:
  TrafficMatrix summary(std::span<const TrafficMatrix> window) const override {
    TrafficMatrix peak = window.front();
    for (const TrafficMatrix& matrix : window.subspan(1)) {
      for (std::size_t i = 0; i < peak.bps().size(); ++i) peak.bps()[i] = std::max(peak.bps()[i], matrix.bps()[i]);
    }
    return peak;
  }
};

class SeasonalForecaster final : public Forecaster {
 public:
  explicit SeasonalForecaster(std::size_t season) : season_{season} { assert(season > 0); }

  std::string_view name() const override { return "seasonal"; }
  std::size_t history_intervals() const override { return season_; }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    auto made = ahead(history, 1);
    if (!made) return tl::unexpected{made.error()};
    return std::move(made->front());
  }
  Result<std::vector<TrafficMatrix>> ahead(std::span<const TrafficMatrix> history, std::size_t horizon) const override {
    if (auto shape = check_history(history); !shape) return tl::unexpected{shape.error()};
    std::vector<TrafficMatrix> made;
    const Timestamp first = time_after(history);
    const auto interval = first - history.back().measured_at();
    for (std::size_t step = 0; step < horizon; ++step) {
      const std::size_t back = season_ - step % season_;
      made.push_back(history[back < history.size() ? history.size() - back : 0]);
      made.back().set_measured_at(first + static_cast<std::int64_t>(step) * interval);
    }
    return made;
  }

 private:
  std::size_t season_;
};

}  // namespace

std::unique_ptr<Forecaster> make_moving_average_forecaster(std::size_t intervals) {
  return std::make_unique<MovingAverageForecaster>(intervals);
}

std::unique_ptr<Forecaster> make_peak_forecaster(std::size_t intervals) {
  return std::make_unique<PeakForecaster>(intervals);
}

std::unique_ptr<Forecaster> make_seasonal_forecaster(std::size_t season) {
  return std::make_unique<SeasonalForecaster>(season);
}

}  // namespace wan::models
