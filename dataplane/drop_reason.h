#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wan::dataplane {

/// Why a packet went no further.
enum class DropReason : std::uint8_t {
  kMalformed,
  kNotForUs,  ///< another station's frame, or a protocol that this node does not forward
  kNoRoute,   ///< no prefix, locator or path for the destination
  kTtlExpired,
  kTooBig,             ///< for the port's MTU
  kSidUnknown,         ///< in our locator, but no segment of ours
  kSidFromOutside,     ///< a customer sent to the network's own segments (RFC 8754, section 5.1)
  kPortDown,           ///< and no backup
  kPortFull,           ///< the port's queue took no more
  kNoNeighbor,         ///< the next hop did not answer
  kNeighborQueueFull,  ///< waiting for the next hop's answer
  kNoMemory,           ///< no room for headers, or no packet buffer
  kSlowPathFull,       ///< too many packets for the control thread
};
inline constexpr std::size_t kDropReasonCount = 13;

inline constexpr std::array<std::string_view, kDropReasonCount> kDropReasonNames{
    "malformed", "not_for_us", "no_route",    "ttl_expired",         "too_big",   "sid_unknown",   "sid_from_outside",
    "port_down", "port_full",  "no_neighbor", "neighbor_queue_full", "no_memory", "slow_path_full"};

[[nodiscard]] constexpr std::string_view to_string(DropReason reason) {
  return kDropReasonNames[static_cast<std::size_t>(reason)];
}

}  // namespace wan::dataplane
