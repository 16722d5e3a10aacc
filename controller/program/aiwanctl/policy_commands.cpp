#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "controller/program/aiwanctl/commands.h"
#include "controller/program/aiwanctl/policy_source.h"
#include "core/io/message_text.h"
#include "core/io/text_source.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kPlanExamples = R"(
Asks the daemon what a policy file would change; changes nothing. The saved plan holds the policies and the state that
they were checked against. -o names a file here; --output chooses how the answer is written.
Exit code: 0 nothing would change, 2 something would.

Examples:
  aiwanctl plan -f policies.yaml -o night.plan
  aiwanctl apply night.plan)";

constexpr const char* kDiffExamples = R"(
Compares a policy file with the policies in force, and tells what the difference would do. What the daemon would move
anyhow is no difference: that is for 'aiwanctl plan'. Exit code: 0 no difference, 2 differences.

Examples:
  aiwanctl get policies > policies.yaml
  aiwanctl diff -f policies.yaml)";

constexpr const char* kApplyExamples = R"(
Applies a plan that 'aiwanctl plan' saved, and is refused (exit code 5) when the state has moved on since: policies,
mode, drains, topology or the plan in force. Or applies a policy file at once. With --confirm-within the daemon goes
back to the policies before by itself unless 'aiwanctl confirm' comes in time, also when it was restarted meanwhile.

Examples:
  aiwanctl apply night.plan
  aiwanctl apply -f policies.yaml --confirm-within 5m
  aiwanctl confirm)";

constexpr const char* kConfirmExamples = R"(
Examples:
  aiwanctl confirm)";

constexpr const char* kRollbackExamples = R"(
Puts earlier policies in force again, as a new version; without --to, those before the ones in force.

Examples:
  aiwanctl rollback
  aiwanctl rollback --to 3)";

struct PolicyOptions {
  std::string file, saved, save_to, confirm_within;
  std::optional<unsigned> to;
  OutputFormat format;
};

/// What the daemon says of a policy file (SavedPlan).
Outcome<Json> checked(const PolicyOptions& options, Session& session) {
  const auto policies = read_policies(options.file, std::cin);
  if (!policies) return failed(policies.error());
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  return daemon->post("/v1/policies/check", Json{{"text", policies->text}, {"name", policies->name}});
}

Outcome<ExitCode> save(const Json& saved, const std::string& file) {
  const auto written =
      io::write_whole_file(file, saved.dump(2, ' ', false, Json::error_handler_t::replace).append("\n"));
  if (written) return ExitCode::kDone;
  return failed({.exit_code = ExitCode::kError,
                 .what = written.error().message,
                 .where = "plan",
                 .next = "name a file in a folder that you may write to"});
}

Outcome<ExitCode> plan(const PolicyOptions& options, Session& session) {
  if (options.save_to == "json" || options.save_to == "yaml") {  // -o means this elsewhere
    return failed({.exit_code = ExitCode::kWrongUsage,
                   .what = io::joined("-o names the file to save to; ", options.save_to, " is a format"),
                   .where = "plan",
                   .next = io::joined("use --output ", options.save_to, ", or -o ./", options.save_to)});
  }
  const auto answer = checked(options, session);
  if (!answer) return failed(answer.error());
  if (!options.save_to.empty()) {
    if (const auto saved = save(*answer, options.save_to); !saved) return saved;
  }
  print_answer(session, options.format, *answer, saved_plan_view);
  if (items_of(*answer, "policy_changes").empty() && items_of(*answer, "changes").empty()) return ExitCode::kDone;
  if (!options.save_to.empty()) session.err << "saved; next: aiwanctl apply " << options.save_to << '\n';
  return ExitCode::kChanges;
}

Outcome<ExitCode> diff(const PolicyOptions& options, Session& session) {
  const auto answer = checked(options, session);
  if (!answer) return failed(answer.error());
  const bool same = items_of(*answer, "policy_changes").empty();
  print_answer(session, options.format, *answer, [same](const Json& saved, const Look& look) {
    return same ? std::string{"no changes\n"} : saved_plan_view(saved, look);
  });
  return same ? ExitCode::kDone : ExitCode::kChanges;
}

std::string applied_view(const Json& answer) {
  std::string out = io::joined("policies version ", shown(field(answer, "version")), " in force");
  if (!field(answer, "decision").is_null()) out.append(", decision ").append(shown(field(answer, "decision")));
  out += '\n';
  const Json& until = field(answer, "confirm_until");
  if (until.is_string())
    out.append("rolled back at ").append(shown(until)).append(" unless aiwanctl confirm comes first\n");
  return out;
}

