#include "simulator/program/congestion_score.h"

#include <algorithm>
#include <numeric>

#include "controller/congestion_risk.h"
#include "core/link_load.h"

namespace wan::simulator {
namespace {

constexpr std::size_t kSampleMax = 512;  // rows that thresholds are taken from, evenly spread
constexpr double kThresholdShare = 0.95;

double brier_of(std::span<const double> probability, std::span<const char> happened) {
  double total = 0.0;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    const double miss = probability[i] - (happened[i] != 0 ? 1.0 : 0.0);
    total += miss * miss;
  }
  return probability.empty() ? 0.0 : total / static_cast<double>(probability.size());
}

}  // namespace

double area_under_roc(std::span<const double> score, std::span<const char> happened) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score[a] < score[b]; });
  double below = 0.0;  // quiet cases with a lower score
  double won = 0.0;
  double events = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    double tied_quiet = 0.0;
    double tied_events = 0.0;
    for (; end < order.size() && score[order[end]] == score[order[i]]; ++end) {
      (happened[order[end]] != 0 ? tied_events : tied_quiet) += 1.0;
    }
    won += tied_events * (below + 0.5 * tied_quiet);
    below += tied_quiet;
    events += tied_events;
    i = end;
  }
  return events > 0.0 && below > 0.0 ? won / (events * below) : 0.5;
}

CongestionBook::CongestionBook(std::span<const TrafficMatrix> rows, std::size_t history,
                               const CongestionOptions& options)
    : rows_{rows}, options_{options} {
  const std::size_t step = (history + kSampleMax - 1) / kSampleMax;
  for (std::size_t row = 0; row < history; row += step) sample_.push_back(rows[row]);
}

void CongestionBook::refresh_threshold(const Topology& topology, const PathPlan& plan) {
  if (options_.threshold) {
    threshold_.assign(topology.link_count(), *options_.threshold);
    return;
  }
  if (!threshold_.empty() && plan == plan_) return;
  threshold_ = controller::utilization_quantile(topology, plan, sample_, kThresholdShare);
  plan_ = plan;
}

std::vector<double> CongestionBook::enter(const Topology& topology, const PathPlan& plan, std::size_t row,
                                          const std::function<std::vector<double>(std::span<const double>)>& foretell) {
  refresh_threshold(topology, plan);
  std::vector<double> probability = foretell(threshold_);
  if (row + options_.horizon > rows_.size()) return probability;  // the end of the horizon was not measured
  const std::vector<double> before = link_loads_bps(topology, plan, rows_[row - 1]);
  std::vector<double> peak(topology.link_count(), 0.0);
  for (const TrafficMatrix& matrix : rows_.subspan(row, options_.horizon)) {
    const std::vector<double> load = link_loads_bps(topology, plan, matrix);
    for (std::size_t l = 0; l < load.size(); ++l) peak[l] = std::max(peak[l], load[l]);
  }
  for (std::size_t l = 0; l < peak.size(); ++l) {
    const Link& link = topology.links()[l];
    const double threshold = threshold_[l] * link.capacity.bps();
    if (!link.up || threshold <= 0.0) continue;  // a link that the plan leaves empty
    probability_.push_back(probability[l]);
    last_value_.push_back(before[l] > threshold ? 1.0 : 0.0);
    last_ratio_.push_back(before[l] / threshold);
    happened_.push_back(peak[l] > threshold ? 1 : 0);
  }
  return probability;
}

CongestionScore CongestionBook::score() const {
  return {.cases = happened_.size(),
          .events = static_cast<std::size_t>(std::count(happened_.begin(), happened_.end(), 1)),
          .auc = area_under_roc(probability_, happened_),
          .brier = brier_of(probability_, happened_),
          .brier_last_value = brier_of(last_value_, happened_),
          .auc_last_value = area_under_roc(last_ratio_, happened_)};
}

}  // namespace wan::simulator
