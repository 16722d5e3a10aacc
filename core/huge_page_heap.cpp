#include "core/huge_page_heap.h"

#include <malloc.h>
#include <sys/mman.h>

#include <climits>
#include <cstdint>
#include <cstdlib>

namespace wan {

void use_huge_page_heap(std::size_t reserved) {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{1} << 21;
  // One contiguous heap that is never given back: large arrays would else be mapped, and faulted in, each anew.
  if (mallopt(M_MMAP_MAX, 0) == 0 || mallopt(M_TRIM_THRESHOLD, INT_MAX) == 0) return;
  void* const heap = std::malloc(reserved);
  if (heap == nullptr) return;
  const auto first = (reinterpret_cast<std::uintptr_t>(heap) + kHugePage - 1) / kHugePage * kHugePage;
  const auto last = (reinterpret_cast<std::uintptr_t>(heap) + reserved) / kHugePage * kHugePage;
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  std::free(heap);
}

}  // namespace wan
