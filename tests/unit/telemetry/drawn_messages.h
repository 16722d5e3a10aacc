#pragma once

#include <cstddef>

#include "core/random.h"
#include "telemetry/bus_codec.h"

namespace wan::test {

/// Well-formed messages with every field drawn, lists of 0 to `entries_max` entries.
[[nodiscard]] NodeHello drawn_hello(Rng& rng, std::size_t entries_max);
[[nodiscard]] IntervalReport drawn_report(Rng& rng, std::size_t entries_max);
[[nodiscard]] ProgramAck drawn_ack(Rng& rng);
[[nodiscard]] NodeProgram drawn_program(Rng& rng, std::size_t entries_max);
[[nodiscard]] telemetry::NodeMessage drawn_node_message(Rng& rng, std::size_t entries_max);
[[nodiscard]] telemetry::DaemonMessage drawn_daemon_message(Rng& rng, std::size_t entries_max);

}  // namespace wan::test
