#pragma once

#include <cstdint>

#include "core/ip_address.h"

namespace wan {

/// What makes packets one flow: one direction of a 5-tuple.
struct FlowKey {
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;       ///< 0 where the protocol has none
  std::uint16_t destination_port = 0;  ///< ICMP: type x 256 + code
  std::uint8_t protocol = 0;
  friend constexpr auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

/// Why a record was written (RFC 5102 flowEndReason has the same numbers).
enum class FlowEnd : std::uint8_t {
  kIdleTimeout = 1,
  kActiveTimeout = 2,
  kEndOfFlow = 3,       ///< a TCP FIN or RST was seen
  kForcedEnd = 4,       ///< the meter stops
  kLackOfResources = 5  ///< the flow cache needed the room
};

/// What was seen of a flow since its last record.
struct FlowRecord {
  FlowKey key;
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;  ///< of the IP packets, headers included, link layer excluded
  std::int64_t first_ns = 0;   ///< since 1970-01-01T00:00:00Z
  std::int64_t last_ns = 0;
  std::uint16_t tcp_flags = 0;     ///< all that were seen, or-ed
  std::uint8_t traffic_class = 0;  ///< the first packet's DSCP and ECN byte
  FlowEnd end = FlowEnd::kForcedEnd;
  bool operator==(const FlowRecord&) const = default;
};

}  // namespace wan
