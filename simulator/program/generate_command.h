#pragma once

namespace CLI {
class App;
}

namespace wan::simulator {

/// Registers `generate --seed N --days D [--scenario F] --topology-out X.graph --traffic-out Y.csv`: writes a network
/// and its generated traffic as files, so that a forecaster can be trained on the days before those that a scenario
/// scores.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error. Wrong usage is CLI11's
/// exception, for `main` to turn into 2. `exit_code` outlives `app`.
void add_generate_command(CLI::App& app, int& exit_code);

}  // namespace wan::simulator
