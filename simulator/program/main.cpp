// aiwan-sim: the offline simulator. Each subcommand is a file of its own beside this one.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>

#include "controller/planner.h"
#include "core/huge_page_heap.h"
#include "simulator/program/failures_command.h"
#include "simulator/program/generate_command.h"
#include "simulator/program/replay_command.h"
#include "simulator/program/run_command.h"
#include "simulator/program/solve_command.h"
#include "simulator/program/verify_command.h"

namespace {

constexpr int kWrongUsage = 2;

/// The scale of made-up demands: near the exact optimum, and the same in every subcommand.
wan::Result<double> best_utilization(const wan::Topology& topology, const wan::TrafficMatrix& demand) {
  auto routes = wan::controller::plan_paths(topology, demand, {.gap = 1e-3, .threads = 1, .least_delay = false});
  if (!routes) return tl::unexpected<wan::Error>{routes.error()};
  return routes->certificate.utilization;
}

}  // namespace

int main(int argc, char** argv) {
  wan::use_huge_page_heap();
  CLI::App app{"aiwan-sim: plans, proves and rehearses routes offline"};
  app.require_subcommand(1);
  app.footer(
      "Run 'aiwan-sim SUBCOMMAND --help' for its options and examples.\n"
      "Exit status: 0 done, 1 bad input (one line on standard error), 2 wrong usage.");
  int exit_code = EXIT_SUCCESS;
  wan::simulator::add_solve_command(app, exit_code, best_utilization);
  wan::simulator::add_verify_command(app, exit_code, best_utilization);
  wan::simulator::add_failures_command(app, exit_code, best_utilization);
  wan::simulator::add_replay_command(app, exit_code);
  wan::simulator::add_generate_command(app, exit_code);
  wan::simulator::add_run_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kWrongUsage;
  }
  return exit_code;
}
