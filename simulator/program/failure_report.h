#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "controller/failure_set.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/failure_sweep.h"

namespace wan::simulator {

/// Everything a sweep found: what table and JSON are made of.
struct FailureReport {
  const Topology& topology;
  const TrafficMatrix& traffic;
  std::span<const controller::Failure> failures;
  BasePlan base;
  std::vector<FailureOutcome> outcomes;  ///< by failure
  bool exact = false;
};

/// Worst first: most traffic lost, then highest utilisation after re-optimising, then the order of failures.
[[nodiscard]] std::vector<std::size_t> worst_first(const FailureReport& report);

/// As docs/formats/failures.md describes it.
[[nodiscard]] nlohmann::ordered_json failures_json(const FailureReport& report);

/// The summary, then the worst failures.
/// @param rows  so many of them; 0: all
void print_failures(std::ostream& out, const FailureReport& report, std::size_t rows);

/// Outcomes between two processes: reading gives back the same values.
[[nodiscard]] std::string pack_outcomes(std::span<const FailureOutcome> outcomes);
/// @error kInternal: not what `pack_outcomes` wrote
[[nodiscard]] Result<std::vector<FailureOutcome>> unpack_outcomes(std::string_view bytes);

}  // namespace wan::simulator
