#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "controller/program/aiwanctl/commands.h"
#include "controller/program/aiwanctl/completion.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kCompletionExamples = R"(
Prints a script that completes commands, options and the daemon's names. The Debian package installs all three.

Examples:
  source <(aiwanctl completion bash)
  aiwanctl completion zsh > "${fpath[1]}/_aiwanctl"
  aiwanctl completion fish > ~/.config/fish/completions/aiwanctl.fish)";

}  // namespace

void add_completion_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("completion", "a completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(kCompletionExamples);
  on_call(*command, session, [shell, &session]() -> Outcome<ExitCode> {
    session.out << completion_script(*shell);
    return ExitCode::kDone;
  });
}

void print_suggestions(const CLI::App& app, Session& session, std::span<const std::string> words) {
  const auto server = std::find(words.begin(), words.end(), "--server");
  if (server != words.end() && server + 1 != words.end()) session.server = *(server + 1);
  session.timeout = "1s";  // the user is waiting for a key
  const LiveNames live_names = [&session](std::string_view kind) {
    std::vector<std::string> names;
    auto daemon = daemon_of(session);
    const auto answer = daemon ? daemon->get_items(std::string{"/v1/"}.append(kind)) : Outcome<Json>{failed({})};
    if (!answer) return names;
    for (const Json& item : items_of(*answer, "items")) {
      names.push_back(shown(field(item, kind == "plans" ? "epoch" : kind == "decisions" ? "id" : "name")));
    }
    return names;
  };
  const Suggestions found = suggest(app, words, live_names);
  for (const std::string& word : found.words) session.out << word << '\n';
  if (found.files) session.out << ":files\n";
}

}  // namespace wan::aiwanctl
