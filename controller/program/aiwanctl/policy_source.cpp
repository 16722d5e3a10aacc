#include "controller/program/aiwanctl/policy_source.h"

#include <algorithm>
#include <iterator>

#include "controller/program/aiwanctl/answer.h"
#include "core/io/message_text.h"
#include "core/io/text_source.h"

namespace wan::aiwanctl {
namespace {

constexpr std::size_t kPolicyBytesMax = io::kMebibyte;
constexpr std::size_t kSavedPlanBytesMax = 64 * io::kMebibyte;  // as large as an answer may be

tl::unexpected<Failure> bad_file(std::string what, std::string_view file, std::string next) {
  return failed(
      {.exit_code = ExitCode::kError, .what = std::move(what), .where = std::string{file}, .next = std::move(next)});
}

/// At most one byte more than `bytes_max`.
std::string read_stream(std::istream& stream, std::size_t bytes_max) {
  std::string text;
  char byte = 0;
  while (text.size() <= bytes_max && stream.get(byte)) text += byte;
  return text;
}

}  // namespace

Outcome<PolicyText> read_policies(const std::string& file, std::istream& standard_input) {
  PolicyText policies{.text = {}, .name = file};
  if (file == "-") {
    policies = {.text = read_stream(standard_input, kPolicyBytesMax), .name = "standard input"};
    if (policies.text.size() > kPolicyBytesMax) {
      return bad_file("over 1 MiB", policies.name, "give a policy file; docs/formats/policy.md");
    }
  } else {
    auto text = io::read_whole_file(file, kPolicyBytesMax);
    if (!text) return bad_file(text.error().message, "-f", "name a policy file that you can read");
    policies.text = *std::move(text);
  }
  if (!io::is_utf8(policies.text)) return bad_file("no text in UTF-8", policies.name, "give a policy file");
  return policies;
}

Outcome<SavedPlan> read_saved_plan(const std::string& file) {
  const auto text = io::read_whole_file(file, kSavedPlanBytesMax);
  if (!text) return bad_file(text.error().message, "apply", "name a file that aiwanctl plan -f POLICIES -o FILE saved");
  return parse_saved_plan(*text, file);
}

Outcome<SavedPlan> parse_saved_plan(std::string_view text, std::string_view name) {
  constexpr const char* kNext = "save one with aiwanctl plan -f POLICIES -o FILE; to apply a policy file, use -f";
  const auto document = parse_json(text);
  const Json& saved = document ? *document : field(Json{}, "");
  const Json &format = field(saved, "format"), &state = field(saved, "state");
  if (format != std::string{kSavedPlanFormat}) {
    return bad_file(format.is_string() ? io::joined("a saved plan of another version, ", io::in_quotes(shown(format)))
                                       : std::string{"this is no saved plan"},
                    name, kNext);
  }
  const Json &policy_text = field(saved, "policy_text"), &policy_name = field(saved, "policy_name");
  if (!policy_text.is_string() || !policy_name.is_string() || !state.is_string()) {
    return bad_file("a saved plan without policy_text, policy_name or state", name, kNext);
  }
  return SavedPlan{.policies = {.text = policy_text.get<std::string>(), .name = policy_name.get<std::string>()},
                   .state = state.get<std::string>()};
}

}  // namespace wan::aiwanctl
