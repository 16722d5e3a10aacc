#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "controller/program/aiwanctl/commands.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kDrainExamples = R"(
TARGET is a link (one direction by its full name, both by the name before the /) or a node, which keeps the traffic
that begins or ends there. Refused (exit code 5) when it would cut nodes off.

Examples:
  aiwanctl drain west-1
  aiwanctl drain core9)";

constexpr const char* kUndrainExamples = R"(
Examples:
  aiwanctl undrain west-1)";

struct DrainOptions {
  std::string target;
  OutputFormat format;
};

void add(CLI::App& app, Session& session, const std::shared_ptr<DrainOptions>& options, const std::string& name,
         const char* description, const char* examples) {
  auto* command = app.add_subcommand(name, description);
  command->add_option("TARGET", options->target, "a link or a node")->required()->type_name("LINK|NODE");
  add_output_option(*command, options->format, Formats::kTableJsonYaml);
  command->footer(examples);
  on_call(*command, session, [options, &session, name]() -> Outcome<ExitCode> {
    auto daemon = daemon_of(session);
    if (!daemon) return failed(daemon.error());
    const auto answer = daemon->post("/v1/" + name, Json{{"target", options->target}});
    if (!answer) return failed(answer.error());
    print_answer(session, options->format, *answer, [&name](const Json& document, const Look&) {
      std::string out = io::joined(name, "ed: ", shown_list(field(document, "targets")));
      if (!field(document, "decision").is_null()) out.append("; decision ").append(shown(field(document, "decision")));
      return out.append("\n");
    });
    return ExitCode::kDone;
  });
}

}  // namespace

void add_drain_commands(CLI::App& app, Session& session) {
  const auto options = std::make_shared<DrainOptions>();
  add(app, session, options, "drain", "keep a link or a node empty", kDrainExamples);
  add(app, session, options, "undrain", "let traffic back", kUndrainExamples);
}

}  // namespace wan::aiwanctl
