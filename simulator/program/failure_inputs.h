#pragma once

#include <string>
#include <vector>

#include "controller/failure_set.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/demand_argument.h"

namespace wan::simulator {

/// What the command line of `failures` names.
struct FailureArguments {
  std::string topology, demands;
  std::string srlg_file;  ///< JSON: {"group": ["A>B", "C<>D", ...], ...}; empty: the network's own groups
  bool links = true;
  bool srlgs = false;
  bool nodes = false;
};

struct FailureInputs {
  Topology topology;
  std::vector<std::string> assumptions;  ///< for the user to see once
  TrafficMatrix traffic;
  std::vector<controller::Failure> failures;  ///< links, then groups, then nodes
  std::string digest;                         ///< equal inputs, equal digest
};

/// Reads a topology file or a network description (docs/formats/network.md, by its name's end .yaml or .yml), the
/// demands, and makes the list of failures.
/// @error kNotFound, kIo, kBadInput: one line; also where nothing can fail, or groups are asked for and there are none
[[nodiscard]] Result<FailureInputs> read_failure_inputs(const FailureArguments& arguments,
                                                        const BestUtilization& best_utilization);

}  // namespace wan::simulator
