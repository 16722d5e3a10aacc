#include "core/io/text_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <system_error>

namespace wan::io {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, FileCloser>;

std::string reason(int error_number) { return std::generic_category().message(error_number); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// The same text without line breaks and other controls: a file name may hold them, too.
std::string on_one_line(std::string_view text, bool escape_high) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!is_control(c) && !(escape_high && byte >= 0x80)) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xf];
    }
  }
  return out;
}

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

/// Length of the well-formed UTF-8 sequence at the front of `text`; 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf) return continues(1) ? 2 : 0;
  if (byte(0) >= 0xe0 && byte(0) <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = byte(0) == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = byte(0) == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (byte(0) >= 0xf0 && byte(0) <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = byte(0) == 0xf0 && byte(1) < 0x90;
    const bool beyond = byte(0) == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

}  // namespace

Result<TextSource> TextSource::open(std::string_view text, std::string_view name, std::size_t bytes_max) {
  TextSource source{without_byte_order_mark(text), name};
  if (text.size() > bytes_max) {
    return source.fail_whole("holds " + std::to_string(text.size()) + " bytes; at most " +
                             std::to_string(bytes_max / kMebibyte) + " MiB are read");
  }
  if (source.text_.find_first_not_of(kWhiteSpace) == std::string_view::npos)
    return source.fail_at(0, "the file is empty");
  if (const auto nul = source.text_.find('\0'); nul != std::string_view::npos) {
    return source.fail_at(nul, "a NUL byte: this is not a text file");
  }
  return source;
}

std::size_t TextSource::line_at(std::size_t offset) const {
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text_.size()));
  return 1 + static_cast<std::size_t>(std::count(text_.begin(), end, '\n'));
}

tl::unexpected<Error> TextSource::fail_at(std::size_t offset, std::string_view message) const {
  return fail(ErrorCode::kBadInput, on_one_line(name_, false) + ":" + std::to_string(line_at(offset)) + ": " +
                                        on_one_line(message, !is_utf8(message)));
}

tl::unexpected<Error> TextSource::fail_whole(std::string_view message) const {
  return fail(ErrorCode::kBadInput, on_one_line(name_, false) + ": " + on_one_line(message, !is_utf8(message)));
}

std::vector<std::string_view> LineReader::next_fields() {
  std::vector<std::string_view> fields;
  while (!rest_.empty() && fields.empty()) {
    offset_ = static_cast<std::size_t>(rest_.data() - begin_);
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    // A row has six fields at most: a seventh tells "too long" and the rest of it need not be looked at.
    while (fields.size() < 7) {
      const std::size_t first = line.find_first_not_of(kWhiteSpace);
      if (first == std::string_view::npos) break;
      line.remove_prefix(first);
      const std::size_t length = std::min(line.find_first_of(kWhiteSpace), line.size());
      fields.push_back(line.substr(0, length));
      line.remove_prefix(length);
    }
  }
  return fields;
}

Result<std::string> read_whole_file(const std::filesystem::path& file, std::size_t bytes_max) {
  const std::string name = on_one_line(file.string(), false);
  std::error_code status_error;
  const auto status = std::filesystem::status(file, status_error);
  if (status.type() == std::filesystem::file_type::not_found)
    return fail(ErrorCode::kNotFound, name + ": no such file");
  if (std::filesystem::is_directory(status)) return fail(ErrorCode::kIo, name + ": is a folder, not a file");
  const FilePtr stream{std::fopen(file.c_str(), "rb")};
  if (!stream) return fail(ErrorCode::kIo, name + ": cannot be opened: " + reason(errno));

  std::string bytes;
  for (std::size_t filled = 0;;) {
    bytes.resize(std::min(bytes_max + 1, filled + std::max(filled / 2, kMebibyte)));
    const std::size_t got = std::fread(bytes.data() + filled, 1, bytes.size() - filled, stream.get());
    filled += got;
    if (filled > bytes_max) {
      return fail(ErrorCode::kBadInput,
                  name + ": larger than the " + std::to_string(bytes_max / kMebibyte) + " MiB that are read");
    }
    if (got == 0) {
      if (std::ferror(stream.get()) != 0) return fail(ErrorCode::kIo, name + ": cannot be read: " + reason(errno));
      bytes.resize(filled);
      return bytes;
    }
  }
}

