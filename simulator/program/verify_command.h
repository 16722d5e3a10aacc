#pragma once

#include "simulator/program/demand_argument.h"

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `verify --topology T --demands D --plan F [--paths K] [--sid-depth D] [--json FILE|-]`: checks a plan file
/// and its proof.
///
/// When the subcommand runs, `exit_code` becomes 0 for a plan that holds, or 1 with one line on standard error for a
/// plan that is refused and for files that cannot be read. Wrong usage is CLI11's exception, for `main` to turn into 2.
/// `exit_code` outlives `app`.
void add_verify_command(CLI::App& app, int& exit_code, BestUtilization best_utilization);

}  // namespace wan::simulator
