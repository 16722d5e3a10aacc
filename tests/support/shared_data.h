#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace wan::test {

/// A file or folder of real inputs beside the project (`../shared/data`, or $AIWAN_SHARED_DATA).
///
/// Where it is absent, prints "SKIPPED: <file> is absent", which ctest counts as a skipped test, and gives nothing:
/// the test returns.
[[nodiscard]] std::optional<std::filesystem::path> shared_data(std::string_view relative);

}  // namespace wan::test
