#pragma once

#include <filesystem>
#include <string_view>

#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"

namespace wan::io {

/// Reads a series of traffic matrices: header `time,SRC>DST,...`, then one row an interval, Mbit/s, RFC 4180 quoting.
/// Pairs absent from the header are zero; times must increase. docs/formats/traffic-csv.md says what is accepted.
///
/// @return  one [1][N][N] matrix a row
/// @error kNotFound, kIo: "FILE: why"; kBadInput: one line, "FILE:LINE: why" (a file too large to open: "FILE: why")
/// Threads: reentrant.  Cost: linear in the text plus N * N a row; below 1 GiB of memory whatever the bytes
[[nodiscard]] Result<TrafficSeries> read_traffic_csv(const std::filesystem::path& file, const Topology& topology);
[[nodiscard]] Result<TrafficSeries> parse_traffic_csv(std::string_view text, std::string_view name,
                                                      const Topology& topology);

/// Writes what `read_traffic_csv` reads: every ordered pair a column, enough digits that reading gives the same values.
/// @error kIo; kShapeMismatch: a matrix that is not [1][N][N]; kUnsupported: node names that make "SRC>DST" ambiguous
[[nodiscard]] Result<void> write_traffic_csv(const std::filesystem::path& file, const Topology& topology,
                                             const TrafficSeries& series);

}  // namespace wan::io
