#include "models/program/contestants.h"

#include <utility>

#include "models/baselines.h"

namespace wan::models {
namespace {

constexpr std::chrono::seconds kDay = std::chrono::hours{24};

void add(std::vector<Contestant>& contestants, std::string name, std::unique_ptr<Forecaster> forecaster) {
  const Forecaster* const raw = forecaster.get();
  contestants.push_back({.name = std::move(name), .forecaster = raw, .owned = std::move(forecaster)});
}

void add_seasonal(std::vector<Contestant>& contestants, const BaselineOptions& options) {
  const auto day = static_cast<std::size_t>(std::max<std::int64_t>(kDay / options.interval, 1));
  add(contestants, "day_before", make_seasonal_forecaster(day));
  if (options.training.size() >= 14 * day) add(contestants, "week_before", make_seasonal_forecaster(7 * day));
}

}  // namespace

std::vector<Contestant> make_contestants(const ModelBundle& model, const BaselineOptions& options,
                                         std::vector<std::string>& notes) {
  std::vector<Contestant> contestants;
  contestants.push_back({.name = "model", .forecaster = model.learned.get()});
  add(contestants, "last", make_last_value_forecaster());
  add(contestants, "ewma", make_ewma_forecaster(model.card.ewma_alpha));
  add(contestants, "ewma_0.3", make_ewma_forecaster(0.3));
  add(contestants, "ewma_0.5", make_ewma_forecaster(0.5));
  add(contestants, "ewma_0.7", make_ewma_forecaster(0.7));
  add(contestants, "ar12", make_ar12_forecaster(model.ar12));
  add(contestants, "mean_12", make_moving_average_forecaster(12));
  add(contestants, "peak_12", make_peak_forecaster(12));
  add_seasonal(contestants, options);
  auto vector_ar = fit_vector_ar3_forecaster(options.training);
  if (vector_ar) {
    add(contestants, "vector_ar3", *std::move(vector_ar));
  } else {
    notes.push_back("no vector_ar3: " + vector_ar.error().message);
  }
  return contestants;
}

Result<void> score_contestants(std::vector<Contestant>& contestants, std::span<const TrafficMatrix> intervals,
                               const RowRange& rows, std::span<const std::size_t> horizons, const Clock& clock,
                               const std::function<void(std::size_t, std::size_t)>& on_progress) {
  for (std::size_t c = 0; c < contestants.size(); ++c) {
    Contestant& one = contestants[c];
    const Duration begin = clock.now();
    const auto nearest = score_forecaster(*one.forecaster, intervals, rows.from, rows.to);
    if (!nearest) return tl::unexpected{nearest.error()};
    one.milliseconds_per_forecast = to_milliseconds(clock.now() - begin) / static_cast<double>(rows.to - rows.from);
    auto scores = score_horizons(*one.forecaster, intervals, rows.from, rows.to, horizons,
                                 [&](std::size_t done, std::size_t all) {
                                   if (on_progress) on_progress(c * all + done, contestants.size() * all);
                                 });
    if (!scores) return tl::unexpected{scores.error()};
    one.scores = *std::move(scores);
    for (std::size_t h = 0; h < horizons.size(); ++h) {
      std::vector<double> differences = contestants.front().scores[h].row_errors;
      for (std::size_t row = 0; row < differences.size(); ++row) differences[row] -= one.scores[h].row_errors[row];
      one.against_model.push_back(diebold_mariano(differences, horizons[h]));
    }
  }
  return {};
}

std::size_t best_baseline(const std::vector<Contestant>& contestants, std::size_t horizon_place) {
  std::size_t best = 1;
  for (std::size_t c = 2; c < contestants.size(); ++c) {
    if (contestants[c].scores[horizon_place].nmae < contestants[best].scores[horizon_place].nmae) best = c;
  }
  return best;
}

}  // namespace wan::models
