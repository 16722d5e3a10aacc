#include "controller/program/aiwanctl/yaml_output.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace wan::aiwanctl {
namespace {

/// Words that some YAML reader takes for a boolean or null, in any case.
constexpr std::array<std::string_view, 11> kTaken{"y",    "n",     "yes",  "no",  "on", "off",
                                                  "true", "false", "null", "nan", "inf"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Only what no reader can take for anything but this string.
bool is_plain(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
      })) {
    return false;
  }
  std::string lower{text};
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kTaken.begin(), kTaken.end(), lower) == kTaken.end();
}

/// Several lines of printable ASCII that end with exactly one newline, and no line that a block would change.
bool is_block(std::string_view text) {
  if (text.size() < 2 || !text.ends_with('\n') || text.ends_with("\n\n") || text.front() == ' ' ||
      text.front() == '\n') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

void add_block(std::string& out, std::string_view text, std::size_t indent) {
  out += " |\n";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end > 0) out.append(indent, ' ').append(text.substr(0, end));
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

/// Writes a value after `key:` or `-`, with the space or newline that parts them.
void add_value(std::string& out, const Json& value, std::size_t indent);

void add_entries(std::string& out, const Json& object, std::size_t indent, bool first_inline) {
  bool first = first_inline;
  for (const auto& [key, value] : object.items()) {
    if (!first) out.append(indent, ' ');
    first = false;
    out.append(is_plain(key) ? key : quoted(key)).append(":");
    add_value(out, value, indent + 2);
  }
}

void add_items(std::string& out, const Json& list, std::size_t indent) {
  for (const Json& item : list) {
    out.append(indent, ' ').append("-");
    if (item.is_object() && !item.empty()) {
      out += ' ';
      add_entries(out, item, indent + 2, /*first_inline=*/true);
    } else {
      add_value(out, item, indent + 2);
    }
  }
}

void add_value(std::string& out, const Json& value, std::size_t indent) {
  if (value.is_object() && !value.empty()) {
    out += '\n';
    add_entries(out, value, indent, /*first_inline=*/false);
  } else if (value.is_array() && !value.empty()) {
    out += '\n';
    add_items(out, value, indent);
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (is_block(text)) {
      add_block(out, text, indent);
    } else {
      out.append(" ").append(is_plain(text) ? text : quoted(text)).append("\n");
    }
  } else {
    std::string text = value.dump();  // {}, [], a number, true, false, null
    const std::size_t exponent = value.is_number() ? text.find('e') : std::string::npos;
    if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");  // YAML 1.1
    out.append(" ").append(text).append("\n");
  }
}

}  // namespace

std::string to_yaml(const Json& document) {
  std::string out;
  if (document.is_object() && !document.empty()) {
    add_entries(out, document, 0, /*first_inline=*/false);
  } else if (document.is_array() && !document.empty()) {
    add_items(out, document, 0);
  } else {
    add_value(out, document, 2);
    out.erase(0, 1);
  }
  return out;
}

}  // namespace wan::aiwanctl
