#pragma once

namespace CLI {
class App;
}

namespace wan::dataplane {

/// Registers `meter --pcap F`: the flows of a capture, counted and exported.
///
/// When the subcommand runs, `exit_code` becomes 0, or 1 with one line on standard error for a file that cannot be read
/// to its end (what was read is still told) or a result that cannot be written. Wrong usage is CLI11's exception, for
/// `main` to turn into 2. `exit_code` outlives `app`.
void add_meter_command(CLI::App& app, int& exit_code);

}  // namespace wan::dataplane
