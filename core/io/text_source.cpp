#include "core/io/text_source.h"

#include <algorithm>
#include <cerrno>
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

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

}  // namespace

Result<TextSource> TextSource::open(std::string_view text, std::string_view name, std::size_t bytes_max) {
  const TextSource source{without_byte_order_mark(text), name};
  if (text.size() > bytes_max) {
    return source.fail_at(0, "holds ", text.size(), " bytes; at most ", bytes_max / kMebibyte, " MiB are read");
  }
  if (source.text_.find_first_not_of(kWhiteSpace) == std::string_view::npos)
    return source.fail_at(0, "the file is empty");
  if (const auto nul = source.text_.find('\0'); nul != std::string_view::npos) {
    return source.fail_at(nul, "a NUL byte: this is not a text file");
  }
  for (std::size_t begin = 0; begin < source.text_.size();) {
    const std::size_t end = std::min(source.text_.find('\n', begin), source.text_.size());
    if (end - begin > kLineBytesMax) return source.fail_at(begin, "a line over ", kLineBytesMax / kMebibyte, " MiB");
    begin = end + 1;
  }
  return source;
}

std::size_t TextSource::line_at(std::size_t offset) const {
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text_.size()));
  return 1 + static_cast<std::size_t>(std::count(text_.begin(), end, '\n'));
}

tl::unexpected<Error> TextSource::failure(std::size_t line, std::string_view message) const {
  return fail(ErrorCode::kBadInput, joined(on_one_line(name_), ":", line, ": ", on_one_line(message)));
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
  const std::string name = on_one_line(file.string());
  std::error_code status_error;
  const auto status = std::filesystem::status(file, status_error);
  if (status.type() == std::filesystem::file_type::not_found)
    return fail(ErrorCode::kNotFound, joined(name, ": no such file"));
  if (std::filesystem::is_directory(status)) return fail(ErrorCode::kIo, joined(name, ": is a folder, not a file"));
  const FilePtr stream{std::fopen(file.c_str(), "rb")};
  if (!stream) return fail(ErrorCode::kIo, joined(name, ": cannot be opened: ", reason(errno)));

  std::string bytes;
  for (std::size_t filled = 0;;) {
    bytes.resize(std::min(bytes_max + 1, filled + std::max(filled / 2, kMebibyte)));
    const std::size_t got = std::fread(bytes.data() + filled, 1, bytes.size() - filled, stream.get());
    filled += got;
    if (filled > bytes_max) {
      return fail(ErrorCode::kBadInput,
                  joined(name, ": larger than the ", bytes_max / kMebibyte, " MiB that are read"));
    }
    if (got == 0) {
      if (std::ferror(stream.get()) != 0)
        return fail(ErrorCode::kIo, joined(name, ": cannot be read: ", reason(errno)));
      bytes.resize(filled);
      return bytes;
    }
  }
}

Result<void> write_whole_file(const std::filesystem::path& file, std::string_view bytes) {
  const std::string name = on_one_line(file.string());
  FilePtr stream{std::fopen(file.c_str(), "wb")};
  if (!stream) return fail(ErrorCode::kIo, joined(name, ": cannot be written: ", reason(errno)));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stream.get()) == bytes.size();
  const int write_error = errno;
  const bool closed = std::fclose(stream.release()) == 0;  // a full disk may show only here
  if (!written || !closed) {
    return fail(ErrorCode::kIo, joined(name, ": cannot be written: ", reason(written ? errno : write_error)));
  }
  return {};
}

}  // namespace wan::io
