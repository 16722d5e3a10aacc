#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "controller/program/aiwanctl/commands.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kExplainExamples = R"(
Shows what the decision was made from, which links bind it (they alone keep the largest utilisation from falling), what
moves and why, and which alternatives were rejected.

Examples:
  aiwanctl explain latest
  aiwanctl explain 40 -o json)";

constexpr const char* kApproveExamples = R"(
In mode 'advise' nothing is installed before it is approved. A decision that a later one replaced cannot be approved.

Examples:
  aiwanctl get decisions --limit 1
  aiwanctl approve 40)";

struct DecisionOptions {
  std::string id;
  OutputFormat format;
};

/// The newest decision's id.
Outcome<std::string> latest_id(DaemonClient& daemon) {
  const auto newest = daemon.get_items("/v1/decisions?limit=1");
  if (!newest) return failed(newest.error());
  const Json& decisions = items_of(*newest, "items");
  if (decisions.empty()) {
    return failed({.exit_code = ExitCode::kNotFound,
                   .what = "there is no decision yet",
                   .where = "explain latest",
                   .next = "wait for an interval, then aiwanctl get decisions"});
  }
  return shown(field(decisions.front(), "id"));
}

Outcome<ExitCode> explain(const DecisionOptions& options, Session& session) {
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto id = options.id == "latest" ? latest_id(*daemon) : Outcome<std::string>{options.id};
  if (!id) return failed(id.error());
  const auto answer = daemon->get(io::joined("/v1/decisions/", path_part(*id), "/explanation"));
  if (!answer) return failed(answer.error());
  print_answer(session, options.format, *answer, explanation_view);
  return ExitCode::kDone;
}

Outcome<ExitCode> approve(const DecisionOptions& options, Session& session) {
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->post(io::joined("/v1/decisions/", path_part(options.id), "/approve"), Json::object());
  if (!answer) return failed(answer.error());
  print_answer(session, options.format, *answer, decision_view);
  return ExitCode::kDone;
}

}  // namespace

void add_decision_commands(CLI::App& app, Session& session) {
  auto* explain_command = app.add_subcommand("explain", "why a decision is what it is");
  const auto explained = std::make_shared<DecisionOptions>();
  explain_command->add_option("DECISION", explained->id, "its id, or latest")->required()->type_name("DECISION");
  add_output_option(*explain_command, explained->format, Formats::kTableJsonYaml);
  explain_command->footer(kExplainExamples);
  on_call(*explain_command, session, [explained, &session] { return explain(*explained, session); });

  auto* approve_command = app.add_subcommand("approve", "install a proposed decision");
  const auto approved = std::make_shared<DecisionOptions>();
  approve_command->add_option("DECISION", approved->id, "its id")->required()->type_name("DECISION");
  add_output_option(*approve_command, approved->format, Formats::kTableJsonYaml);
  approve_command->footer(kApproveExamples);
  on_call(*approve_command, session, [approved, &session] { return approve(*approved, session); });
}

}  // namespace wan::aiwanctl
