#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"

namespace wan::dataplane {

/// DPDK's environment, started once in a process.
/// @param devices     one `--vdev` or `-a` argument each, in order
/// @param memory_mib  that packet buffers come from
/// @error kIo: with what DPDK says
[[nodiscard]] Result<void> start_eal(const std::vector<std::string>& devices, std::size_t memory_mib, bool huge_pages,
                                     bool pci);

}  // namespace wan::dataplane
