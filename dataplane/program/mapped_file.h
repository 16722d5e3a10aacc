#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"

namespace wan::dataplane {

/// A file's bytes as memory, read as they are touched. Moved, not copied.
class MappedFile {
 public:
  /// @error kNotFound: no such file; kIo: it cannot be read, or is no regular file
  [[nodiscard]] static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  std::span<const std::uint8_t> bytes_;
};

}  // namespace wan::dataplane
