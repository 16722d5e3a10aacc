#include <algorithm>
#include <cmath>
#include <numeric>

#include "simulator/program/closed_loop.h"

namespace wan::simulator {
namespace {

/// Nearest-rank percentile; `share` in (0, 1].
double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

ControllerSummary summarize_one(const std::vector<IntervalRecord>& intervals, std::size_t which, Duration interval) {
  std::vector<double> ratio, mlu, decide_ms, churn, stretch;
  ControllerSummary summary;
  summary.name = intervals.front().controllers[which].name;
  double offered = 0.0;
  double delivered = 0.0;
  std::size_t overloaded = 0;
  for (const IntervalRecord& record : intervals) {
    const ControllerInterval& at = record.controllers[which];
    ratio.push_back(record.optimal_mlu > 0.0 ? at.mlu / record.optimal_mlu : 1.0);
    mlu.push_back(at.mlu);
    decide_ms.push_back(at.decide_ms);
    churn.push_back(at.churn);
    stretch.push_back(at.delay_stretch);
    overloaded += at.overloaded_links;
    offered += record.total_bps;
    delivered += record.total_bps * at.delivered_share;
    summary.paths_per_demand_max = std::max(summary.paths_per_demand_max, at.paths_per_demand_max);
  }
  summary.ratio_mean = mean(ratio);
  summary.ratio_p50 = percentile(ratio, 0.5);
  summary.ratio_p99 = percentile(ratio, 0.99);
  summary.ratio_max = percentile(ratio, 1.0);
  summary.mlu_mean = mean(mlu);
  summary.mlu_max = percentile(mlu, 1.0);
  summary.decide_ms_p50 = percentile(decide_ms, 0.5);
  summary.decide_ms_p99 = percentile(decide_ms, 0.99);
  summary.churn_mean = mean(churn);
  summary.overload_link_minutes = static_cast<double>(overloaded) * to_seconds(interval) / 60.0;
  summary.delivered_share = offered > 0.0 ? delivered / offered : 1.0;
  summary.delay_stretch_mean = mean(stretch);
  summary.delay_stretch_p99 = percentile(stretch, 0.99);
  return summary;
}

}  // namespace

std::vector<ControllerSummary> summarize(const std::vector<IntervalRecord>& intervals, Duration interval) {
  std::vector<ControllerSummary> summaries;
  if (intervals.empty()) return summaries;
  for (std::size_t which = 0; which < intervals.front().controllers.size(); ++which) {
    summaries.push_back(summarize_one(intervals, which, interval));
  }
  return summaries;
}

}  // namespace wan::simulator
