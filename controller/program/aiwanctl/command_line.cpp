#include <CLI/CLI.hpp>

#include "controller/program/aiwanctl/commands.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kFooter = R"(
--server and --timeout may also follow the command. Times are written as 30s, 5m or 2h, rates as 20Mbit/s.
Run 'aiwanctl COMMAND --help' for its options and examples.

Exit status:
  0  done; plan and diff: nothing would change
  1  the daemon refused or failed, or an input is bad
  2  plan and diff: something would change
  3  wrong usage
  4  no answer from the daemon
  5  conflict: the state has moved on, the mode is wrong, or nothing waits
  6  what was named does not exist

Environment:
  AIWAN_SERVER  the daemon, where --server does not name it
  NO_COLOR      when set, no colours)";

}  // namespace

void describe_program(CLI::App& app, Session& session) {
  app.require_subcommand(0, 1);  // main tells that one is missing: what is left over then names a wrong one
  app.fallthrough();
  app.footer(kFooter);
  app.add_option("--server", session.server, "the daemon: unix:PATH or http://HOST:PORT")
      ->envname("AIWAN_SERVER")
      ->capture_default_str();
  add_duration_option(app, "--timeout", session.timeout, "how long to wait for each answer")->capture_default_str();
  app.set_version_flag("--version", "aiwanctl " AIWAN_VERSION);
  add_get_command(app, session);
  add_describe_command(app, session);
  add_top_command(app, session);
  add_decision_commands(app, session);
  add_automation_commands(app, session);
  add_policy_commands(app, session);
  add_drain_commands(app, session);
  add_simulate_command(app, session);
  add_completion_command(app, session);
  add_version_command(app, session);
}

}  // namespace wan::aiwanctl
