#pragma once

#include "simulator/program/demand_argument.h"

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `solve --topology T --demands D [--gap G] [--exact] [--threads N] [--paths K] [--sid-depth D] [--plan-out
/// F] [--json FILE|-]`: plans routes for one traffic matrix, with a proof.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `exit_code` outlives `app`.
void add_solve_command(CLI::App& app, int& exit_code, BestUtilization best_utilization);

}  // namespace wan::simulator
