#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "controller/program/aiwanctl/commands.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kModeExamples = R"(
observe: decisions are computed and recorded. advise: they wait for 'aiwanctl approve'. auto: they are installed.
The mode survives a restart of the daemon.

Examples:
  aiwanctl mode advise)";

constexpr const char* kPauseExamples = R"(
While paused nothing is installed, in any mode, until the time is over or 'aiwanctl resume'; the pause survives a
restart of the daemon. Nodes still protect traffic from broken links by themselves.

Examples:
  aiwanctl pause --for 2h
  aiwanctl pause)";

constexpr const char* kResumeExamples = R"(
Examples:
  aiwanctl resume)";

struct AutomationOptions {
  std::string mode, pause_for;
  OutputFormat format;
};

/// Sends the change and shows the status after it.
Outcome<ExitCode> change(Session& session, const OutputFormat& format, const std::string& path, const Json& body) {
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->post(path, body);
  if (!answer) return failed(answer.error());
  print_answer(session, format, *answer, status_view);
  return ExitCode::kDone;
}

}  // namespace

void add_automation_commands(CLI::App& app, Session& session) {
  const auto options = std::make_shared<AutomationOptions>();
  auto* mode = app.add_subcommand("mode", "how much the daemon does by itself");
  mode->add_option("MODE", options->mode, "observe, advise or auto")
      ->required()
      ->check(CLI::IsMember({"observe", "advise", "auto"}));
  add_output_option(*mode, options->format, Formats::kTableJsonYaml);
  mode->footer(kModeExamples);
  on_call(*mode, session, [options, &session] {
    return change(session, options->format, "/v1/mode", Json{{"mode", options->mode}});
  });

  auto* pause = app.add_subcommand("pause", "freeze automation");
  add_duration_option(*pause, "--for", options->pause_for, "how long; without it, until resume");
  add_output_option(*pause, options->format, Formats::kTableJsonYaml);
  pause->footer(kPauseExamples);
  on_call(*pause, session, [options, &session] {
    Json body = Json::object();
    if (!options->pause_for.empty()) body["for_s"] = to_seconds(duration_of(options->pause_for));
    return change(session, options->format, "/v1/pause", body);
  });

  auto* resume = app.add_subcommand("resume", "end a pause");
  add_output_option(*resume, options->format, Formats::kTableJsonYaml);
  resume->footer(kResumeExamples);
  on_call(*resume, session,
          [options, &session] { return change(session, options->format, "/v1/resume", Json::object()); });
}

}  // namespace wan::aiwanctl
