#include "simulator/program/scored_model.h"

#include <utility>
#include <vector>

#include "models/model_card.h"

namespace wan::simulator {
namespace {

class ScaledForecaster final : public models::Forecaster {
 public:
  ScaledForecaster(std::unique_ptr<models::Forecaster> inner, double scale) : inner_{std::move(inner)}, scale_{scale} {}

  std::string_view name() const override { return inner_->name(); }
  std::size_t history_intervals() const override { return inner_->history_intervals(); }
  Result<TrafficMatrix> next(std::span<const TrafficMatrix> history) const override {
    std::vector<TrafficMatrix> unscaled;
    for (const TrafficMatrix& matrix : history.last(std::min(history.size(), inner_->history_intervals()))) {
      unscaled.push_back(matrix.scaled(1.0 / scale_));
    }
    auto forecast = inner_->next(unscaled);
    if (!forecast) return forecast;
    return forecast->scaled(scale_);
  }

 private:
  std::unique_ptr<models::Forecaster> inner_;
  double scale_;
};

}  // namespace

Result<std::unique_ptr<models::Forecaster>> load_scored_model(const std::string& folder, const Topology& topology,
                                                              const TrafficSeries& series, std::size_t score_from,
                                                              std::size_t score_to, double scale) {
  if (folder.empty()) return std::unique_ptr<models::Forecaster>{};
  auto card = models::read_model_card(folder);
  if (!card) return tl::unexpected<Error>{card.error()};
  for (std::size_t row = score_from; row < std::min(score_to, series.intervals.size()); ++row) {
    const Timestamp time = series.intervals[row].measured_at();
    if (time < card->trained_from || time >= card->trained_until) continue;
    return fail(ErrorCode::kBadInput, folder + ": the model was trained on " + format_timestamp(card->trained_from) +
                                          " to " + format_timestamp(card->trained_until) +
                                          ", which includes scored row " + std::to_string(row) + " (" +
                                          format_timestamp(time) + "); score later rows or train on earlier ones");
  }
  auto model = models::load_forecaster(folder, topology);
  if (!model || scale == 1.0) return model;
  return std::unique_ptr<models::Forecaster>{std::make_unique<ScaledForecaster>(*std::move(model), scale)};
}

}  // namespace wan::simulator
