#pragma once

#include "tests/unit/dataplane/wired_network.h"

namespace wan::dataplane::test {

/// One node for tests of single packets: `hosts` (port 0, 10.1.0.1/16 and 2001:db8:1::1/64), core ports `east` (1) and
/// `west` (2), and `more` (port 3, 10.9.0.1/24, MTU 1280); locator fc00:1::/64.
///
/// Told of nodes b (fc00:2::/64, customers 10.2.0.0/16 and 2001:db8:2::/64; by east, or west with b's segment behind
/// c's), c (fc00:3::/64, 10.3.0.0/16; by west, else by east as it is) and d (fc00:4::/64, 10.4.0.0/16; by west, no
/// repair). Class 0 to b: by east with one segment, by west with two, half and half; when east is down all by west.
/// Class 1 (DSCP 46) to b: by east with three segments, no backup. Adjacency segments fc00:1::1:1 (east), ::1:2 (west).
struct SmallNode : WiredNode {
  SmallNode();
  [[nodiscard]] Verdict receive(std::size_t port, const Bytes& ip_packet);
  [[nodiscard]] Verdict receive_frame(std::size_t port, const Bytes& frame);
  /// An IP packet of the node's own.
  [[nodiscard]] Verdict originate(const Bytes& ip_packet);
  Bytes left;  ///< the bytes as the last verdict has them

  [[nodiscard]] static NodeProgram program();
};

[[nodiscard]] IpAddress ip(std::string_view text);
/// What a frame that was sent holds behind its Ethernet header.
[[nodiscard]] Bytes payload_of(const Bytes& frame);

}  // namespace wan::dataplane::test
