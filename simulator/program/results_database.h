#pragma once

#include <filesystem>

#include "core/result.h"
#include "simulator/program/run_record.h"

namespace wan::simulator {

/// Writes a run as an SQLite database; docs/formats/results.md describes its tables.
///
/// All in one transaction under a temporary name beside `file`, renamed when complete: whoever finds `file` finds a
/// whole one, and an older one is replaced only by it. Equal records give equal tables.
/// @error kIo: SQLite's or the system's reason, with the file
/// Cost: O(intervals * controllers * links); 1.5 MB for a day of 288 intervals, 5 controllers and 40 links.
[[nodiscard]] Result<void> write_results_database(const std::filesystem::path& file, const RunRecord& run);

}  // namespace wan::simulator
