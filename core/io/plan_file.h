#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::io {

/// A plan with its proof, as kept in a file. docs/formats/plan.md describes the JSON.
struct PlanFile {
  std::string topology_digest;  ///< of the network it was made for, `Topology::digest`
  PathPlan plan;
  Certificate certificate;
  std::vector<Demand> unrouted;  ///< demands above zero that no path can carry

  bool operator==(const PlanFile&) const = default;
};

/// @error kNotFound, kIo, kBadInput: malformed JSON, a missing or mistyped field, an index outside the topology, a
/// number
///        that is not finite. Whether the paths make sense is `PathPlan::check`'s business, not the reader's.
[[nodiscard]] Result<PlanFile> read_plan(const std::filesystem::path& file, const Topology& topology);
[[nodiscard]] Result<PlanFile> parse_plan(std::string_view text, std::string_view name, const Topology& topology);

/// Numbers are written so that reading gives back the same values.
/// @error kIo
[[nodiscard]] Result<void> write_plan(const std::filesystem::path& file, const Topology& topology,
                                      const PlanFile& plan);

}  // namespace wan::io
