#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/node_report.h"
#include "core/units.h"
#include "dataplane/node_facts.h"
#include "dataplane/worker_counters.h"

namespace wan::dataplane {

/// Turns counters that only rise into what was counted in each interval.
///
/// An interval that is closed so late that others have ended meanwhile takes these in, up to an hour.
/// Threads: one owner; the counters may be written meanwhile.
class IntervalReporter {
 public:
  IntervalReporter(const NodeFacts& node, NodeIdentity identity, Duration interval, std::int64_t now_ns);

  /// When the interval that runs ends, since 1970: a multiple of its length.
  [[nodiscard]] std::int64_t ends_ns() const { return ends_ns_; }
  /// Whether the interval is to be closed. A clock that was set back by over an interval starts a new one.
  [[nodiscard]] bool is_due(std::int64_t now_ns);

  /// What the caller knows beside the counters.
  struct Extras {
    std::vector<bool> port_up;
    std::vector<std::uint64_t> queue_drops;     ///< by port, since the start
    std::vector<std::uint64_t> receive_errors;  ///< likewise
    std::uint64_t program_epoch = 0;
    std::uint64_t flows = 0;
  };
  /// Closes the interval that has ended.
  /// @param sets          all counter sets of the engine
  /// @param egress_names  by egress counter
  [[nodiscard]] IntervalReport close(const std::vector<WorkerCounters*>& sets,
                                     const std::vector<std::string>& egress_names, const Extras& extras,
                                     std::int64_t now_ns);

 private:
  struct DemandTotals {
    std::uint64_t packets = 0, bytes = 0, dropped = 0;
  };
  /// What a counter has grown by since it was last asked for; nothing when somebody else has set it back.
  [[nodiscard]] static std::uint64_t growth(std::uint64_t now, std::uint64_t& before);

  const NodeFacts& node_;
  NodeIdentity identity_;
  std::int64_t interval_ns_;
  std::int64_t begins_ns_;
  std::int64_t ends_ns_;
  std::uint64_t sequence_ = 0;
  std::vector<DemandTotals> demands_;  // by class x kEgressesMax + egress counter
  std::vector<PortCount> ports_;
  std::vector<std::uint64_t> drops_;
};

}  // namespace wan::dataplane
