#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/path_plan.h"
#include "core/path_segments.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::io {

/// What a plan promises about its paths beside the proof.
struct PlanLimits {
  std::optional<std::size_t> paths_max;  ///< paths a demand, at least 1
  std::optional<std::size_t> sid_depth;  ///< segments a path, at least 1; the plan then has segment lists

  bool operator==(const PlanLimits&) const = default;
};

/// A plan with its proof, as kept in a file. docs/formats/plan.md describes the JSON.
struct PlanFile {
  std::string topology_digest;  ///< of the network it was made for, `Topology::digest`
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;  ///< demands above zero that no path can carry
  PlanLimits limits{};
  SegmentLists segments{};  ///< one list a path, or none at all

  bool operator==(const PlanFile&) const = default;
};

/// @param topology  the network that the plan is for: nodes and links must be the file's, by name and order; capacities
///                  may have changed since, which `topology_digest` tells
/// @error kNotFound, kIo: "FILE: why"; kBadInput, "FILE:LINE: why": malformed JSON, a missing or mistyped field,
/// another
///        network, an index outside of it, a number that is not finite, demands out of order, fractions that are not
///        above 0 or do not sum to 1 within 1e-9, the same path twice, segment lists for some paths only. Whether the
///        links of a path join up is `PathPlan::check`'s business, not the reader's
/// Threads: reentrant.  Cost: about 50 MB/s; below 1 GiB of memory whatever the bytes
[[nodiscard]] Result<PlanFile> read_plan(const std::filesystem::path& file, const Topology& topology);
[[nodiscard]] Result<PlanFile> parse_plan(std::string_view text, std::string_view name, const Topology& topology);

/// Numbers are written so that reading gives back the same values.
/// @param plan  `segments`, if any, has a list for each path
/// @error kIo; kBadInput: the certificate holds a number that is not finite; a limit of 0
[[nodiscard]] Result<void> write_plan(const std::filesystem::path& file, const Topology& topology,
                                      const PlanFile& plan);

}  // namespace wan::io
