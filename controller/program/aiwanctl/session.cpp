#include "controller/program/aiwanctl/session.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "controller/program/aiwanctl/yaml_output.h"
#include "core/io/quantity_text.h"

namespace wan::aiwanctl {

Outcome<DaemonClient> daemon_of(const Session& session) {
  auto address = parse_server_address(session.server);
  if (!address) return failed(std::move(address.error()));
  return DaemonClient{*std::move(address), duration_of(session.timeout)};
}

void on_call(CLI::App& command, Session& session, std::function<Outcome<ExitCode>()> body) {
  command.callback([&session, body = std::move(body)] {
    const Outcome<ExitCode> outcome = body();
    session.exit_code = outcome ? *outcome : outcome.error().exit_code;
    if (!outcome) session.err << error_line(outcome.error()) << '\n';
  });
}

CLI::Option* add_output_option(CLI::App& command, OutputFormat& format, Formats formats, std::string_view option) {
  std::vector<std::string> names{"table", "json", "yaml"};
  if (formats != Formats::kTableJsonYaml) names.insert(names.begin() + 1, "wide");
  if (formats == Formats::kAlsoNames) names.emplace_back("names");
  return command.add_option(std::string{option}, format.name, "how to write the answer")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
}

void print_answer(Session& session, const OutputFormat& format, const Json& answer,
                  const std::function<std::string(const Json&, const Look&)>& view) {
  if (format.name == "json") {
    session.out << answer.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (format.name == "yaml") {
    session.out << to_yaml(answer);
  } else {
    session.out << view(answer, {.color = session.color, .wide = format.name == "wide"});
  }
}

CLI::Option* add_duration_option(CLI::App& command, std::string_view option, std::string& text,
                                 std::string_view description) {
  return command.add_option(std::string{option}, text, std::string{description})
      ->type_name("DURATION")
      ->check([](const std::string& given) {
        const auto duration = io::parse_duration(given);
        return duration && duration->count() > 0 ? "" : given + ": a time above zero with its unit, as 30s, 5m or 2h";
      });
}

Duration duration_of(const std::string& text) { return io::parse_duration(text).value_or(Duration::zero()); }

}  // namespace wan::aiwanctl
