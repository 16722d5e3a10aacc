#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace wan::io {

inline void append_part(std::string& out, std::string_view part) { out += part; }
inline void append_part(std::string& out, std::unsigned_integral auto part) { out += std::to_string(part); }

/// Texts and whole numbers, one after the other.
template <typename... Parts>
[[nodiscard]] std::string joined(const Parts&... parts) {
  std::string out;
  (append_part(out, parts), ...);
  return out;
}

/// Outside text as it may stand in a message: control characters, and bytes that are not UTF-8, are escaped.
[[nodiscard]] std::string on_one_line(std::string_view text);
/// The same in quotes and cut to about 60 characters.
[[nodiscard]] std::string in_quotes(std::string_view token);

[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] bool has_control_character(std::string_view text);
/// Without the white space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace wan::io
