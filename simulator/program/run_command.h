#pragma once

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `run SCENARIO.yaml [--seed N] [--out DIR] [--model DIR] [--json FILE|-]`: plays a scenario with all its
/// controllers, prints their table and leaves results.sqlite and report.html in a folder.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `exit_code` outlives `app`.
void add_run_command(CLI::App& app, int& exit_code);

}  // namespace wan::simulator
