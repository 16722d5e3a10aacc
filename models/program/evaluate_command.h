#pragma once

#include "core/time.h"

namespace CLI {
class App;
}

namespace wan::models {

/// Registers `evaluate --model DIR --topology T --traffic CSV --score-from ROW [--score-to ROW] [--horizons N,N...]
/// [--json FILE|-]`.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error: also for rows that the model
/// was trained on, by the time they carry. Wrong usage is CLI11's exception, for `main` to turn into 2. `clock` and
/// `exit_code` outlive `app`.
void add_evaluate_command(CLI::App& app, const Clock& clock, int& exit_code);

}  // namespace wan::models
