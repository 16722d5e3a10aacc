#pragma once

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `replay --topology T --traffic CSV --score-from ROW ...`: replays measured traffic with the controllers in
/// the loop and compares them with the exact optimum of every interval.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `exit_code` outlives `app`.
void add_replay_command(CLI::App& app, int& exit_code);

}  // namespace wan::simulator
