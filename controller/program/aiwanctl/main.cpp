// aiwanctl: the policy command line of the control daemon. Each group of commands is a file of its own beside this one.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/program/aiwanctl/commands.h"

namespace {

using wan::aiwanctl::ExitCode;

bool wants_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

/// The command whose help says more.
std::string help_of(const CLI::App& app) {
  const auto called = app.get_subcommands();
  return called.empty() ? "aiwanctl --help" : "aiwanctl " + called.front()->get_name() + " --help";
}

int wrong_usage(std::string what, const CLI::App& app) {
  std::cerr << wan::aiwanctl::error_line({.exit_code = ExitCode::kWrongUsage,
                                          .what = std::move(what),
                                          .where = "command line",
                                          .next = help_of(app)})
            << '\n';
  return static_cast<int>(ExitCode::kWrongUsage);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a daemon that goes away, or a pager that closes, is told as an error
  wan::aiwanctl::Session session{.out = std::cout, .err = std::cerr, .color = wants_color()};
  CLI::App app{"aiwanctl: shows and steers the control daemon aiwand"};
  wan::aiwanctl::describe_program(app, session);
  if (argc > 1 && std::string_view{argv[1]} == "__complete") {
    if (const char* server = std::getenv("AIWAN_SERVER")) session.server = server;
    wan::aiwanctl::print_suggestions(app, session, std::vector<std::string>(argv + 2, argv + argc));
    return EXIT_SUCCESS;
  }
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) return wrong_usage("a command is missing", app);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return wrong_usage(error.what(), app);
    app.exit(error);  // --help, --version
  }
  if (!(std::cout << std::flush)) {
    std::cerr << "aiwanctl: cannot write to standard output; next: make room, or name another place\n";
    return static_cast<int>(ExitCode::kError);
  }
  return static_cast<int>(session.exit_code);
}
