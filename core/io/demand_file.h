#pragma once

#include <filesystem>
#include <string_view>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::io {

/// Reads one traffic matrix from a REPETITA `.demands` file or from the demands of an SNDlib XML file.
/// Several entries for one pair add up. docs/formats/demands.md says what is accepted.
///
/// @return  [1][N][N]
/// @error kNotFound, kIo: "FILE: why"; kBadInput: one line, "FILE:LINE: why" (a file too large to open: "FILE: why")
/// Threads: reentrant.  Cost: linear in the text plus N * N; below 1 GiB of memory whatever the bytes
[[nodiscard]] Result<TrafficMatrix> read_demands(const std::filesystem::path& file, const Topology& topology);
[[nodiscard]] Result<TrafficMatrix> parse_demands(std::string_view text, std::string_view name,
                                                  const Topology& topology);

}  // namespace wan::io
