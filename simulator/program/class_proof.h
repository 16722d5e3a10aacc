#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "controller/class_planner.h"
#include "core/path_plan.h"
#include "core/result.h"
#include "core/topology.h"

namespace wan::simulator {

/// What a plan file holds of classes, beside the plan: docs/formats/plan.md, key `class_proof`.
struct ClassProof {
  struct Level {
    int priority = 0;
    std::vector<TrafficClass> classes;
    double utilization = 0.0, lower_bound = 0.0, limit = 0.0;
    std::vector<std::vector<double>> duals;  ///< [level up to this one][link]
  };
  double gap = 0.01;  ///< that was asked for
  std::vector<Level> levels;
};

[[nodiscard]] ClassProof class_proof(const controller::ClassRoutes& routes, double gap);

/// Adds the proof to a plan file that `io::write_plan` has written.
/// @error kIo
[[nodiscard]] Result<void> add_class_proof(const std::filesystem::path& file, const ClassProof& proof);

/// @return  nothing when the plan file has no such key
/// @error kNotFound, kIo; kBadInput: "FILE: class_proof: why": a missing or mistyped field, numbers that are not finite
[[nodiscard]] Result<std::optional<ClassProof>> read_class_proof(const std::filesystem::path& file,
                                                                 const Topology& topology);

}  // namespace wan::simulator
