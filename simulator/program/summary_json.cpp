#include "simulator/program/summary_json.h"

namespace wan::simulator {

nlohmann::ordered_json summary_json(const std::vector<ControllerSummary>& summary) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const ControllerSummary& row : summary) {
    document[row.name] = {{"ratio_mean", row.ratio_mean},
                          {"ratio_p50", row.ratio_p50},
                          {"ratio_p99", row.ratio_p99},
                          {"ratio_max", row.ratio_max},
                          {"mlu_mean", row.mlu_mean},
                          {"mlu_max", row.mlu_max},
                          {"decide_ms_p50", row.decide_ms_p50},
                          {"decide_ms_p99", row.decide_ms_p99},
                          {"churn_mean", row.churn_mean},
                          {"overload_link_minutes", row.overload_link_minutes},
                          {"delivered_share", row.delivered_share},
                          {"delay_stretch_mean", row.delay_stretch_mean},
                          {"delay_stretch_p99", row.delay_stretch_p99},
                          {"paths_per_demand_max", row.paths_per_demand_max}};
  }
  return document;
}

}  // namespace wan::simulator
