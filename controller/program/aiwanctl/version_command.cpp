#include <CLI/CLI.hpp>
#include <memory>

#include "controller/program/aiwanctl/commands.h"

namespace wan::aiwanctl {

void add_version_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("version", "the version of this program; 'get status' tells the daemon's");
  const auto format = std::make_shared<OutputFormat>();
  add_output_option(*command, *format, Formats::kTableJsonYaml);
  command->footer("\nExamples:\n  aiwanctl version");
  on_call(*command, session, [format, &session]() -> Outcome<ExitCode> {
    print_answer(session, *format, Json{{"version", AIWAN_VERSION}},
                 [](const Json&, const Look&) { return "aiwanctl " AIWAN_VERSION "\n"; });
    return ExitCode::kDone;
  });
}

}  // namespace wan::aiwanctl
