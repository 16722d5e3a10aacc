#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "controller/class_planner.h"
#include "controller/fair_share.h"
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
  struct Round {
    std::size_t level = 0;
    double fraction = 0.0;
    std::vector<double> duals;  ///< by link
  };
  struct Admitted {
    Demand demand;
    double fraction = 1.0;
    std::uint32_t round = 0;
  };

  bool fair = false;
  double gap = 0.01;             ///< that was asked for; not of a fair plan
  double utilization_max = 1.0;  ///< fair: part of capacities that may be filled
  double within = 0.0;           ///< fair: how much more than it has any demand could have at most
  std::vector<Level> levels;     ///< fair: priorities and classes alone
  std::vector<Round> rounds;
  std::vector<Admitted> admitted;  ///< demands that stopped in a round below 1, in order; all others are carried whole
};

[[nodiscard]] ClassProof class_proof(const controller::ClassRoutes& routes, double gap);
[[nodiscard]] ClassProof class_proof(const controller::FairRoutes& routes, double utilization_max);

/// Adds the proof to a plan file that `io::write_plan` has written.
/// @error kIo
[[nodiscard]] Result<void> add_class_proof(const std::filesystem::path& file, const ClassProof& proof);

/// @param name  of the file, for messages
/// @return  nothing when the plan file has no such key
/// @error kIo; kBadInput: "FILE: class_proof: why": a missing or mistyped field, numbers that are not finite
[[nodiscard]] Result<std::optional<ClassProof>> parse_class_proof(std::istream& plan, const std::string& name,
                                                                  const Topology& topology);
[[nodiscard]] Result<std::optional<ClassProof>> read_class_proof(const std::filesystem::path& file,
                                                                 const Topology& topology);

}  // namespace wan::simulator
