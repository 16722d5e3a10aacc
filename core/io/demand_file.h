#pragma once

#include <filesystem>
#include <string_view>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::io {

/// Reads one traffic matrix from a REPETITA `.demands` file or from the demands of an SNDlib XML file.
/// Several entries for one pair add up.
///
/// @error kNotFound, kIo, kBadInput: the message is one line that begins with "FILE:LINE: " (or "FILE: ")
[[nodiscard]] Result<TrafficMatrix> read_demands(const std::filesystem::path& file, const Topology& topology);
[[nodiscard]] Result<TrafficMatrix> parse_demands(std::string_view text, std::string_view name,
                                                  const Topology& topology);

}  // namespace wan::io
