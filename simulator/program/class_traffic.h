#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "controller/policy.h"
#include "core/result.h"
#include "core/topology.h"
#include "core/traffic_matrix.h"
#include "simulator/program/demand_argument.h"

namespace CLI {
class App;
}

namespace wan::simulator {

/// What the command line says about classes of traffic; `solve` and `verify` must be told the same.
struct ClassArguments {
  std::string policies;                    ///< file; empty: none
  std::vector<std::string> class_demands;  ///< NAME=DEMANDS: traffic of a class beside --demands
  std::vector<std::string> class_shares;   ///< NAME=FRACTION: of every entry of --demands

  [[nodiscard]] bool wanted() const { return !policies.empty(); }
};

void add_class_arguments(CLI::App& command, ClassArguments& arguments);

/// Reads policies (docs/formats/policy.md) for a network of which only the topology is known: the words after `avoid`
/// and in pins are its links and nodes.
/// @error as controller::parse_policies; kNotFound, kIo: the file
[[nodiscard]] Result<controller::PolicySet> read_policies(const std::filesystem::path& file, const Topology& topology);

/// The matrix of all classes that the policies have: `base` is of the first one, less the shares of others.
/// @error kNotFound: no such class; kBadInput: no NAME=VALUE, a share that is none, shares of more than 1 together;
///        what resolve_demands says of demands
[[nodiscard]] Result<TrafficMatrix> class_traffic(const ClassArguments& arguments,
                                                  const controller::PolicySet& policies, const Topology& topology,
                                                  const TrafficMatrix& base, const BestUtilization& best_utilization);

}  // namespace wan::simulator
