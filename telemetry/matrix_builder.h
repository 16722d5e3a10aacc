#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/node_report.h"
#include "core/path_plan.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::telemetry {

struct MatrixBuilderOptions {
  Duration interval{std::chrono::seconds{1}};
  Duration grace{std::chrono::milliseconds{300}};     ///< how long after an interval's end its reports are waited for
  Duration skew_max{std::chrono::milliseconds{500}};  ///< between a node's clock and ours, beyond which it is alarmed
  std::size_t class_count = 1;
};

/// One interval as the network's nodes saw it.
struct MeasuredInterval {
  /// Offered traffic: bytes that entered, over the interval; measured_at is its begin (whole seconds).
  TrafficMatrix matrix;
  std::int64_t begin_ns = 0;
  /// By link: frames sent by its near end; where that tells nothing (it is unmanaged, or missing), received by its far
  /// end; 0 where nobody told.
  std::vector<BitRate> link_rates;
  std::vector<std::uint64_t> link_drops;  ///< by link, packets: not sent by its near end, or received in error
  std::vector<bool> link_known;           ///< by link: somebody counted it
  /// In increasing order: measured while over 0.1 % of the packets of a link on their path, or of their own in the
  /// node where they enter, were dropped. Senders may have slowed down.
  std::vector<Demand> censored;
  /// Managed nodes whose report is not in; their newest row within 3 intervals stands in, else zero.
  std::vector<std::string> missing;
};

/// What became of the reports; each number only rises.
struct MatrixBuilderCounts {
  std::uint64_t used = 0;
  std::uint64_t late = 0;       ///< for an interval already handed out, or over before the first report came
  std::uint64_t duplicate = 0;  ///< same life, a sequence number already seen
  std::uint64_t restarts = 0;   ///< a node came with a new boot id
  std::uint64_t skewed = 0;     ///< ended further from our clock than `skew_max` (used all the same, by its sequence)
  std::uint64_t unknown_node = 0;         ///< not in the topology, or not managed
  std::uint64_t unknown_destination = 0;  ///< entries, not reports: no such node or class, or the node itself
  std::uint64_t incomplete = 0;           ///< intervals handed out with nodes missing
};

/// Puts the nodes' rows of one interval together into a traffic matrix with link loads beside it.
///
/// Intervals are handed out in increasing order; one of which nobody reports is left out. An interval is ready as soon
/// as every managed node that has reported within the last 3 is in whole (in the first 3: every managed node), or
/// `grace` after its end. A node whose clock is off by more than `skew_max`, or so far behind that its reports would
/// always come after `grace`, has them filed by when they arrive, one interval after the other (`node_clock.h` says how
/// a slow clock is told from a slow message). Part intervals (a restart) are scaled to what they cover, and left out
/// below half an interval; a report over several (its node stalled) counts for the last of them.
///
/// Threads: one owner; time comes in as an argument.
class MatrixBuilder {
 public:
  /// How ports and links belong together; `port` is of the near end.
  struct LinkPort {
    std::string node;  ///< near end
    std::string port;
    std::string far_node;
    std::string far_port;
  };

  /// @param managed     by node: it runs an agent and reports
  /// @param link_ports  by link
  MatrixBuilder(const Topology& topology, std::vector<bool> managed, std::vector<LinkPort> link_ports,
                const MatrixBuilderOptions& options);
  ~MatrixBuilder();
  MatrixBuilder(MatrixBuilder&&) noexcept;
  MatrixBuilder& operator=(MatrixBuilder&&) noexcept;

  /// @param now_ns  when it arrived, by our clock, since 1970; should not go back (a system clock that is set back by
  /// an
  ///                hour makes an hour of reports late): the steady clock, added to the time of day at start
  void add(const IntervalReport& report, std::int64_t now_ns);
  /// The oldest interval that is ready, once; call again until there is none.
  /// @param plan  in force during it: tells which demands cross links that dropped packets
  [[nodiscard]] std::optional<MeasuredInterval> take(std::int64_t now_ns, const PathPlan& plan);
  /// When `take` may have something without another report, by our clock; nothing while no interval is open.
  [[nodiscard]] std::optional<std::int64_t> next_deadline_ns() const;

  [[nodiscard]] const MatrixBuilderCounts& counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wan::telemetry
