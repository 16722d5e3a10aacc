// aiwan-dataplane: packets measured and steered at one node. Each subcommand is a file of its own beside this one.

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "dataplane/program/meter_command.h"
#include "dataplane/program/run_command.h"

namespace {

constexpr int kWrongUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"aiwan-dataplane: measures packets, and steers them by the plan in force"};
  app.require_subcommand(1);
  app.footer(
      "Run 'aiwan-dataplane SUBCOMMAND --help' for its options and examples.\n"
      "Exit status: 0 done, 1 bad input (one line on standard error), 2 wrong usage.");
  int exit_code = EXIT_SUCCESS;
  wan::dataplane::add_run_command(app, exit_code);
  wan::dataplane::add_meter_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kWrongUsage;
  }
  return exit_code;
}
