#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "controller/program/aiwanctl/commands.h"
#include "core/io/message_text.h"

namespace wan::aiwanctl {
namespace {

constexpr const char* kGetExamples = R"(
KIND is one of nodes, links, demands, plans, decisions, alarms, policies, status. 'policies' prints the policy file in
force, ready to be edited and applied. -o names gives one name a line, for scripts and completion.

Examples:
  aiwanctl get links
  aiwanctl get decisions --limit 10 -o wide
  aiwanctl get demands -o json | jq '.items[] | select(.censored)')";

constexpr const char* kDescribeExamples = R"(
Examples:
  aiwanctl describe link west-1/ams-core7
  aiwanctl describe plan 12
  aiwanctl describe decision 40 -o yaml)";

struct Kind {
  std::string_view name;
  std::string_view path;
  std::string (*view)(const Json&, const Look&);
  std::string_view key;  ///< names one item; empty: the answer is one object
};

constexpr std::array kKinds{
    Kind{"nodes", "/v1/nodes", nodes_table, "name"},           Kind{"links", "/v1/links", links_table, "name"},
    Kind{"demands", "/v1/demands", demands_table, ""},         Kind{"plans", "/v1/plans", plans_table, "epoch"},
    Kind{"decisions", "/v1/decisions", decisions_table, "id"}, Kind{"alarms", "/v1/alarms", alarms_table, "id"},
    Kind{"policies", "/v1/policies", policies_view, ""},       Kind{"status", "/v1/status", status_view, ""}};

constexpr std::array kSingleKinds{Kind{"node", "/v1/nodes/", node_view, ""}, Kind{"link", "/v1/links/", link_view, ""},
                                  Kind{"plan", "/v1/plans/", plan_view, ""},
                                  Kind{"decision", "/v1/decisions/", decision_view, ""}};

template <typename Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.emplace_back(kind.name);
  return names;
}

template <typename Kinds>
const Kind& kind_named(const Kinds& kinds, const std::string& name) {
  return *std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.name == name; });
}

bool is_list(const Kind& kind) { return kind.name != "policies" && kind.name != "status"; }

/// One line an item. Demands have no name of their own: CLASS:FROM:TO. Policies: their classes.
std::string names_text(const Kind& kind, const Json& answer) {
  std::string out;
  const Json& items =
      kind.name == "policies" ? items_of(field(answer, "policies"), "classes") : items_of(answer, "items");
  for (const Json& item : items) {
    if (kind.name == "demands") {
      out += io::joined(shown(field(item, "class")), ":", shown(field(item, "from")), ":", shown(field(item, "to")));
    } else {
      out += shown(field(item, kind.name == "policies" ? "name" : kind.key));
    }
    out += '\n';
  }
  return out;
}

struct GetOptions {
  std::string kind;
  unsigned limit = 50;
  OutputFormat format;
};

Outcome<ExitCode> get(const GetOptions& options, Session& session) {
  const Kind& kind = kind_named(kKinds, options.kind);
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  std::string path{kind.path};
  if (kind.name == "decisions") path.append("?limit=").append(std::to_string(options.limit));
  const auto answer = is_list(kind) ? daemon->get_items(path) : daemon->get(path);
  if (!answer) return failed(answer.error());
  if (options.format.name == "names") {
    session.out << names_text(kind, *answer);
    return ExitCode::kDone;
  }
  print_answer(session, options.format, *answer, [&](const Json& document, const Look& look) {
    return kind.view(is_list(kind) ? items_of(document, "items") : document, look);
  });
  return ExitCode::kDone;
}

struct DescribeOptions {
  std::string kind, name;
  OutputFormat format;
};

Outcome<ExitCode> describe(const DescribeOptions& options, Session& session) {
  const Kind& kind = kind_named(kSingleKinds, options.kind);
  auto daemon = daemon_of(session);
  if (!daemon) return failed(daemon.error());
  const auto answer = daemon->get(std::string{kind.path}.append(path_part(options.name)));
  if (!answer) return failed(answer.error());
  print_answer(session, options.format, *answer, kind.view);
  return ExitCode::kDone;
}

}  // namespace

void add_get_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("get", "list what the daemon knows");
  const auto options = std::make_shared<GetOptions>();
  command->add_option("KIND", options->kind, "what to list")->required()->check(CLI::IsMember(names_of(kKinds)));
  command->add_option("--limit", options->limit, "decisions: how many of the newest")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  add_output_option(*command, options->format, Formats::kAlsoNames);
  command->footer(kGetExamples);
  on_call(*command, session, [options, &session] { return get(*options, session); });
}

void add_describe_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("describe", "one node, link, plan or decision with all its fields");
  const auto options = std::make_shared<DescribeOptions>();
  command->add_option("KIND", options->kind, "node, link, plan or decision")
      ->required()
      ->check(CLI::IsMember(names_of(kSingleKinds)));
  command->add_option("NAME", options->name, "its name; a plan's epoch, a decision's id")
      ->required()
      ->type_name("NAME");
  add_output_option(*command, options->format, Formats::kTableJsonYaml);
  command->footer(kDescribeExamples);
  on_call(*command, session, [options, &session] { return describe(*options, session); });
}

}  // namespace wan::aiwanctl
