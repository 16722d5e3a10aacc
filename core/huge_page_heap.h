#pragma once

#include <cstddef>

namespace wan {

/// Lets the heap of this process live in 2 MB pages, and keep what it once had.
///
/// A plan fills some megabytes at once. The first touch of each page is a fault, 0.1 us on bare metal but up to 20 us
/// on a virtual machine, where faults took more time than the solver. Address space alone is reserved: memory counts
/// when it is touched, in steps of 2 MB.
///
/// Does nothing where the kernel refuses (no such pages, an address space limit).
/// @param reserved  bytes of address space for the heap; beyond it, pages are small again
/// Threads: call first thing in main.  Cost: two system calls.
void use_huge_page_heap(std::size_t reserved = std::size_t{1} << 30);

}  // namespace wan
