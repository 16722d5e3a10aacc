#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "controller/program/aiwanctl/answer.h"
#include "controller/program/aiwanctl/daemon_client.h"
#include "controller/program/aiwanctl/failure.h"
#include "controller/program/aiwanctl/views.h"
#include "core/units.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace wan::aiwanctl {

/// One run of the program: what all commands share.
struct Session {
  std::ostream& out;  ///< data
  std::ostream& err;  ///< talk
  bool color = false;
  std::string server = std::string{kDefaultServer};
  std::string timeout = "30s";
  ExitCode exit_code = ExitCode::kDone;
};

/// A client of the daemon that the session names; does not connect yet.
[[nodiscard]] Outcome<DaemonClient> daemon_of(const Session& session);

/// Runs a command's body when the command line names the command; a Failure becomes one line on `err`.
void on_call(CLI::App& command, Session& session, std::function<Outcome<ExitCode>()> body);

/// How an answer is to be written: `table`, `wide`, `json`, `yaml` or `names`.
struct OutputFormat {
  std::string name = "table";
};
enum class Formats { kTableJsonYaml, kAlsoWide, kAlsoNames };

/// `-o, --output`, or `--output` alone where -o has another meaning.
CLI::Option* add_output_option(CLI::App& command, OutputFormat& format, Formats formats,
                               std::string_view option = "-o,--output");

/// Writes an answer as JSON, as YAML or, otherwise, as `view` shows it.
void print_answer(Session& session, const OutputFormat& format, const Json& answer,
                  const std::function<std::string(const Json&, const Look&)>& view);

/// A duration argument that `--help` names DURATION; it is checked when the command line is read.
CLI::Option* add_duration_option(CLI::App& command, std::string_view option, std::string& text,
                                 std::string_view description);
/// What a checked duration argument stands for.
[[nodiscard]] Duration duration_of(const std::string& text);

}  // namespace wan::aiwanctl
