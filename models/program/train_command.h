#pragma once

#include "core/time.h"

namespace CLI {
class App;
}

namespace wan::models {

/// Registers `train --topology T --traffic CSV [--to ROW] [--resume DIR] --out DIR [--seed N] [--epochs
/// N] [--json FILE|-]`.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `clock` and `exit_code` outlive `app`.
void add_train_command(CLI::App& app, const Clock& clock, int& exit_code);

}  // namespace wan::models
