#pragma once

#include <cstddef>
#include <span>

#include "core/result.h"

namespace wan::dataplane {

/// Zero-filled memory from the system, in large pages where it grants them; given back at the end. Moved, not copied.
class PageMemory {
 public:
  /// @error kIo: the system does not give so much
  [[nodiscard]] static Result<PageMemory> take(std::size_t bytes);

  PageMemory(PageMemory&& other) noexcept;
  PageMemory& operator=(PageMemory&& other) noexcept;
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;
  ~PageMemory();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit PageMemory(std::span<std::byte> bytes) : bytes_{bytes} {}
  std::span<std::byte> bytes_;
};

}  // namespace wan::dataplane
