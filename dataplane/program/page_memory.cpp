#include "dataplane/program/page_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace wan::dataplane {

Result<PageMemory> PageMemory::take(std::size_t bytes) {
  void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    return fail(ErrorCode::kIo,
                std::to_string(bytes).append(" bytes of memory are not to be had: ").append(std::strerror(errno)));
  }
  static_cast<void>(
      ::madvise(start, bytes, MADV_HUGEPAGE));  // a wish: fewer address translations, nothing else changes
  return PageMemory{{static_cast<std::byte*>(start), bytes}};
}

PageMemory::PageMemory(PageMemory&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}

PageMemory& PageMemory::operator=(PageMemory&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

PageMemory::~PageMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace wan::dataplane