Result<void> write_whole_file(const std::filesystem::path& file, std::string_view bytes) {
  const std::string name = on_one_line(file.string(), false);
  FilePtr stream{std::fopen(file.c_str(), "wb")};
  if (!stream) return fail(ErrorCode::kIo, name + ": cannot be written: " + reason(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stream.get()) == bytes.size();
  const int write_error = errno;
  const bool closed = std::fclose(stream.release()) == 0;  // a full disk may show only here
  if (!written || !closed) {
    return fail(ErrorCode::kIo, name + ": cannot be written: " + reason(written ? errno : write_error));
  }
  return {};
}

std::optional<double> parse_number(std::string_view token, int shift) {
  std::string shifted;
  if (shift != 0) {
    int exponent = 0;
    const std::size_t e = std::min(token.find_first_of("eE"), token.size());
    if (e < token.size()) {
      std::string_view digits = token.substr(e + 1);
      if (digits.size() > 1 && digits.front() == '+' && digits[1] != '-') digits.remove_prefix(1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
      if (error != std::errc{} || end != digits.data() + digits.size() || std::abs(exponent) > 100'000)
        return std::nullopt;
    }
    shifted.append(token.substr(0, e)).append("e").append(std::to_string(exponent + shift));
    token = shifted;
  }
  double value = 0.0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc{} || end != token.data() + token.size() || !std::isfinite(value)) return std::nullopt;
  return value + 0.0;  // no negative zero
}

std::string format_number(double value, int shift) {
  std::array<char, 64> text{};
  char* const last = text.data() + text.size();
  if (shift == 0) return std::string(text.data(), std::to_chars(text.data(), last, value).ptr);
  const char* const end = std::to_chars(text.data(), last, value, std::chars_format::scientific).ptr;
  const std::string_view scientific{text.data(), static_cast<std::size_t>(end - text.data())};
  const std::size_t e = scientific.find('e');
  std::string digits{scientific.substr(0, e)};
  int exponent = 0;
  const std::string_view sign_and_digits = scientific.substr(e + 1);
  std::from_chars(sign_and_digits.data() + (sign_and_digits.front() == '+' ? 1 : 0), end, exponent);
  exponent -= shift;
  if (value == 0.0) return "0";

  // Plain decimals where they are no longer than the digits themselves, which is what people expect to see.
  const bool negative = digits.front() == '-';
  if (negative) digits.erase(0, 1);
  std::erase(digits, '.');
  const auto places = static_cast<int>(digits.size());
  std::string plain;
  if (exponent < -7 || exponent > 17) {
    plain = digits.substr(0, 1) + (places > 1 ? "." + digits.substr(1) : "") + "e" + std::to_string(exponent);
  } else if (exponent < 0) {
    plain = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else if (places <= exponent + 1) {
    plain = digits + std::string(static_cast<std::size_t>(exponent + 1 - places), '0');
  } else {
    plain = digits.substr(0, static_cast<std::size_t>(exponent) + 1) + "." +
            digits.substr(static_cast<std::size_t>(exponent) + 1);
  }
  return negative ? "-" + plain : plain;
}

std::optional<std::size_t> parse_count(std::string_view token) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

std::string in_quotes(std::string_view token) {
  constexpr std::size_t kShown = 60;
  const bool cut = token.size() > kShown;
  if (cut) {
    std::size_t end = kShown;
    while (end > kShown - 4 && (static_cast<unsigned char>(token[end]) & 0xc0) == 0x80) --end;
    token = token.substr(0, end);
  }
  return "\"" + on_one_line(token, !is_utf8(token)) + (cut ? "...\"" : "\"");
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_control_character(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

}  // namespace wan::io
