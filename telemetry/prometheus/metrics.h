#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/topology.h"
#include "core/units.h"

namespace wan::telemetry {

struct BusCounts;
struct HistoryCounts;
struct MatrixBuilderCounts;
struct MeasuredInterval;

/// What the daemon tells Prometheus. docs/formats/metrics.md lists the names.
///
/// Counters that are kept elsewhere (`set_...`) are taken over as they stand there; a smaller number than before means
/// that their owner was made anew, and is added to what was counted.
/// Threads: any.
class Metrics {
 public:
  /// @param topology  names of links and nodes; link capacities make rates utilisations
  explicit Metrics(const Topology& topology);
  ~Metrics();
  Metrics(Metrics&&) noexcept;
  Metrics& operator=(Metrics&&) noexcept;

  /// One pass of the control loop.
  /// @param action  install, keep, hold, fallback, ...: becomes a label, so from a fixed set
  void observe_decision(std::string_view action, Duration took);
  /// A plan that was sent to nodes.
  /// @param result  acknowledged, refused, timeout, ...: likewise
  /// @param took    until the last answer
  void observe_install(std::string_view result, Duration took);
  /// A new alarm. @param kind  from a fixed set
  void count_alarm(std::string_view kind);
  /// How many alarms of a kind stand at present.
  void set_alarms(std::string_view kind, std::size_t active);
  void set_node_reporting(NodeId node, bool reporting);

  /// Demand, link utilisation, drops, censored demands and missing nodes.
  void observe_interval(const MeasuredInterval& measured);
  void set_bus(const BusCounts& counts);
  void set_builder(const MatrixBuilderCounts& counts);
  void set_history(const HistoryCounts& counts, bool alarmed);

  /// All of it in Prometheus' text format 0.0.4, families and labels in a fixed order.
  [[nodiscard]] std::string exposition() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::telemetry
