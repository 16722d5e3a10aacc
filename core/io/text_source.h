#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/message_text.h"
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
  /// @error kBadInput: nothing but white space, over `bytes_max`, a NUL byte, or a line over 64 MiB
  [[nodiscard]] static Result<TextSource> open(std::string_view text, std::string_view name, std::size_t bytes_max);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  /// The line, counted from 1, that holds the byte at `offset`. Cost: O(offset), meant for messages.
  [[nodiscard]] std::size_t line_at(std::size_t offset) const;

  /// kBadInput, "FILE:LINE: message", for the byte at `offset`; the message is `joined` from its parts.
  /// What is wrong with the text as a whole is told of its first byte.
  template <typename... Parts>
  [[nodiscard]] tl::unexpected<Error> fail_at(std::size_t offset, const Parts&... parts) const {
    return failure(line_at(offset), joined(parts...));
  }

 private:
  [[nodiscard]] tl::unexpected<Error> failure(std::size_t line, std::string_view message) const;
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

}  // namespace wan::io
