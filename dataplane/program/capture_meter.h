#pragma once

#include <cstdint>
#include <optional>

#include "core/result.h"
#include "dataplane/pcap_reader.h"
#include "dataplane/program/growing_flow_table.h"

namespace wan::dataplane {

struct CaptureCounters {
  std::uint64_t packets = 0;   ///< frames with an IPv4 or IPv6 header that the parser reached
  std::uint64_t ip_bytes = 0;  ///< what their IP headers claim
  std::uint64_t not_ip = 0;
  std::uint64_t malformed = 0;
  std::int64_t last_ns = 0;    ///< the latest time of a packet
  std::optional<Error> fault;  ///< why reading ended before the file did
};

/// Puts every frame of a capture through the table, `repeat` times, as if each pass had been captured right behind the
/// one before; then flushes the table. The clock of timeouts is the capture's.
[[nodiscard]] CaptureCounters meter_capture(PcapReader& capture, std::uint64_t repeat, GrowingFlowTable& table);

}  // namespace wan::dataplane