Outcome<ExitCode> apply(const PolicyOptions& options, Session& session) {
  if (options.file.empty() == options.saved.empty()) {
    return failed({.exit_code = ExitCode::kWrongUsage,
                   .what = options.file.empty() ? "nothing to apply" : "a saved plan and -f together",
                   .where = "apply",
                   .next = "name one of them: a saved plan, or -f FILE"});
  }
  Json body;
  if (options.saved.empty()) {
    const auto policies = read_policies(options.file, std::cin);
    if (!policies) return failed(policies.error());
    body = Json{{"text", policies->text}, {"name", policies->name}};
  } else {
    const auto plan = read_saved_plan(options.saved);
    if (!plan) return failed(plan.error());
    body = Json{{"text", plan->policies.text}, {"name", plan->policies.name}, {"state", plan->state}};
  }
  if (!options.confirm_within.empty()) body["confirm_within_s"] = to_seconds(duration_of(options.confirm_within));
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->post("/v1/policies/apply", body);
  if (!answer) return failed(answer.error());
  print_answer(session, options.format, *answer,
               [](const Json& document, const Look&) { return applied_view(document); });
  return ExitCode::kDone;
}

Outcome<ExitCode> change_version(const OutputFormat& format, Session& session, const std::string& path,
                                 const Json& body, std::string_view done) {
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->post(path, body);
  if (!answer) return failed(answer.error());
  print_answer(session, format, *answer, [done](const Json& document, const Look&) {
    return io::joined("policies version ", shown(field(document, "version")), done, "\n");
  });
  return ExitCode::kDone;
}

void add_file_option(CLI::App& command, PolicyOptions& options) {
  command.add_option("-f,--file", options.file, "policy file; - for standard input")->type_name("FILE");
}

}  // namespace

void add_policy_commands(CLI::App& app, Session& session) {
  const auto options = std::make_shared<PolicyOptions>();  // one command a run: they may share
  auto* plan_command = app.add_subcommand("plan", "what a policy file would change, to be applied later");
  add_file_option(*plan_command, *options);
  plan_command->get_option("--file")->required();
  plan_command->add_option("-o,--out", options->save_to, "where to save the plan")->type_name("FILE");
  add_output_option(*plan_command, options->format, Formats::kTableJsonYaml, "--output");
  plan_command->footer(kPlanExamples);
  on_call(*plan_command, session, [options, &session] { return plan(*options, session); });

  auto* diff_command = app.add_subcommand("diff", "what a policy file would change");
  add_file_option(*diff_command, *options);
  diff_command->get_option("--file")->required();
  add_output_option(*diff_command, options->format, Formats::kTableJsonYaml);
  diff_command->footer(kDiffExamples);
  on_call(*diff_command, session, [options, &session] { return diff(*options, session); });

  auto* apply_command = app.add_subcommand("apply", "put policies in force");
  apply_command->add_option("PLAN", options->saved, "file of 'aiwanctl plan -o'")->type_name("FILE");
  add_file_option(*apply_command, *options);
  add_duration_option(*apply_command, "--confirm-within", options->confirm_within,
                      "roll back unless confirmed within this time");
  add_output_option(*apply_command, options->format, Formats::kTableJsonYaml);
  apply_command->footer(kApplyExamples);
  on_call(*apply_command, session, [options, &session] { return apply(*options, session); });

  auto* confirm = app.add_subcommand("confirm", "keep what 'apply --confirm-within' put in force");
  add_output_option(*confirm, options->format, Formats::kTableJsonYaml);
  confirm->footer(kConfirmExamples);
  on_call(*confirm, session, [options, &session] {
    return change_version(options->format, session, "/v1/policies/confirm", Json::object(), " confirmed");
  });

  auto* rollback = app.add_subcommand("rollback", "put earlier policies in force again");
  rollback->add_option("--to", options->to, "version to go back to")->type_name("VERSION");
  add_output_option(*rollback, options->format, Formats::kTableJsonYaml);
  rollback->footer(kRollbackExamples);
  on_call(*rollback, session, [options, &session] {
    Json body = Json::object();
    if (options->to) body["to"] = *options->to;
    return change_version(options->format, session, "/v1/policies/rollback", body, " in force, as they were before");
  });
}

}  // namespace wan::aiwanctl
