#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wan::io {

inline constexpr std::size_t kMebibyte = std::size_t{1} << 20;
inline constexpr std::size_t kLineBytesMax = 64 * kMebibyte;

/// Bytes of one outside file on their way through a reader; every message about them says where they came from.
///
/// Views the caller's text and name, which must outlive it.
class TextSource {
 public:
  /// Skips a byte order mark.
  /// @error kBadInput: nothing but white space, over `bytes_max`, or a NUL byte, which no text format here has
  [[nodiscard]] static Result<TextSource> open(std::string_view text, std::string_view name, std::size_t bytes_max);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  /// The line, counted from 1, that holds the byte at `offset`. Cost: O(offset), meant for messages.
  [[nodiscard]] std::size_t line_at(std::size_t offset) const;

  /// kBadInput, "FILE:LINE: message", for the byte at `offset`.
  [[nodiscard]] tl::unexpected<Error> fail_at(std::size_t offset, std::string_view message) const;
  /// kBadInput, "FILE: message", where no line can be blamed.
  [[nodiscard]] tl::unexpected<Error> fail_whole(std::string_view message) const;

 private:
  TextSource(std::string_view text, std::string_view name) : text_{text}, name_{name} {}
  std::string_view text_;
  std::string_view name_;
};

/// Hands an error on to a caller that expects another type of value.
template <typename T>
[[nodiscard]] tl::unexpected<Error> error_of(const Result<T>& failed) {
  return tl::unexpected<Error>{failed.error()};
}

/// Walks the lines of a source; a line ends at LF or CRLF.
class LineReader {
 public:
  explicit LineReader(const TextSource& source) : rest_{source.text()}, begin_{source.text().data()} {}
  /// The next line that is not blank, cut at white space; empty at the end of the text.
  [[nodiscard]] std::vector<std::string_view> next_fields();
  /// Where the last line given began; at the end of the text, its last byte.
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  std::string_view rest_;
  const char* begin_;
  std::size_t offset_ = 0;
};

/// @error kNotFound; kIo: a folder, or the system refuses; kBadInput: over `bytes_max`
[[nodiscard]] Result<std::string> read_whole_file(const std::filesystem::path& file, std::size_t bytes_max);
/// @error kIo: named with the file and the system's reason
[[nodiscard]] Result<void> write_whole_file(const std::filesystem::path& file, std::string_view bytes);

/// A decimal number times 10^`shift`, rounded once: unlike a multiplication this loses nothing, so that a value written
/// in Mbit/s gives back the very bits per second it was made from. Nothing unless the whole token is a finite number.
[[nodiscard]] std::optional<double> parse_number(std::string_view token, int shift = 0);
/// The shortest text that `parse_number(text, shift)` reads as `value`, which must be finite.
[[nodiscard]] std::string format_number(double value, int shift = 0);
/// A whole number without sign.
[[nodiscard]] std::optional<std::size_t> parse_count(std::string_view token);

/// Outside text as it may stand in a message: in quotes, on one line, cut to about 60 characters.
[[nodiscard]] std::string in_quotes(std::string_view token);
[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] bool has_control_character(std::string_view text);
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace wan::io
