#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "models/forecaster.h"

namespace wan::simulator {

/// Loads a trained model to be judged on the rows from `score_from` to `score_to` of a series whose matrices were
/// multiplied by `scale`: it sees them divided by it again, so that it works on the traffic it was trained for.
///
/// @param folder  empty: no model, gives null (the control loop then fits an EWMA)
/// @error kBadInput: the model was trained on a time that is scored, or its folder is damaged; others as
/// `load_forecaster`
[[nodiscard]] Result<std::unique_ptr<models::Forecaster>> load_scored_model(const std::string& folder,
                                                                            const Topology& topology,
                                                                            const TrafficSeries& series,
                                                                            std::size_t score_from,
                                                                            std::size_t score_to, double scale);

}  // namespace wan::simulator
