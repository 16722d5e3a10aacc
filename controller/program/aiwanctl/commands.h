#pragma once

#include <span>
#include <string>

#include "controller/program/aiwanctl/session.h"

namespace wan::aiwanctl {

// Each registers its commands; their names and options, and what runs when one is called. A command's body runs while
// the command line is parsed, and leaves its exit code in the session, which must outlive `app`.

void add_get_command(CLI::App& app, Session& session);
void add_describe_command(CLI::App& app, Session& session);
void add_top_command(CLI::App& app, Session& session);
void add_decision_commands(CLI::App& app, Session& session);    ///< explain, approve
void add_automation_commands(CLI::App& app, Session& session);  ///< mode, pause, resume
void add_policy_commands(CLI::App& app, Session& session);      ///< plan, diff, apply, confirm, rollback
void add_drain_commands(CLI::App& app, Session& session);       ///< drain, undrain
void add_simulate_command(CLI::App& app, Session& session);
void add_completion_command(CLI::App& app, Session& session);
void add_version_command(CLI::App& app, Session& session);

/// The whole command line; every option of a command stands in its --help.
void describe_program(CLI::App& app, Session& session);

/// What completion scripts ask for with `aiwanctl __complete WORDS...`: a word a line, `:files` where any file will do.
/// @param words  as of `suggest`
void print_suggestions(const CLI::App& app, Session& session, std::span<const std::string> words);

}  // namespace wan::aiwanctl
