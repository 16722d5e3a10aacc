#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/topology.h"

namespace wan::io {

struct TopologyFile {
  Topology topology;
  /// What the file did not say and was assumed instead, one sentence each, for the user to see once.
  std::vector<std::string> assumptions;
};

/// Reads a Topology Zoo GraphML, REPETITA `.graph`, SNDlib XML or node-link JSON file; its content tells the format.
/// docs/formats/topology.md says what is accepted, how things are named, what is assumed and which sizes are read.
///
/// @error kNotFound, kIo: "FILE: why"; kBadInput: one line, "FILE:LINE: why" (a file too large to open: "FILE: why")
/// Threads: reentrant.  Cost: linear in the text; below 1 GiB of memory whatever the bytes
[[nodiscard]] Result<TopologyFile> read_topology(const std::filesystem::path& file);

/// The same on bytes already in memory; `name` stands for the file in messages.
[[nodiscard]] Result<TopologyFile> parse_topology(std::string_view text, std::string_view name);

/// Writes a topology in REPETITA's `.graph` form (capacity in kbit/s, delay in microseconds).
/// @error kIo; kUnsupported: a node name that holds white space
[[nodiscard]] Result<void> write_repetita_graph(const std::filesystem::path& file, const Topology& topology);

}  // namespace wan::io
