// What aiwanctl makes of an answer, whatever it is: views for people, YAML, a saved plan.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "controller/program/aiwanctl/answer.h"
#include "controller/program/aiwanctl/policy_source.h"
#include "controller/program/aiwanctl/top_frame.h"
#include "controller/program/aiwanctl/views.h"
#include "controller/program/aiwanctl/yaml_output.h"
#include "core/io/message_text.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace wan::aiwanctl;

void expect_for_terminal(const std::string& text) {
  wan::fuzz::expect(text.ends_with('\n'), "whole lines");
  wan::fuzz::expect(
      std::none_of(text.begin(), text.end(),
                   [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f'; }),
      "no control characters");
  wan::fuzz::expect(wan::io::is_utf8(text), "UTF-8");
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)parse_saved_plan(text, "input");
  const auto answer = parse_json(text);
  if (!answer) return 0;
  constexpr std::array kViews{status_view,     nodes_table,      links_table,     demands_table,  plans_table,
                              decisions_table, alarms_table,     node_view,       link_view,      plan_view,
                              decision_view,   explanation_view, saved_plan_view, simulation_view};
  for (const auto view : kViews) {
    expect_for_terminal(view(*answer, {.color = false, .wide = true}));
    expect_for_terminal(view(items_of(*answer, "items"), {}));
  }
  expect_for_terminal(top_frame(
      {.status = *answer, .links = items_of(*answer, "items"), .decision = *answer, .trouble = {}}, {}, {40, 10}));
  (void)policies_view(*answer, {});
  wan::fuzz::expect(to_yaml(*answer).ends_with('\n'), "whole lines");
  return 0;
}
