#pragma once

#include <cstdint>
#include <span>

#include "dataplane/packet_view.h"

namespace wan::dataplane {

/// Reads a captured frame by its link type (the registry of pcap and pcapng): Ethernet, Linux cooked (SLL, SLL2), BSD
/// null and loopback, PPP, PPP and Cisco in HDLC framing, raw IP. Any other type is kNotIp.
///
/// Source: www.tcpdump.org/linktypes.html
[[nodiscard]] PacketView parse_link(std::uint16_t link_type, std::span<const std::uint8_t> frame);

}  // namespace wan::dataplane
