#pragma once

#include "simulator/program/demand_argument.h"

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `failures --topology T --demands D [--srlg] [--srlg-file F] [--node] [--exact] [--json FILE|-] ...`: what
/// every single failure does to the network, and what each answer to it achieves. Processes that one mpirun started
/// share the failures; rank 0 alone prints.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `exit_code` outlives `app`.
void add_failures_command(CLI::App& app, int& exit_code, BestUtilization best_utilization);

}  // namespace wan::simulator
