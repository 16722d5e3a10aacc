#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/node_program.h"
#include "core/node_report.h"
#include "core/result.h"

namespace wan::telemetry {

/// The daemon asks a node for its program, to adopt it.
struct ProgramRequest {
  bool operator==(const ProgramRequest&) const = default;
};
/// The answer: what is in force there; epoch 0 when there is none.
struct ProgramReport {
  NodeIdentity node;
  NodeProgram program;
  bool operator==(const ProgramReport&) const = default;
};

/// What travels from nodes to the daemon ...
using NodeMessage = std::variant<NodeHello, IntervalReport, ProgramAck, ProgramReport>;
/// ... and back.
using DaemonMessage = std::variant<NodeProgram, ProgramRequest>;

inline constexpr std::uint32_t kBusVersion = 1;
inline constexpr std::size_t kBusMessageBytesMax = std::size_t{16} << 20;

/// One Protocol Buffers message (telemetry/messages/bus.proto): the version, then one of the above.
[[nodiscard]] std::string encode(const NodeMessage& message);
[[nodiscard]] std::string encode(const DaemonMessage& message);

/// Reads what anybody may have sent. What comes out is whole: names are 1 to 64 printable characters, numbers finite,
/// fractions in (0, 1], demands in increasing order (class, destination) without repeats, paths' fractions sum to 1
/// within 1e-6, lists within the limits of docs/formats/bus.md.
///
/// @error kUnsupported: another version; kBadInput: everything else, with what and where
/// Threads: reentrant.  Cost: linear in the bytes, memory at most a small multiple of them.
[[nodiscard]] Result<NodeMessage> decode_node_message(std::string_view bytes);
[[nodiscard]] Result<DaemonMessage> decode_daemon_message(std::string_view bytes);

}  // namespace wan::telemetry
