#include "controller/program/aiwanctl/answer.h"

#include <cmath>

#include "core/io/message_text.h"

namespace wan::aiwanctl {

std::optional<Json> parse_json(std::string_view text) {
  bool too_deep = false;
  const Json::parser_callback_t depth_limit = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kJsonDepthMax;
    return !too_deep;
  };
  Json document = Json::parse(text, depth_limit, /*allow_exceptions=*/false);
  if (too_deep || document.is_discarded()) return std::nullopt;
  return document;
}

const Json& field(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(std::string{key});
  return found == object.end() ? kNull : *found;
}

const Json& items_of(const Json& object, std::string_view key) {
  static const Json kNone = Json::array();
  const Json& list = field(object, key);
  return list.is_array() ? list : kNone;
}

std::optional<double> number_of(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) ? std::optional{number} : std::nullopt;
}

bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }

std::string shown(const Json& value) {
  if (value.is_string()) return io::on_one_line(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number()) return value.dump();
  return "-";
}

std::string shown_list(const Json& list, std::string_view separator) {
  if (!list.is_array() || list.empty()) return "-";
  std::string text;
  for (const Json& item : list) {
    if (&item != &list.front()) text += separator;
    text += shown(item);
  }
  return text;
}

}  // namespace wan::aiwanctl
