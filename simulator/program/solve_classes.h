#pragma once

#include <string>

#include "core/io/plan_file.h"
#include "core/io/topology_file.h"
#include "core/traffic_matrix.h"
#include "simulator/program/class_traffic.h"
#include "simulator/program/demand_argument.h"

namespace CLI {
class App;
}

namespace wan::simulator {

/// What `solve` is told beside the network and the demands when classes of traffic count.
struct ClassSolveOptions {
  ClassArguments classes;
  std::string objective;  ///< "utilization", "classes" or "fair"; empty: utilization without policies, else classes
  double fill_to = 1.0;
  int rounds_max = 300;

  [[nodiscard]] bool wanted() const { return classes.wanted() || objective == "classes" || objective == "fair"; }
};

/// What `solve` is told anyway.
struct SolveRequest {
  double gap = 0.01;
  io::PlanLimits limits{};  ///< none: as many paths as it takes, of any length
  std::string plan_out, json;
};

void add_class_solve_options(CLI::App& command, ClassSolveOptions& options);

/// Plans by class priority or for fair shares, has the plan verified, and reports. Gives the exit code. Limits go with
/// priorities alone.
[[nodiscard]] int solve_classes(const io::TopologyFile& network, const TrafficMatrix& base,
                                const ClassSolveOptions& options, SolveRequest request,
                                const BestUtilization& best_utilization);

}  // namespace wan::simulator
