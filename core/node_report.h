#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.h"

namespace wan {

/// Who reports: a node, and which of its lives. Counters start at zero with each boot.
struct NodeIdentity {
  std::string name;
  std::uint64_t boot_id = 0;  ///< drawn at start; another one means the node has restarted
  bool operator==(const NodeIdentity&) const = default;
};

struct PortState {
  std::string name;
  bool up = false;  ///< carrier, and hellos where the port expects them
  std::uint32_t mtu = 0;
  bool operator==(const PortState&) const = default;
};

/// Sent at start, once a second, and whenever a port goes up or down: all there is to know about a node but its counts.
struct NodeHello {
  NodeIdentity node;
  std::string version;              ///< of the program that runs there
  std::string locator;              ///< its SRv6 prefix
  std::uint64_t program_epoch = 0;  ///< in force; 0: none yet
  std::string program_digest;
  std::uint64_t installs = 0;  ///< programs taken since boot
  std::vector<PortState> ports;
  bool operator==(const NodeHello&) const = default;
};

/// Traffic of one class that entered the network here for one other node, in one interval.
struct DemandCount {
  TrafficClass cls;
  std::string destination;
  std::uint64_t bytes = 0;  ///< IP bytes as they arrived, before encapsulation, dropped ones included
  std::uint64_t packets = 0;
  std::uint64_t dropped_packets = 0;  ///< of these, lost in this node
  bool operator==(const DemandCount&) const = default;
};

/// One port in one interval. Bytes are of whole frames.
struct PortCount {
  std::string name;
  bool up = false;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t send_drops = 0;  ///< packets that the port did not take, or that its queue threw away
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t receive_errors = 0;
  bool operator==(const PortCount&) const = default;
};

/// Packets lost in the node for one reason, in one interval.
struct DropCount {
  std::string reason;  ///< a fixed word: docs/formats/bus.md lists them
  std::uint64_t packets = 0;
  bool operator==(const DropCount&) const = default;
};

/// What a node counted in one interval. Intervals of a node meet end to begin and are multiples of their length since
/// 1970, so that those of different nodes match; the first one of a life may be shorter.
struct IntervalReport {
  NodeIdentity node;
  std::uint64_t sequence = 0;  ///< 0, 1, 2, ... in one life
  std::int64_t begin_ns = 0;   ///< by the node's clock, since 1970-01-01T00:00:00Z
  std::int64_t end_ns = 0;
  std::uint64_t program_epoch = 0;  ///< in force at the end
  std::vector<DemandCount> demands;
  std::vector<PortCount> ports;
  std::vector<DropCount> drops;
  std::uint64_t flows = 0;  ///< in the flow cache at the end
  bool operator==(const IntervalReport&) const = default;
};

/// Whether a node took a program.
struct ProgramAck {
  NodeIdentity node;
  std::uint64_t epoch = 0;  ///< of the program that this answers
  std::string digest;
  bool accepted = false;
  std::string reason;  ///< when not accepted
  bool operator==(const ProgramAck&) const = default;
};

}  // namespace wan
