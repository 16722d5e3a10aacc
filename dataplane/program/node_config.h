#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/node_program.h"
#include "core/result.h"
#include "dataplane/dpdk/packet_engine.h"
#include "dataplane/hello.h"
#include "dataplane/neighbor_resolver.h"
#include "dataplane/node_facts.h"

namespace wan::dataplane {

/// Where flow records go.
struct IpfixTarget {
  std::string collector;       ///< "HOST:PORT", over UDP; or
  std::filesystem::path file;  ///< a file
  std::uint32_t observation_domain = 1;
  Duration template_interval{std::chrono::seconds{60}};
};

/// A node as its configuration describes it (docs/formats/node-config.md).
struct NodeConfig {
  NodeFacts facts;  ///< MAC addresses are not known yet
  EngineOptions engine;
  std::vector<bool> hello_ports;  ///< by port: its neighbour sends hellos
  std::vector<NeighborResolver::Static> fixed_neighbors;
  HelloOptions hello;
  std::optional<std::string> daemon;  ///< the bus's endpoint
  Duration report_interval{std::chrono::seconds{1}};
  NodeProgram first_program;  ///< epoch 0: what the node does before the daemon has spoken
  std::optional<IpfixTarget> ipfix;
  int nice = -10;  ///< of all its threads: a hello must not wait for other work on the machine
  std::string log_level = "info";
  bool log_json = false;
};

/// @error kNotFound, kIo, kBadInput: one line that begins with "FILE:LINE: KEY: "
[[nodiscard]] Result<NodeConfig> read_node_config(const std::filesystem::path& file);
/// The same on text in memory.
[[nodiscard]] Result<NodeConfig> parse_node_config(std::string_view text, const std::filesystem::path& file);

}  // namespace wan::dataplane
