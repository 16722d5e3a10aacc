#pragma once

namespace CLI {
class App;
}

namespace wan::dataplane {

/// Registers `run --config node.yaml`: one node of the network, until SIGTERM or SIGINT.
///
/// When the subcommand ends, `exit_code` is 0, or 1 with one line on standard error for a configuration or a port that
/// cannot be used. `exit_code` outlives `app`.
void add_run_command(CLI::App& app, int& exit_code);

}  // namespace wan::dataplane
