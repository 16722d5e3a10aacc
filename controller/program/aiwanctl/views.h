#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/program/aiwanctl/answer.h"

namespace wan::aiwanctl {

/// How a view is to look.
struct Look {
  bool color = false;  ///< only at a terminal, and without NO_COLOR
  bool wide = false;   ///< more columns
};

// Answers of the API (docs/formats/api.md) as text for people: one function an answer, complete lines. Fields that an
// answer lacks show as `-`. Threads: reentrant.

[[nodiscard]] std::string status_view(const Json& status, const Look& look);
[[nodiscard]] std::string nodes_table(const Json& nodes, const Look& look);
[[nodiscard]] std::string links_table(const Json& links, const Look& look);
[[nodiscard]] std::string demands_table(const Json& demands, const Look& look);
[[nodiscard]] std::string plans_table(const Json& plans, const Look& look);
[[nodiscard]] std::string decisions_table(const Json& decisions, const Look& look);
[[nodiscard]] std::string alarms_table(const Json& alarms, const Look& look);
/// The text as it was applied, under comments that say which version it is: a policy file again.
[[nodiscard]] std::string policies_view(const Json& policies, const Look& look);

/// Every field of one object under a name and a unit that people know; for `describe`.
[[nodiscard]] std::string node_view(const Json& node, const Look& look);
[[nodiscard]] std::string link_view(const Json& link, const Look& look);
[[nodiscard]] std::string plan_view(const Json& plan, const Look& look);
[[nodiscard]] std::string decision_view(const Json& decision, const Look& look);

[[nodiscard]] std::string explanation_view(const Json& explanation, const Look& look);
/// What a policy file would change (SavedPlan).
[[nodiscard]] std::string saved_plan_view(const Json& saved, const Look& look);
[[nodiscard]] std::string simulation_view(const Json& simulation, const Look& look);

/// `from > via > to (62.0 %)` of a path, from its links' names or its segments.
[[nodiscard]] std::string shown_path(const Json& path);

/// `name: value` lines, values aligned; shared by the views of one object.
struct Fact {
  std::string name;
  std::string value;
};
[[nodiscard]] std::string facts_text(const std::vector<Fact>& facts, const Look& look, std::string_view indent = "");

}  // namespace wan::aiwanctl
