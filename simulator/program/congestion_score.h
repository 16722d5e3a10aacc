#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::simulator {

struct CongestionOptions {
  std::size_t horizon = 1;            ///< intervals, at least one
  std::optional<double> threshold{};  ///< utilisation; none: each link's 95th percentile over the rows before the
                                      ///< scored ones, carried by the same plan
};

/// How well congestion events were foretold, over all links and decisions.
struct CongestionScore {
  std::size_t cases = 0;          ///< link x decision
  std::size_t events = 0;         ///< where the link was above its threshold within the horizon
  double auc = 0.0;               ///< of the probabilities: that an event got a higher one than a quiet link; ties half
  double brier = 0.0;             ///< mean squared error of the probabilities
  double brier_last_value = 0.0;  ///< the same for "what is above now will be above"
  double auc_last_value = 0.0;    ///< of the last utilisation over the threshold
};

/// The area under the ROC curve; 1/2 where one of the two kinds is missing.
/// @param happened  same length as `score`
[[nodiscard]] double area_under_roc(std::span<const double> score, std::span<const char> happened);

/// Keeps the book on foretold congestion events: for each decision asks for probabilities, then looks what the plan
/// would have done to the measured rows of the horizon. Threads: one owner.
class CongestionBook {
 public:
  /// @param rows     all of the traffic; outlives the book
  /// @param history  how many of them come before the scored ones
  CongestionBook(std::span<const TrafficMatrix> rows, std::size_t history, const CongestionOptions& options);

  /// @param row       the first that the plan serves; the decision knew those before it
  /// @param foretell  by link, from thresholds by link
  /// @return          what it foretold
  std::vector<double> enter(const Topology& topology, const PathPlan& plan, std::size_t row,
                            const std::function<std::vector<double>(std::span<const double>)>& foretell);
  [[nodiscard]] CongestionScore score() const;

 private:
  void refresh_threshold(const Topology& topology, const PathPlan& plan);

  std::span<const TrafficMatrix> rows_;
  std::vector<TrafficMatrix> sample_;  // of the rows before the scored ones
  CongestionOptions options_;
  PathPlan plan_;                  // of the thresholds
  std::vector<double> threshold_;  // by link
  std::vector<double> probability_, last_value_, last_ratio_;
  std::vector<char> happened_;
};

}  // namespace wan::simulator
