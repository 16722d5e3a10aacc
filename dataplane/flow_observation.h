#pragma once

#include <cstdint>
#include <span>

#include "dataplane/packet_view.h"

namespace wan::dataplane {

/// What one packet adds to its flow.
struct alignas(64) FlowObservation {
  PackedFlowKey key;
  std::int64_t time_ns = 0;  ///< since 1970-01-01T00:00:00Z, from 0 to 2^62
  std::uint32_t ip_length = 0;
  std::uint16_t tcp_flags = 0;
  std::uint8_t traffic_class = 0;
};

/// The observation of a packet whose view has status kIp.
[[nodiscard]] FlowObservation observe(const PacketView& packet, std::int64_t time_ns);

/// Reads a captured frame for its flow alone: the status and observation that `parse_link` and `observe` would give.
///
/// TCP and UDP right behind Ethernet and a plain IP header, whole in the frame, take a short way without a view.
/// @param seen  set when the status is kIp
[[nodiscard]] PacketStatus observe_frame(std::uint16_t link_type, std::span<const std::uint8_t> frame,
                                         std::int64_t time_ns, FlowObservation& seen);

}  // namespace wan::dataplane
